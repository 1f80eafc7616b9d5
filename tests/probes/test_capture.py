"""Capture: what a layer puts out, seen without leaving a trace."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.errors import UnknownName
from explorer.probes import capture

RESNET = ex.ModelSpec.of(
    {"kind": "conv", "channels": 3},
    {"kind": "residual", "channels": 3},
    {"kind": "residual", "channels": 5, "stride": 2},
    {"kind": "globalpool"},
    {"kind": "output"},
)


def residual_by_hand(block: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every step inside a residual block in eval mode, written out with torch's functions."""

    def norm(layer: nn.BatchNorm2d, x: torch.Tensor) -> torch.Tensor:
        return F.batch_norm(x, layer.running_mean, layer.running_var, layer.weight, layer.bias, eps=layer.eps)

    stride = block.conv1.stride
    seen = {"conv1": F.conv2d(x, block.conv1.weight, stride=stride, padding=1)}
    seen["norm1"] = norm(block.norm1, seen["conv1"])
    seen["relu1"] = seen["norm1"].clamp(min=0)
    seen["conv2"] = F.conv2d(seen["relu1"], block.conv2.weight, padding=1)
    seen["norm2"] = norm(block.norm2, seen["conv2"])
    seen["skip"] = x if isinstance(block.skip, nn.Identity) else F.conv2d(x, block.skip.weight, stride=stride)
    seen["relu2"] = (seen["norm2"] + seen["skip"]).clamp(min=0)
    return seen


def by_hand(model: nn.Sequential, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The output of every named module, got by calling the layers one after another."""
    seen = {}
    model.eval()
    with torch.no_grad():
        for name, layer in model.named_children():
            if name.startswith("residual"):
                inside = residual_by_hand(layer, x)
                seen |= {f"{name}.{inner}": output for inner, output in inside.items()}
            x = seen[name] = layer(x)
    return seen


def trained(spec: ex.ModelSpec, dataset: ex.Dataset) -> nn.Sequential:
    model = ex.build(spec, dataset)
    list(ex.train(model, dataset, ex.TrainSpec(epochs=1)))
    return model


def traces(model: nn.Module) -> tuple[list[bool], list[int], list[int | None]]:
    """Modes, hooks, and which gradient tensor each weight holds."""
    return (
        [module.training for module in model.modules()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        [None if weight.grad is None else id(weight.grad) for weight in model.parameters()],
    )


@pytest.mark.parametrize("family", ["mlp", "cnn", "resnet"])
def test_every_named_layer_is_seen_as_if_called_by_hand(family: str, tiny: ex.Dataset) -> None:
    model = trained(RESNET if family == "resnet" else ex.preset(family, tiny), tiny)
    names = [name for name, _ in model.named_modules() if name]
    x = tiny.test.inputs[:5]

    with torch.no_grad(), capture(model, names) as seen:
        model(x)

    expected = by_hand(model, x)
    assert set(seen) == set(expected) == set(names)
    for name in names:
        assert torch.equal(seen[name], expected[name]), name


def test_what_is_seen_is_a_copy_of_ones_own() -> None:
    model = nn.Sequential(OrderedDict(twice=nn.Linear(2, 2, bias=False), relu=nn.ReLU(inplace=True)))
    model.twice.weight.data = 2 * torch.eye(2)

    with capture(model, ["twice", "relu"]) as seen:
        model(torch.tensor([[1.0, -1.0]]))

    assert seen["twice"].tolist() == [[2, -2]]  # although the next layer works in place
    assert seen["relu"].tolist() == [[2, 0]]
    assert not seen["twice"].requires_grad


def test_only_what_was_asked_for_is_kept_and_the_last_call_counts(cnn: nn.Module, digits: ex.Dataset) -> None:
    with capture(cnn, ["conv1"]) as seen:
        cnn(digits.test.inputs[:2])
        cnn(digits.test.inputs[2:5])

    assert list(seen) == ["conv1"]
    assert torch.equal(seen["conv1"], cnn.conv1(digits.test.inputs[2:5]))


def test_capture_restores_modes_hooks_and_gradients(cnn: nn.Module, image: torch.Tensor) -> None:
    cnn.train()
    cnn.batchnorm1.eval()
    cnn(image.repeat(2, 1, 1, 1)).sum().backward()
    gradient = cnn.conv1.weight.grad.clone()
    before = traces(cnn)

    with capture(cnn, ["conv1"]):
        assert not any(module.training for module in cnn.modules())
        cnn(image).sum().backward()

    assert traces(cnn) == before
    assert torch.equal(cnn.conv1.weight.grad, gradient)


def test_capture_restores_modes_hooks_and_gradients_after_an_error(cnn: nn.Module, image: torch.Tensor) -> None:
    cnn.train()
    before = traces(cnn)

    with pytest.raises(RuntimeError, match="mat1 and mat2"), capture(cnn, ["conv1", "output1"]):
        cnn(image.repeat(1, 1, 2, 2))  # an image of another size gets as far as the first linear layer

    assert traces(cnn) == before


def test_an_unknown_layer_lists_the_known_ones_and_hooks_nothing(cnn: nn.Module) -> None:
    cnn.train()
    before = traces(cnn)

    with (
        pytest.raises(UnknownName, match=r"no layer in this model called 'conv9'\. Choose one of: conv1, batchnorm1, "),
        capture(cnn, ["conv1", "conv9"]),
    ):
        pass

    assert traces(cnn) == before


def test_looking_does_not_change_the_answers(cnn: nn.Module, digits: ex.Dataset) -> None:
    expected = cnn(digits.test.inputs)

    with capture(cnn.train(), ["conv1", "relu3"]):
        watched = cnn(digits.test.inputs)

    assert torch.equal(watched, expected)
    assert torch.equal(cnn.eval()(digits.test.inputs), expected)


def test_of_several_tensors_the_first_is_seen() -> None:
    model = nn.Sequential(nn.GRU(3, 4, batch_first=True))
    x = torch.rand(2, 5, 3)

    with ex.capture(model, ["0"]) as seen:
        model(x)

    assert torch.equal(seen["0"], model[0](x)[0])
