"""The memory layout of convolution weights while they are trained."""

from __future__ import annotations

import pytest
import torch

import explorer as ex
from explorer.training.layout import channels_last


def strides(model: torch.nn.Module) -> list[tuple[int, ...]]:
    return [weight.stride() for weight in model.parameters()]


@pytest.fixture
def model(digits: ex.Dataset) -> torch.nn.Module:
    return ex.build(ex.preset("cnn", digits), digits)


def test_values_stay_while_the_layout_changes_even_with_one_channel(model: torch.nn.Module) -> None:
    before = [weight.clone() for weight in model.parameters()]
    with channels_last(model, torch.device("cpu")):
        assert model.conv1.weight.stride() == (9, 1, 3, 1)  # (16, 1, 3, 3)
        assert model.conv2.weight.stride() == (144, 1, 48, 16)  # (32, 16, 3, 3)
        assert all(map(torch.equal, before, model.parameters()))
    assert all(map(torch.equal, before, model.parameters()))


def test_the_usual_layout_is_back_after_an_error(model: torch.nn.Module) -> None:
    before = strides(model)
    with pytest.raises(RuntimeError), channels_last(model, torch.device("cpu")):
        raise RuntimeError
    assert strides(model) == before


def test_a_trained_model_answers_to_the_last_bit_as_one_rebuilt_from_its_weights(
    model: torch.nn.Module, tiny: ex.Dataset
) -> None:
    for _ in ex.train(model, tiny, ex.TrainSpec(epochs=1, device="cpu")):
        pass
    rebuilt = ex.build(ex.preset("cnn", tiny), tiny, seed=1)
    rebuilt.load_state_dict(model.state_dict())
    images = tiny.test.inputs[:32]
    assert torch.equal(model.eval()(images), rebuilt.eval()(images))
