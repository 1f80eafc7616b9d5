"""Every attribution against Captum called by hand."""

from __future__ import annotations

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable, SpecError
from explorer.models import memory


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


def test_grad_cam_says_why_it_does_not_apply_to_a_model_without_convolutions(tiny: ex.Dataset) -> None:
    mlp = ex.build(ex.preset("mlp", tiny), tiny)

    with pytest.raises(
        NotApplicable, match=r"Grad-CAM does not apply: it needs a convolution, and this model has none"
    ):
        ex.attribute("grad_cam", mlp, tiny.test.inputs[:1], target=0)


def test_occlusion_says_why_it_does_not_apply_to_inputs_that_are_not_images() -> None:
    with pytest.raises(NotApplicable, match=r"Occlusion does not apply: it covers parts of an image"):
        ex.attribute("occlusion", nn.Linear(4, 2), torch.zeros(1, 4), target=0)


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
