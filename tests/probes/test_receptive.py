"""Receptive fields against gradients: the part of the input on which one output value depends."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable
from explorer.probes.receptive import path_to
from tests.samples import made_up

CONV = {"kind": "conv", "channels": 2}
END = [{"kind": "flatten"}, {"kind": "output"}]
MODELS = {
    "plain": [CONV, CONV],
    "strides and pools": [{**CONV, "kernel": 5, "stride": 2}, {"kind": "avgpool"}, CONV],
    "even kernels": [{**CONV, "kernel": 4}, {**CONV, "kernel": 2, "padding": "none"}],
    "an even kernel with a stride": [{**CONV, "kernel": 4, "stride": 2}, CONV],
    "residual": [{"kind": "residual", "channels": 2, "stride": 2}, {"kind": "residual", "channels": 2}],
    "a pool that leaves an edge": [CONV, {"kind": "avgpool", "size": 3}, CONV],
}


def opened(model: nn.Module) -> nn.Module:
    """The model with positive weights, so that no gradient is zero by chance or by a ReLU."""
    for weight in model.parameters():
        weight.data = weight.data.abs() + 0.01
    return model.eval()


def reached(model: nn.Module, x: torch.Tensor, layer: str, at: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last place, for each axis, to which a gradient of one output value reaches."""
    x = x.clone().requires_grad_()
    names = [name for name, _ in model.named_children()]
    out = model[: names.index(layer) + 1](x)
    (slope,) = torch.autograd.grad(out[(0, 0, *at)], x)
    there = slope[0].abs().sum(0) > 0
    places = there.nonzero()
    return [(int(low), int(high) + 1) for low, high in zip(places.amin(0), places.amax(0), strict=True)]


@pytest.mark.parametrize("shape", [(2, 13, 17), (2, 23)], ids=["image", "series"])
@pytest.mark.parametrize("layers", MODELS.values(), ids=MODELS)
def test_every_receptive_field_is_where_the_gradient_reaches(layers: list[dict], shape: tuple[int, ...]) -> None:
    dataset = made_up(*shape)
    model = opened(ex.build(ex.ModelSpec.of(*layers, *END), dataset))
    x = dataset.test.inputs[:1] + 1
    with ex.capture(model, [name for name, _ in model.named_children()]) as seen:
        model(x)
    for name in list(seen)[: len(layers)]:
        size, path = seen[name].shape[2:], path_to(model, x, name)
        for at in torch.cartesian_prod(*(torch.arange(side) for side in size)).reshape(-1, len(size)).tolist():
            assert list(path.field(tuple(at))) == reached(model, x, name, tuple(at))


def test_a_max_pool_may_see_all_of_its_window_and_looks_no_further(cnn: nn.Module, digits: ex.Dataset) -> None:
    path = path_to(cnn, digits.test.inputs[:1], "maxpool1")
    whole = [(8, 0), (8, 0)]
    for x in digits.test.inputs[:40, None]:
        found = reached(cnn, x, "maxpool1", (1, 2)) if cnn[:7](x)[0, 0, 1, 2] > 0 else whole
        whole = [(min(a, c), max(b, d)) for (a, b), (c, d) in zip(whole, found, strict=True)]
    assert list(path.field((1, 2))) == whole == [(0, 6), (2, 8)]


def test_the_sizes_are_those_of_the_plan(digits: ex.Dataset) -> None:
    made = ex.summarize(ex.preset("cnn", digits), digits).set_index("layer")["receptive_field"]
    model = ex.build(ex.preset("cnn", digits), digits)
    (top, bottom), (left, right) = path_to(model, digits.test.inputs[:1], "conv2").field((4, 4))
    assert f"{bottom - top}×{right - left}" == made["conv2"] == "5×5"


def test_behind_a_layer_that_sees_everything_all_of_the_image_is_seen(cnn: nn.Module, image: torch.Tensor) -> None:
    assert path_to(cnn, image, "linear1").field() == ((0, 8), (0, 8))
    assert path_to(cnn, image, "").field() == ((0, 8), (0, 8))


def test_what_has_no_receptive_field_says_so(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(NotApplicable, match="conv9 is not one of the model's own layers: conv1, "):
        path_to(cnn, image, "conv9")
    with pytest.raises(NotApplicable, match="this input is neither"):
        path_to(nn.Sequential(nn.Linear(3, 2)), torch.zeros(1, 3), "")
