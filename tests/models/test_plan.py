"""Working through a specification: shapes, costs, receptive fields, and the first thing that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import explorer as ex
from explorer.errors import SpecError
from explorer.models import MEMORY_BOUND, checked, plan
from tests.samples import made_up

Layers = list[dict[str, Any]]

CONV = {"kind": "conv", "channels": 2}
POOL = {"kind": "maxpool"}
FLATTEN, OUTPUT = {"kind": "flatten"}, {"kind": "output"}


def kernel(side: int, stride: int = 1, padding: str = "same") -> dict[str, Any]:
    return {"kind": "conv", "channels": 2, "kernel": side, "stride": stride, "padding": padding}


WRONG: dict[str, tuple[Layers, int | None, str]] = {
    "empty": ([], None, "The model has no layers yet. Start from a family or add a layer."),
    "unknown layer": (
        [CONV, {"kind": "cnv"}],
        2,
        "Layer 2 (cnv): There is no layer called 'cnv'. Choose one of: conv,",
    ),
    "unknown field": (
        [{"kind": "conv", "chanels": 3}],
        1,
        "Layer 1 (conv): there is no field 'chanels'. Its fields are: channels, kernel, stride, padding.",
    ),
    "negative": (
        [CONV, {"kind": "conv", "channels": -1}],
        2,
        "Layer 2 (conv): channels is -1, but it should be greater than or equal to 1.",
    ),
    "not a number": ([{"kind": "conv", "kernel": "big"}], 1, "Layer 1 (conv): kernel is 'big', but it should be"),
    "kernel too large": (
        [CONV, POOL, kernel(7, padding="none")],
        3,
        "Layer 3 (conv): kernel 7 is larger than its 4×4 input. Use a smaller one or remove a pool before it.",
    ),
    "pool too large": (
        [POOL, POOL, POOL, POOL],
        4,
        "Layer 4 (maxpool): size 2 is larger than its 1×1 input. Use a smaller one or remove a pool before it.",
    ),
    "image into linear": (
        [CONV, {"kind": "linear"}],
        2,
        "Layer 2 (linear): it got an image of 2×8×8 values, but needs a flat vector or a sequence of vectors. "
        "Put Global average pool, Flatten, Image to rows or Image to patches before it.",
    ),
    "vector into conv": (
        [FLATTEN, CONV],
        2,
        "Layer 2 (conv): it got a flat vector of 64 values, but needs an image or a series. Move it to where",
    ),
    "image at the end": (
        [CONV],
        1,
        "Layer 1 (conv): the model ends with 2×8×8 values, but digits needs 10 outputs. "
        "Add Global average pool or Flatten, then Output at the end.",
    ),
    "vector at the end": (
        [FLATTEN, {"kind": "linear", "units": 9}],
        2,
        "Layer 2 (linear): the model ends with 9 values, but digits needs 10 outputs. Add Output at the end.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_model_says_which_layer_what_it_got_and_the_mend(case: str, digits: ex.Dataset) -> None:
    layers, number, text = WRONG[case]
    spec = ex.ModelSpec.of(*layers)

    for use in (checked, ex.build, ex.summarize, ex.to_code):
        with pytest.raises(SpecError) as raised:
            use(spec, digits)
        assert str(raised.value).startswith(text)
        assert raised.value.layer == number


def test_the_layers_before_a_problem_are_still_planned(digits: ex.Dataset) -> None:
    made = plan(ex.ModelSpec.of(CONV, POOL, {"kind": "linear"}, OUTPUT), digits)

    assert [layer.name for layer in made.layers] == ["conv1", "maxpool1"]
    assert made.problem.layer == 3


def test_a_model_that_needs_too_much_memory_names_the_layer_to_make_smaller(digits: ex.Dataset) -> None:
    wide = ex.ModelSpec.of(
        FLATTEN, {"kind": "linear", "units": 65536}, {"kind": "relu"}, {"kind": "linear", "units": 65536}, OUTPUT
    )

    for use in (checked, ex.build, ex.summarize):
        with pytest.raises(SpecError, match=r"needs 64\.\d GiB .* limit is 1 GiB\. Make layer 4 \(linear\) smaller"):
            use(wide, digits)


def test_a_batch_that_needs_too_much_memory_is_refused(digits: ex.Dataset) -> None:
    spec = ex.ModelSpec.of({"kind": "conv", "channels": 1024}, FLATTEN, OUTPUT)

    assert checked(spec, digits, batch_size=64)
    with pytest.raises(SpecError, match=r"batches of 65536; .*layer 1 \(conv\)"):
        checked(spec, digits, batch_size=65536)


def test_memory_is_four_times_the_weights_and_twice_the_activations(digits: ex.Dataset) -> None:
    made = checked(ex.ModelSpec.of(FLATTEN, OUTPUT), digits)  # 64 values, then 10; 64 * 10 + 10 weights

    assert made.memory(batch_size=5) == 4 * (4 * 650 + 2 * (64 + 10) * 5)
    assert MEMORY_BOUND == 2**30


def test_planning_allocates_no_weights(digits: ex.Dataset) -> None:
    huge = {"kind": "conv", "channels": 4096, "kernel": 31}  # 16 billion weights in the second one

    assert plan(ex.ModelSpec.of(huge, huge, FLATTEN, OUTPUT), digits).parameters > 16e9


def test_parameters_and_multiply_adds_are_what_one_counts_by_hand(digits: ex.Dataset) -> None:
    made = checked(ex.ModelSpec.of({"kind": "conv", "channels": 4, "kernel": 3}, FLATTEN, OUTPUT), digits)
    conv, _, output = made.layers

    assert (conv.parameters, conv.macs) == (4 * 9 + 4, 8 * 8 * 4 * 9)
    assert (output.parameters, output.macs) == (256 * 10 + 10, 256 * 10)
    assert (made.parameters, made.macs) == (40 + 2570, 2304 + 2560)


MODELS: dict[str, Layers] = {
    "one": [kernel(3)],
    "five": [kernel(5)],
    "even": [kernel(4)],
    "even, no padding": [kernel(2, padding="none")],
    "two": [kernel(3), kernel(5)],
    "strided": [kernel(3, stride=2), kernel(3)],
    "stride above kernel": [kernel(2, stride=3), kernel(2)],
    "conv, pool, conv": [kernel(3), POOL, kernel(3)],
    "average pool of three": [kernel(2), {"kind": "avgpool", "size": 3}, kernel(3, stride=2), kernel(3)],
    "two pools": [kernel(3), POOL, kernel(3), POOL, kernel(1)],
    "residual": [{"kind": "residual", "channels": 2}],
    "residual with stride": [kernel(3), {"kind": "residual", "channels": 3, "stride": 2}, kernel(3)],
    "residual after pool": [POOL, {"kind": "residual", "channels": 2}, {"kind": "residual", "channels": 2}],
    "between": [kernel(3), {"kind": "batchnorm"}, {"kind": "relu"}, {"kind": "dropout"}, kernel(3)],
    "whole": [kernel(3), {"kind": "layernorm"}, {"kind": "relu"}, kernel(3)],
    "clipped": [kernel(31, stride=2), kernel(31)],
}
BY_HAND = {
    "one": (3, 3),
    "even": (4, 4),
    "two": (7, 7),  # 3 + 4
    "strided": (7, 7),  # 3 + 2 * 2
    "conv, pool, conv": (8, 8),  # 3 + 1 + 2 * 2
    "residual": (5, 5),  # 3 + 2
    "whole": (48, 40),
}


def positive(spec: ex.ModelSpec, dataset: ex.Dataset) -> nn.Sequential:
    """The model with positive weights only, so that no effect cancels another, in eval mode."""
    model = ex.build(spec, dataset).double().eval()
    for weight in model.parameters():
        weight.data = weight.data.abs() + 0.01
    return model


@pytest.mark.parametrize("name", MODELS)
def test_the_receptive_field_is_the_extent_of_the_gradient_of_a_central_value(name: str) -> None:
    dataset = made_up(1, 48, 40)
    spec = ex.ModelSpec.of(*MODELS[name], FLATTEN, OUTPUT)
    planned = checked(spec, dataset).layers[len(MODELS[name]) - 1]
    random = torch.Generator().manual_seed(0)
    x = torch.rand(
        64, 1, 48, 40, generator=random, dtype=torch.float64
    ).requires_grad_()  # a max pool picks anew in each

    values = positive(spec, dataset)[: len(MODELS[name])](x)
    (slope,) = torch.autograd.grad(values[:, 0, values.shape[2] // 2, values.shape[3] // 2].sum(), x)

    felt = slope.abs().sum((0, 1)) > 0  # (H, W)
    extent = tuple(int(hit.nonzero().max() - hit.nonzero().min()) + 1 for hit in (felt.any(1), felt.any(0)))
    assert planned.receptive_field == extent == BY_HAND.get(name, extent)


@pytest.mark.parametrize("name", MODELS)
def test_multiply_adds_of_whole_models_are_those_torch_counts(name: str) -> None:
    dataset = made_up(1, 48, 40)
    spec = ex.ModelSpec.of(*MODELS[name], FLATTEN, OUTPUT)
    model = ex.build(spec, dataset).eval()

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(dataset.test.inputs[:1])

    assert checked(spec, dataset).macs == counter.get_total_flops() // 2


def test_odd_fields_in_a_link_are_an_answer_not_a_crash(digits: ex.Dataset) -> None:
    for name in ("cls", "self", "name", "params", "model_fields", "__class__"):
        problem = plan(ex.ModelSpec.of({"kind": "conv", name: 1}), digits).problem
        assert str(problem).startswith(f"Layer 1 (conv): there is no field {name!r}.")


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 6])
def test_same_padding_keeps_the_size_and_with_stride_two_halves_it(side: int, digits: ex.Dataset) -> None:
    kept, halved = (plan(ex.ModelSpec.of(kernel(side, stride)), digits).layers[0].output.size for stride in (1, 2))

    assert kept == (2, 8, 8)
    assert halved == (2, 4, 4)


def test_what_a_pool_leaves_behind_at_the_edge_is_not_seen() -> None:
    mnist = ex.load_dataset("mnist5k")
    spec = ex.ModelSpec.of({"kind": "maxpool", "size": 3}, FLATTEN, OUTPUT)  # 9 × 3 of 28 pixels

    assert plan(spec, mnist).layers[-1].receptive_field == (27, 27)
