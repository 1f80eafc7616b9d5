"""Every attribution against Captum called by hand."""

from __future__ import annotations

from itertools import chain

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import ask
from explorer.errors import NotApplicable, SpecError
from explorer.models import memory
from tests.samples import made_up


def agree(ours: np.ndarray, theirs: torch.Tensor) -> None:
    assert np.abs(ours).max() > 1e-3
    np.testing.assert_allclose(ours, theirs[0].detach().numpy(), atol=1e-5, rtol=0)


@pytest.fixture(params=[0, 7], ids=["example 0", "example 7"])
def x(request: pytest.FixtureRequest, digits: ex.Dataset) -> torch.Tensor:
    return digits.test.inputs[request.param : request.param + 1]


@pytest.mark.parametrize("absolute", [False, True])
def test_saliency(absolute: bool, cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute("saliency", cnn, x, target=4, absolute=absolute)

    theirs = captum.attr.Saliency(cnn).attribute(x.clone().requires_grad_(), target=4, abs=absolute)

    agree(ours.values, theirs)
    assert (ours.values.min() < 0) != absolute
    assert ours.error is None


@pytest.mark.parametrize("steps", [20, 200])
def test_integrated_gradients(steps: int, cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute("integrated_gradients", cnn, x, target=4, steps=steps)

    theirs = captum.attr.IntegratedGradients(cnn).attribute(x, torch.zeros_like(x), target=4, n_steps=steps)

    agree(ours.values, theirs)
    assert ours.params == {"steps": steps}


@pytest.mark.parametrize("target", [0, 4, 9])
def test_the_completeness_error_of_integrated_gradients_is_what_is_missing_and_small(
    target: int, cnn: nn.Module, x: torch.Tensor
) -> None:
    with torch.no_grad():
        promised = float(cnn(x)[0, target] - cnn(torch.zeros_like(x))[0, target])

    rough, fine = (ex.attribute("integrated_gradients", cnn, x, target=target, steps=steps) for steps in (2, 300))

    for result in (rough, fine):
        assert result.error == pytest.approx(abs(result.values.sum() - promised), abs=1e-4)
    assert fine.error < 0.05
    assert fine.error < rough.error


@pytest.mark.parametrize("positive", [False, True])
def test_grad_cam(positive: bool, cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute("grad_cam", cnn, x, target=4, positive=positive)

    maps = captum.attr.LayerGradCam(cnn, cnn.conv2).attribute(x, target=4, relu_attributions=positive)
    agree(ours.values, captum.attr.LayerAttribution.interpolate(maps, (8, 8), interpolate_mode="bilinear"))


def test_grad_cam_is_the_mean_gradient_times_the_map(cnn: nn.Module, x: torch.Tensor) -> None:
    maps = cnn.relu1(cnn.batchnorm1(cnn.conv1(x)))
    maps = cnn.conv2(maps)  # (1, C, 8, 8): as large as the input, so nothing is enlarged
    after = cnn[list(dict(cnn.named_children())).index("conv2") + 1 :]
    (slope,) = torch.autograd.grad(after(maps)[0, 4], maps)

    agree(ex.attribute("grad_cam", cnn, x, target=4).values, (slope.mean((2, 3), keepdim=True) * maps).sum(1)[:, None])


def test_grad_cam_takes_the_last_convolution_of_the_main_path(tiny: ex.Dataset, x: torch.Tensor) -> None:
    spec = ex.ModelSpec.of({"kind": "residual", "channels": 4, "stride": 2}, {"kind": "globalpool"}, {"kind": "output"})
    model = ex.build(spec, tiny)
    list(ex.train(model, tiny, ex.TrainSpec(epochs=5)))

    ours = ex.attribute("grad_cam", model, x, target=4)

    maps = captum.attr.LayerGradCam(model.eval(), model.residual1.conv2).attribute(x, target=4)
    agree(ours.values, captum.attr.LayerAttribution.interpolate(maps, (8, 8), interpolate_mode="bilinear"))


@pytest.mark.parametrize(("size", "side", "stride"), [(0, 2, 1), (1, 1, 1), (3, 3, 1), (6, 6, 2), (64, 8, 2)])
def test_occlusion(size: int, side: int, stride: int, cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute("occlusion", cnn, x, target=4, size=size)

    theirs = captum.attr.Occlusion(cnn).attribute(
        x, sliding_window_shapes=(1, side, side), strides=(1, stride, stride), baselines=0, target=4
    )

    agree(ours.values, theirs)


def drawn_alike(captum_method: object, x: torch.Tensor, **arguments: object) -> torch.Tensor:
    """Captum by hand, its random numbers from the seed that ours start from."""
    torch.manual_seed(0)
    return captum_method.attribute(x, target=4, **arguments)


PLAIN = {
    "input_x_gradient": captum.attr.InputXGradient,
    "guided_backprop": captum.attr.GuidedBackprop,
    "deconvolution": captum.attr.Deconvolution,
}


@pytest.mark.parametrize("name", PLAIN)
def test_methods_of_one_gradient(name: str, cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute(name, cnn, x, target=4)
    agree(ours.values, PLAIN[name](cnn).attribute(x.clone().requires_grad_(), target=4))


def test_guided_grad_cam(cnn: nn.Module, x: torch.Tensor) -> None:
    theirs = captum.attr.GuidedGradCam(cnn, cnn.conv2).attribute(x.clone().requires_grad_(), target=4)
    agree(ex.attribute("guided_grad_cam", cnn, x, target=4).values, theirs)


def test_smooth_grad_with_the_same_noise(cnn: nn.Module, x: torch.Tensor) -> None:
    ours = ex.attribute("smooth_grad", cnn, x, target=4, copies=10, noise=0.2)
    spread = float(x.max() - x.min())

    theirs = drawn_alike(
        captum.attr.NoiseTunnel(captum.attr.Saliency(cnn)),
        x.clone().requires_grad_(),
        nt_samples=10,
        stdevs=0.2 * spread,
        abs=False,
    )

    agree(ours.values, theirs)


def test_gradient_shap_estimates_what_captums_does(cnn: nn.Module, x: torch.Tensor, digits: ex.Dataset) -> None:
    others = digits.train.inputs[:8]
    ours = ex.attribute("gradient_shap", cnn, x, target=4, references=others, samples=1000)
    np.random.seed(0)
    theirs = drawn_alike(captum.attr.GradientShap(cnn), x, baselines=others, n_samples=1000, stdevs=0.0)

    strongest = float(theirs.abs().max())
    np.testing.assert_allclose(ours.values, theirs[0].detach().numpy(), atol=0.12 * strongest)  # both draw
    assert np.corrcoef(ours.values.ravel(), theirs.detach().numpy().ravel())[0, 1] > 0.99


class Copy(nn.Module):
    """Stands between a ReLU and a max pool, where Captum would hook both rules onto one tensor and lose the second."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clone()


def test_deep_lift_from_one_baseline_and_from_many(cnn: nn.Module, x: torch.Tensor, digits: ex.Dataset) -> None:
    others = digits.train.inputs[:5]
    apart = [(Copy(), layer) if isinstance(layer, nn.MaxPool2d) else (layer,) for layer in cnn]
    copying = nn.Sequential(*chain(*apart)).eval()
    one = ex.attribute("deep_lift", cnn, x, target=4, baseline=others[:1])
    many = ex.attribute("deep_lift_shap", cnn, x, target=4, references=others)

    agree(one.values, captum.attr.DeepLift(copying).attribute(x, others[:1], target=4))
    agree(many.values, captum.attr.DeepLiftShap(copying).attribute(x, others, target=4))


def test_deep_lift_adds_up_whatever_stands_beside_a_max_pool(x: torch.Tensor, digits: ex.Dataset) -> None:
    """As the rescale rule must (Shrikumar et al., 2017)."""
    pools = (nn.ReLU(), nn.MaxPool2d(2)), (nn.MaxPool2d(2), nn.ReLU()), (nn.Tanh(), nn.Dropout(), nn.MaxPool2d(2))
    for seed, layers in enumerate(pools):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), *layers, nn.Flatten(), nn.Linear(36, 10)).eval()
        for method in ("deep_lift", "deep_lift_shap"):
            assert ex.attribute(method, model, x, 4, references=digits.train.inputs[:5]).error < 1e-5


def test_the_completeness_error_compares_with_all_references(cnn: nn.Module, digits: ex.Dataset) -> None:
    x, others = digits.test.inputs[:1], digits.train.inputs[:100]
    with torch.no_grad():
        promised = float(cnn(x)[0, 4] - cnn(others)[:, 4].mean())

    found = ex.attribute("deep_lift_shap", cnn, x, target=4, references=others)

    assert found.values.sum() == pytest.approx(promised, abs=1e-3)
    assert found.error < 1e-3


def test_methods_that_take_regions_away(cnn: nn.Module, x: torch.Tensor) -> None:
    squares = torch.arange(8)[:, None] // 2 * 4 + torch.arange(8) // 2
    mask = squares[None, None]
    settings = {"size": 2}
    ablation = captum.attr.FeatureAblation(cnn).attribute(x, target=4, feature_mask=mask)
    shapley = drawn_alike(captum.attr.ShapleyValueSampling(cnn), x, feature_mask=mask, n_samples=5)
    kernel = drawn_alike(captum.attr.KernelShap(cnn), x, feature_mask=mask, n_samples=60)

    agree(4 * ex.attribute("feature_ablation", cnn, x, 4, **settings).values, ablation)  # 4 pixels share one effect
    agree(4 * ex.attribute("shapley_sampling", cnn, x, 4, orders=5, **settings).values, shapley)
    agree(4 * ex.attribute("kernel_shap", cnn, x, 4, samples=60, **settings).values, kernel)


def test_lime(cnn: nn.Module, x: torch.Tensor) -> None:
    mask = (torch.arange(8)[:, None] // 2 * 4 + torch.arange(8) // 2)[None, None]
    theirs = drawn_alike(captum.attr.Lime(cnn), x, feature_mask=mask, n_samples=60)  # its lasso has alpha 0.01, too

    agree(4 * ex.attribute("lime", cnn, x, 4, samples=60, size=2, alpha=0.01).values, theirs)


def test_conductance_and_other_layer_methods(cnn: nn.Module, x: torch.Tensor) -> None:
    conductance = ex.attribute("layer_conductance", cnn, x, 4, layer="conv2")
    times = ex.attribute("layer_gradient_x_activation", cnn, x, 4, layer="relu1")
    unit = ex.attribute("neuron_gradient", cnn, x, 4, layer="conv2", unit=3)

    agree(conductance.values, captum.attr.LayerConductance(cnn, cnn.conv2).attribute(x, target=4))
    assert conductance.layer == "conv2"
    agree(times.values, captum.attr.LayerGradientXActivation(cnn, cnn.relu1).attribute(x, target=4))
    wanted = captum.attr.NeuronGradient(cnn, cnn.conv2).attribute(
        x.clone().requires_grad_(), lambda output: output[:, 3].flatten(1).mean(1)
    )
    agree(unit.values, wanted)


def test_conductance_promises_to_add_up_only_where_nothing_flows_past_the_layer(image: torch.Tensor) -> None:
    dataset = ex.load_dataset("phrases")
    model = ex.build(ex.preset("seq2seq_transformer", dataset), dataset, seed=0).eval()
    more = {"written": dataset.test.targets[:1, :-1], "at": 2}

    def error(layer: str) -> float | None:
        return ex.attribute("layer_conductance", model, dataset.test.inputs[:1], 7, layer=layer, **more).error

    for layer in ("encoder.transformer1", "encoder.layernorm1", "decoder.decoderblock2", "decoder.layernorm1"):
        assert error(layer) < 0.01, layer
    for layer in ("decoder.positions1", "decoder.decoderblock1"):  # a later block looks at the source again
        assert error(layer) is None
    assert ex.attribute("layer_conductance", Twice(nn.ReLU()), image, 4, layer="one").error is None
    with pytest.raises(NotApplicable, match=r"decoder\.positions1 comes before the decoder looks at the source"):
        ex.attribute("neuron_gradient", model, dataset.test.inputs[:1], 7, layer="decoder.positions1", **more)


SEVERAL = {"gru": {"output": "all"}}
UNITS = {
    "Transformer of words": (made_up(7, tokens=9), ("embedding", "positions", "transformer", "meanpool"), 30),
    "Vision Transformer": (made_up(1, 8, 8), ("patches", "positions", "transformer", "meanpool"), 40),
    "GRU of a series": (made_up(2, 6), ("steps", "gru", "meanpool"), 40),
    "convolution of a series": (made_up(2, 6), ("conv", "relu", "globalpool"), 11),
}
"""A data set, layers, and a unit of the last but one of these; of sequences there are fewer places than units."""


@pytest.mark.parametrize("case", UNITS)
def test_a_unit_of_a_sequence_is_a_column_and_of_a_convolution_a_channel(case: str) -> None:
    dataset, kinds, unit = UNITS[case]
    spec = ex.ModelSpec.of(*({"kind": kind} | SEVERAL.get(kind, {}) for kind in kinds), {"kind": "output"})
    model = ex.build(spec, dataset, seed=0).eval()
    x, layer = dataset.test.inputs[1:2], f"{kinds[-2]}1"  # of words: two, and padding
    z = (model[0](x) if dataset.modality == "tokens" else x.clone()).detach().requires_grad_()
    with ex.capture(model, [layer], attached=True) as seen:
        model.after(z, x != 0) if dataset.modality == "tokens" else model(z)
    output = seen[layer][0, : int((x != 0).sum())] if dataset.modality == "tokens" else seen[layer][0]
    value = output[unit].mean() if "convolution" in case else output[:, unit].mean()
    (slope,) = torch.autograd.grad(value, z)

    ours = ex.attribute("neuron_gradient", model, x, 0, layer=layer, unit=unit)

    agree(ours.values, slope.norm(dim=2) if dataset.modality == "tokens" else slope)
    last = seen[layer].shape[1 if "convolution" in case else 2] - 1
    with pytest.raises(SpecError, match=f"{layer} has units 0 to {last}"):
        ex.attribute("neuron_gradient", model, x, 0, layer=layer, unit=last + 1)


def test_lrp_of_relu_layers_is_the_input_times_the_gradient(digits: ex.Dataset, x: torch.Tensor) -> None:
    """Without biases and with a small epsilon (Ancona et al., 2018, proposition 1)."""
    model = ex.build(ex.preset("cnn", digits, width=8), digits, seed=3)
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(weight)

    ours = ex.attribute("lrp", model, x, 4).values

    np.testing.assert_allclose(ours, ex.attribute("input_x_gradient", model, x, 4).values, atol=1e-5)
    assert np.abs(ours).max() > 1e-3


@pytest.fixture(scope="module")
def reader() -> tuple[nn.Module, ex.Dataset]:
    """A self-attention model that reads words."""
    dataset = ex.load_dataset("evidence_words")
    return ex.build(ex.preset("attention", dataset), dataset, seed=1).eval(), dataset


def test_words_are_explained_at_their_embedding(reader: tuple[nn.Module, ex.Dataset]) -> None:
    model, dataset = reader
    x = dataset.test.inputs[:1]
    embedding = model[0]
    integrated = captum.attr.LayerIntegratedGradients(model, embedding).attribute(
        x, torch.where(x == 0, x, 0), target=2, n_steps=50
    )
    slope = captum.attr.LayerGradientXActivation(model, embedding, multiply_by_inputs=False).attribute(x, target=2)

    agree(ex.attribute("integrated_gradients", model, x, 2).values, integrated.sum(2))
    agree(ex.attribute("saliency", model, x, 2).values, slope.norm(dim=2))


def test_leaving_a_word_out_is_putting_padding_in_its_place(reader: tuple[nn.Module, ex.Dataset]) -> None:
    model, dataset = reader
    x = dataset.test.inputs[:1]
    with torch.no_grad():
        vectors, mask = model[0](x), x != 0
        whole = model(x)[0, 2]
        falls = []
        for place in range(int(mask.sum())):
            other = vectors.clone()
            other[0, place] = 0
            falls.append(float(whole - model.after(other, mask)[0, 2]))

    for method in ("feature_ablation", "occlusion"):
        ours = ex.attribute(method, model, x, 2).values
        np.testing.assert_allclose(ours[: len(falls)], falls, atol=1e-5)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "occlusion", "lrp", "feature_ablation"])
def test_the_difference_of_two_classes_is_explained_by_the_difference_of_their_explanations(
    method: str, cnn: nn.Module, x: torch.Tensor
) -> None:
    three, eight = (ex.attribute(method, cnn, x, target).values for target in (3, 8))

    ours = ex.attribute(method, cnn, x, (3, 8))

    np.testing.assert_allclose(ours.values, three - eight, atol=1e-4)
    assert ours.target == (3, 8)


def test_each_token_of_a_translation_is_explained_by_its_source() -> None:
    dataset = ex.load_dataset("phrases")
    model = ex.build(ex.preset("seq2seq_transformer", dataset), dataset, seed=0).eval()
    x, written = dataset.test.inputs[:1], dataset.test.targets[:1, :-1]
    with torch.no_grad():
        vectors, mask = model.encoder[0](x), x != 0
        logits = model.decoder(written, model.encoder.after(vectors, mask), mask)
        vectors[0, 1] = 0
        without = model.decoder(written, model.encoder.after(vectors, mask), mask)

    ours = ex.attribute("feature_ablation", model, x, 7, written=written, at=3)

    assert ours.values[1] == pytest.approx(float(logits[0, 3, 7] - without[0, 3, 7]), abs=1e-5)
    with pytest.raises(SpecError, match="say what is written so far"):
        ex.attribute("saliency", model, x, 7)


def test_grad_cam_says_why_it_does_not_apply_to_a_model_without_convolutions(tiny: ex.Dataset) -> None:
    mlp = ex.build(ex.preset("mlp", tiny), tiny)

    with pytest.raises(
        NotApplicable, match=r"Grad-CAM does not apply: it needs a convolution, and this model has none"
    ):
        ex.attribute("grad_cam", mlp, tiny.test.inputs[:1], target=0)


class Twice(nn.Module):
    """Uses one activation module for two layers."""

    def __init__(self, relu: nn.Module) -> None:
        super().__init__()
        self.flatten, self.one, self.relu, self.two = nn.Flatten(), nn.Linear(64, 64), relu, nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.relu(self.one(self.relu(self.flatten(x)))))


@pytest.mark.parametrize("method", ["gradient_shap", "random", "constant"])
def test_what_is_drawn_is_on_the_device_of_the_example(method: str) -> None:
    """On the device of torch that only follows shapes, which every machine has."""
    dataset = made_up(7, tokens=9)
    spec = ex.ModelSpec.of({"kind": "embedding"}, {"kind": "meanpool"}, {"kind": "output"})
    model, x = ex.build(spec, dataset).to("meta"), dataset.test.inputs[:1].to("meta")
    question = ask(model, x, 0, references=dataset.train.inputs[:4])

    assert question.references.is_meta
    assert ex.METHODS.make(method).run(question).is_meta


@pytest.mark.parametrize("method", ["deep_lift", "deep_lift_shap", "guided_backprop", "deconvolution"])
def test_an_activation_that_would_give_wrong_numbers_without_a_word_is_named(method: str, x: torch.Tensor) -> None:
    with pytest.raises(NotApplicable, match="the activation relu is used 2 times in one pass"):
        ex.attribute(method, Twice(nn.ReLU()), x, 4)
    in_place = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.ReLU(inplace=True))
    with pytest.raises(NotApplicable, match="the activation 2 works in place"):
        ex.attribute(method, in_place, x, 4)


def test_a_baseline_of_another_shape_is_refused(cnn: nn.Module, x: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=r"The baseline has the shape \(1, 4, 4\), but the example has \(1, 8, 8\)"):
        ex.attribute("integrated_gradients", cnn, x, 4, baseline=torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize("steps", [3, 50])
def test_a_baseline_is_one_example(steps: int, cnn: nn.Module, x: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=r"The baseline has the shape \(3, 1, 8, 8\), but one as a batch \(1, …\)"):
        ex.attribute("integrated_gradients", cnn, x, 4, baseline=torch.zeros(3, 1, 8, 8), steps=steps)
    with pytest.raises(SpecError, match="There are no references"):
        ex.attribute("gradient_shap", cnn, x, 4, references=torch.zeros(0, 1, 8, 8))


def test_what_an_example_is_compared_with_is_of_its_kind(
    cnn: nn.Module, x: torch.Tensor, reader: tuple[nn.Module, ex.Dataset]
) -> None:
    with pytest.raises(
        SpecError, match=r"values of the baseline are tokens \(torch.int64\), but those of the example are num"
    ):
        ex.attribute("integrated_gradients", cnn, x, 4, baseline=torch.zeros(1, 1, 8, 8, dtype=torch.long))
    model, dataset = reader
    words = dataset.test.inputs[:1]
    with pytest.raises(
        SpecError, match=r"values of the references are numbers \(torch.float32\), but those of the example are tok"
    ):
        ex.attribute("gradient_shap", model, words, 2, references=words.float())


def test_values_that_are_not_finite_are_never_shown(cnn: nn.Module, x: torch.Tensor) -> None:
    with torch.no_grad():
        cnn.output1.weight.fill_(float("inf"))
    with pytest.raises(NotApplicable, match="Saliency gives values that are not finite"):
        ex.attribute("saliency", cnn, x, 4)


def test_an_explanation_of_all_zeros_says_so(x: torch.Tensor) -> None:
    blind = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.zeros_(blind[1].weight)

    assert ex.attribute("saliency", blind, x, 4).nothing
    assert not ex.attribute("constant", blind, x, 4).nothing


@pytest.mark.parametrize(("method", "most"), [("integrated_gradients", 50), ("occlusion", 49)])
def test_a_big_model_is_explained_in_small_batches_with_the_same_outcome(
    method: str, most: int, cnn: nn.Module, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    cnn.register_forward_pre_hook(lambda _module, given: sizes.append(len(given[0])))
    at_once = ex.attribute(method, cnn, x, target=4)
    assert max(sizes) == most, "a small model is explained in one go"

    sizes.clear()
    monkeypatch.setattr(memory, "MEMORY_BOUND", 2**18)
    in_parts = ex.attribute(method, cnn, x, target=4)

    assert 1 < max(sizes) <= most // 4
    np.testing.assert_allclose(in_parts.values, at_once.values, atol=1e-5)


def test_more_than_one_example_is_refused(cnn: nn.Module, digits: ex.Dataset) -> None:
    with pytest.raises(NotApplicable, match=r"shape \(2, 1, 8, 8\); one example"):
        ex.attribute("saliency", cnn, digits.test.inputs[:2], target=0)


def test_parameters_out_of_range_are_refused(cnn: nn.Module, x: torch.Tensor) -> None:
    with pytest.raises(SpecError, match="steps is 0, but it should be greater than or equal to 2"):
        ex.attribute("integrated_gradients", cnn, x, target=0, steps=0)
    with pytest.raises(SpecError, match="size is -1"):
        ex.attribute("occlusion", cnn, x, target=0, size=-1)
