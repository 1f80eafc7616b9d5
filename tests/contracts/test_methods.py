"""Every attribution method: one format, all checks, no traces."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import PARTS
from explorer.errors import SpecError, UnknownName


class Fuse(nn.Module):
    """Passes its input on a number of times, then breaks."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("blown")
        return x


def traces(model: nn.Module) -> dict[str, object]:
    """All that an explanation might leave behind."""
    return {
        "modes": [module.training for module in model.modules()],
        "hooks": [
            len(hooks)
            for module in model.modules()
            for hooks in (
                module._forward_hooks,
                module._forward_pre_hooks,
                module._backward_hooks,
                module._backward_pre_hooks,
            )
        ],
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in model.parameters()],
        "weights": [value.tolist() for value in model.state_dict().values()],
        "requires": [weight.requires_grad for weight in model.parameters()],
    }


def used(model: nn.Module) -> nn.Module:
    """The model as in the middle of training: mixed modes, and a gradient on its first weight."""
    model.train()
    list(model.modules())[2].eval()
    weight = next(model.parameters())
    weight.grad = torch.ones_like(weight)
    return model


@pytest.fixture(params=list(ex.METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_result_has_a_value_for_every_pixel_and_says_how_it_was_made(
    method: str, cnn: nn.Module, image: torch.Tensor
) -> None:
    result = ex.attribute(method, cnn, image, target=3)

    assert isinstance(result.values, np.ndarray)
    assert result.values.shape == image.shape[1:]
    assert np.isfinite(result.values).all()
    assert np.abs(result.values).max() > 0
    assert (result.method, result.target) == (method, 3)
    assert result.params == ex.METHODS.make(method).model_dump()
    with pytest.raises(FrozenInstanceError):
        result.target = 4  # type: ignore[misc]


def test_the_same_call_gives_the_same_values_and_another_class_others(
    method: str, cnn: nn.Module, image: torch.Tensor
) -> None:
    first, again, other = (ex.attribute(method, cnn, image, target=target).values for target in (3, 3, 5))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_it_leaves_no_hooks_modes_or_gradients(method: str, cnn: nn.Module, image: torch.Tensor) -> None:
    before = traces(used(cnn))

    ex.attribute(method, cnn, image, target=3)

    assert traces(cnn) == before
    assert image.grad is None
    assert not image.requires_grad


@pytest.mark.parametrize("times", [0, 1], ids=["at once", "halfway"])
def test_it_leaves_no_hooks_modes_or_gradients_after_an_error(
    method: str, times: int, cnn: nn.Module, image: torch.Tensor
) -> None:
    model = used(nn.Sequential(cnn, Fuse(times)))
    before = traces(model)

    with pytest.raises(RuntimeError, match="blown"):
        ex.attribute(method, model, image, target=3)

    assert traces(model) == before


def test_it_explains_the_model_as_it_answers_not_as_it_trains(
    method: str, digits: ex.Dataset, image: torch.Tensor
) -> None:
    spec = ex.ModelSpec.of(
        {"kind": "conv"}, {"kind": "relu"}, {"kind": "dropout", "share": 0.9}, {"kind": "flatten"}, {"kind": "output"}
    )
    model = ex.build(spec, digits)

    training, answering = (ex.attribute(method, model.train(mode), image, target=3).values for mode in (True, False))

    assert np.array_equal(training, answering)


@pytest.mark.parametrize("target", [-1, 10])
def test_a_class_that_is_not_there_is_refused(method: str, target: int, cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=f"Class {target} was asked for, but the model has classes 0 to 9"):
        ex.attribute(method, cnn, image, target=target)


def test_only_its_own_parameters_are_taken(method: str, cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=f"Attribution method '{method}': there is no field 'colour'"):
        ex.attribute(method, cnn, image, target=3, colour="red")


def test_it_explains_itself_and_all_its_fields(method: str) -> None:
    cls = ex.METHODS[method]

    assert len(cls.help()) > 30
    readings = {modality: cls.reading(modality) for modality in PARTS}
    assert all(len(reading) > 30 and "{" not in reading for reading in readings.values())
    assert not any("pixel" in readings[modality] or "black" in readings[modality] for modality in ("series", "vector"))
    assert all(field.description for field in cls.model_fields.values())


def test_an_unknown_method_lists_the_known_ones(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(UnknownName, match=r"no attribution method called 'guess'. Choose one of: .*occlusion"):
        ex.attribute("guess", cnn, image, target=3)
