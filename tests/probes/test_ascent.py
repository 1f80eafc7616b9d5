"""Climbing towards inputs whose best value is known beforehand, and the examples that come first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable
from explorer.probes.ascent import Bounds, Climb, Goal, Rules, bounds, climb, start
from explorer.probes.strongest import peaks

PLAIN = Rules(steps=400, decay=0, smoothness=0, jitter=0)
UNIT = Bounds(np.full((1, 1, 1), -1, np.float32), np.ones((1, 1, 1), np.float32))


def linear(weights: torch.Tensor) -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(weights.numel(), 1))
    model[1].weight.data = weights.reshape(1, -1).clone()
    return model


def whole(model: nn.Module, goal: Goal, rules: Rules, within: Bounds, shape: tuple[int, ...]) -> Climb:
    return climb(model, start(goal, rules, within, shape), within, rules.steps)


def test_of_a_linear_model_the_best_input_is_at_the_end_of_the_range_that_its_weights_point_to() -> None:
    weights = torch.randn(4, 5, generator=torch.manual_seed(0))
    found = whole(linear(weights), Goal("", 0), PLAIN, UNIT, (1, 4, 5))
    assert np.array_equal(found.x[0], weights.sign().numpy())
    assert found.scores[-1] == pytest.approx(weights.abs().sum().item() + linear(weights)[1].bias.item(), abs=1)
    assert found.done
    assert found.taken == 400


def test_with_decay_it_is_the_weights_themselves_scaled_and_cut_off() -> None:
    weights = torch.randn(4, 5, generator=torch.manual_seed(1))
    found = whole(linear(weights), Goal("", 0), replace(PLAIN, decay=3.0), UNIT, (1, 4, 5))
    slope = weights / weights.square().mean().sqrt()  # it balances decay · x / range, and the range is 2
    np.testing.assert_allclose(found.x[0], (2 * slope / 3).clamp(-1, 1), atol=0.002)


def test_smoothness_draws_neighbours_together() -> None:
    weights = torch.randn(6, 6, generator=torch.manual_seed(2))
    rough, smooth = (
        whole(linear(weights), Goal("", 0), replace(PLAIN, smoothness=s), UNIT, (1, 6, 6)).x for s in (0, 2.0)
    )
    assert np.abs(np.diff(smooth[0])).sum() < 0.5 * np.abs(np.diff(rough[0])).sum()


def test_the_middle_of_a_map_is_excited_by_the_filter_itself_and_nothing_else_changes() -> None:
    conv = nn.Conv2d(1, 2, 3, padding=1)
    model, goal = nn.Sequential(conv), Goal("0", 1)
    first = start(goal, PLAIN, UNIT, (1, 7, 7))
    found = climb(model, first, UNIT, 400).x[0]
    changed = np.argwhere(found != first.x[0])
    assert (changed.min(0).tolist(), changed.max(0).tolist()) == ([2, 2], [4, 4])
    assert np.array_equal(found[2:5, 2:5], conv.weight[1, 0].sign().detach().numpy())


def test_the_same_seed_climbs_to_the_same_however_many_steps_are_taken_at_once(
    cnn: nn.Module, digits: ex.Dataset
) -> None:
    within, goal, rules = bounds(digits.train.inputs), Goal("conv2", 3, True), Rules(steps=12, seed=5)
    at_once = whole(cnn, goal, rules, within, (1, 8, 8))
    slowly = start(goal, rules, within, (1, 8, 8))
    for count in (1, 4, 5, 9):
        slowly = climb(cnn, slowly, within, count)
    assert np.array_equal(at_once.x, slowly.x)
    assert at_once.scores == slowly.scores
    assert not np.array_equal(at_once.x, whole(cnn, goal, replace(rules, seed=6), within, (1, 8, 8)).x)


def test_a_class_of_a_trained_model_is_climbed_beyond_every_example_within_the_range_of_the_data(
    cnn: nn.Module, digits: ex.Dataset
) -> None:
    within = bounds(digits.train.inputs)
    found = whole(cnn, Goal("", 7), Rules(), within, (1, 8, 8))
    assert found.scores[-1] > cnn(digits.test.inputs)[:, 7].max()
    assert found.scores[-1] == pytest.approx(cnn(torch.from_numpy(found.x[None]))[0, 7].item(), abs=1e-4)
    assert (within.low <= found.x).all()
    assert (found.x <= within.high).all()


def test_the_model_is_left_as_it_was(cnn: nn.Module, digits: ex.Dataset) -> None:
    cnn.train()
    whole(cnn, Goal("conv1", 0), Rules(steps=2), bounds(digits.train.inputs), (1, 8, 8))
    assert cnn.training
    assert all(weight.grad is None for weight in cnn.parameters())
    assert not any(module._forward_hooks for module in cnn.modules())


def test_each_column_of_a_table_has_bounds_of_its_own() -> None:
    found = bounds(torch.tensor([[0.0, 5.0, 1.0], [2.0, 3.0, 1.0]]))
    assert found.low.tolist() == [0, 3, 1]
    assert found.high[:2].tolist() == [2, 5]
    assert found.high[2] > 1


def test_a_goal_that_is_silent_or_not_there_says_so(cnn: nn.Module) -> None:
    with pytest.raises(NotApplicable, match="conv1 has 8 channels; there is no 8"):
        whole(cnn, Goal("conv1", 8), PLAIN, UNIT, (1, 8, 8))
    silent = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.ReLU())
    silent[1].bias.data.fill_(-100.0)
    with pytest.raises(NotApplicable, match="the gradient is zero"):
        whole(silent, Goal("", 0), PLAIN, UNIT, (1, 2, 2))


def test_the_examples_that_come_first_and_their_places_are_those_found_one_by_one(
    cnn: nn.Module, digits: ex.Dataset
) -> None:
    x = digits.test.inputs[:60]
    found = peaks(cnn, x, "relu2")
    assert found.values.shape == (60, 16)
    assert found.places.shape == (60, 16, 2)
    for n in range(60):
        with ex.capture(cnn, ["relu2"]) as seen:
            cnn(x[n : n + 1])
        channel = seen["relu2"][0, 5].numpy()
        assert found.values[n, 5] == pytest.approx(channel.max(), abs=1e-5)
        assert channel[tuple(found.places[n, 5])] == pytest.approx(channel.max(), abs=1e-5)
    order = found.first(5)
    assert len(order) == 9
    assert found.values[order, 5].tolist() == sorted(found.values[:, 5], reverse=True)[:9]


@pytest.mark.parametrize("name", ["embedding1", "gru1"])
def test_in_a_sequence_the_strongest_place_is_none_of_the_padding(name: str) -> None:
    words = ex.load_dataset("evidence_words")
    layers = (
        {"kind": "embedding", "size": 6},
        {"kind": "gru", "units": 5, "output": "all"},
        {"kind": "last"},
        {"kind": "output"},
    )
    model = ex.build(ex.ModelSpec.of(*layers), words, seed=1).eval()
    x = words.test.inputs[:40]
    assert (x == 0).any()
    found = peaks(model, x, name, known=x != 0)
    for n in range(40):
        with ex.capture(model, [name]) as seen:
            model(x[n : n + 1])
        here = seen[name][0, : int((x[n] != 0).sum())]  # padding stands at the end
        assert found.values[n].tolist() == pytest.approx(here.amax(0).tolist(), abs=1e-5)
        assert found.places[n, :, 0].tolist() == here.argmax(0).tolist()


def test_a_unit_of_a_sequence_is_climbed_at_its_middle_place() -> None:
    conv = nn.Conv1d(1, 3, 1, bias=False)
    model, goal = nn.Sequential(conv, Turned()), Goal("1", 2, sequence=True)
    first = start(goal, PLAIN, Bounds(UNIT.low[0], UNIT.high[0]), (1, 7))
    found = climb(model, first, Bounds(UNIT.low[0], UNIT.high[0]), 400).x[0]
    assert np.flatnonzero(found != first.x[0]).tolist() == [3]
    assert found[3] == np.sign(conv.weight[2, 0, 0].item())


class Turned(nn.Module):
    """(N, C, L) → (N, L, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2)


def test_of_answers_there_is_a_value_but_no_place(cnn: nn.Module, digits: ex.Dataset) -> None:
    found = peaks(cnn, digits.test.inputs[:20])
    np.testing.assert_allclose(found.values, cnn(digits.test.inputs[:20]).detach(), atol=1e-5)
    assert found.places.shape == (20, 10, 0)
