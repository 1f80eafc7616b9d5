"""Counterfactuals: as far as a linear model's boundary, as near as a slow search by the book, and within the data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.data.assemble import assemble
from explorer.data.own import read_table
from explorer.errors import NotApplicable, SpecError
from explorer.flips import Room, counterfactual, room_of
from explorer.flips.nearest import onto
from explorer.probes import TwoClasses
from tests.contracts.test_methods import traces, used
from tests.samples import made_up


def linear(inputs: int, outputs: int) -> nn.Linear:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Linear(inputs, outputs)


def wide(shape: tuple[int, ...], end: float = 100.0) -> Room:
    return Room(torch.full(shape, -end), torch.full(shape, end), torch.ones(shape, dtype=torch.bool))


def distances(model: nn.Linear, x: torch.Tensor, target: int) -> tuple[float, float]:
    """How far the boundary to a class is, by hand: margin over the largest weight, and over the norm of the weights."""
    source = int(model(x).argmax())
    weights = (model.weight[target] - model.weight[source]).detach()
    margin = float((model(x)[0, source] - model(x)[0, target]).detach())
    return margin / float(weights.abs().max()), margin / float(weights.norm())


@pytest.mark.parametrize("seed", range(3))
def test_of_a_linear_model_it_goes_as_far_as_the_boundary_is(seed: int) -> None:
    model, x = linear(5, 2), torch.randn(1, 5, generator=torch.Generator().manual_seed(seed))
    sum_of_changes, length = distances(model, x, 1 - int(model(x).argmax()))

    few, short = (counterfactual(model, x, room=wide((1, 5)), norm=norm) for norm in ("l1", "l2"))

    assert few.flipped
    assert short.flipped
    assert few.l1 == pytest.approx(sum_of_changes, rel=0.01, abs=0.005)
    assert few.places.sum() == 1, "the nearest point by the sum of changes moves the steepest value alone"
    assert short.l2 == pytest.approx(length, rel=0.01, abs=0.005)


def test_of_two_classes_with_one_logit_it_is_that_logit_over_the_norm_of_its_weights() -> None:
    model, x = linear(4, 1), torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    by_hand = abs(float(model(x).detach())) / float(model.weight.detach().norm())

    found = counterfactual(TwoClasses(model), x, room=wide((1, 4)), norm="l2")

    assert found.l2 == pytest.approx(by_hand, rel=0.01)
    assert found.after == pytest.approx([0.5, 0.5], abs=0.001)


def test_a_lead_is_kept_by_as_much_as_was_asked_for() -> None:
    model, x = linear(5, 3), torch.ones(1, 5)

    found = counterfactual(model, x, room=wide((1, 5)), norm="l2", lead=2.0)

    assert found.flipped
    assert found.lead == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_nearest_point_in_a_box_is_what_scipy_finds(norm: str) -> None:
    from scipy.optimize import linprog, minimize

    random = np.random.default_rng(0)
    slope, x = random.normal(size=6), random.uniform(0.2, 0.8, 6)
    gain = 0.6 * float(np.maximum(slope * (1 - x), -slope * x).sum())
    if norm == "l1":  # the change as a difference of two positive parts
        ends = [(0, 1 - v) for v in x] + [(0, v) for v in x]
        best = linprog(np.ones(12), A_ub=-np.concatenate([slope, -slope])[None], b_ub=[-gain], bounds=ends).fun
    else:
        ends = list(zip(-x, 1 - x, strict=True))
        enough = {"type": "ineq", "fun": lambda d: slope @ d - gain}
        best = minimize(lambda d: d @ d, np.zeros(6), bounds=ends, constraints=enough, tol=1e-12).fun ** 0.5

    tensors = (torch.from_numpy(values)[None] for values in (x, slope))
    change = onto(*tensors, gain, torch.zeros(1, 6), torch.ones(1, 6), norm)[0].numpy()

    assert slope @ change == pytest.approx(gain)
    assert (x + change).min() >= 0
    assert (x + change).max() <= 1
    assert (np.abs(change).sum() if norm == "l1" else np.linalg.norm(change)) == pytest.approx(best, rel=1e-4)


def by_the_book(model: nn.Module, x: torch.Tensor, target: int, norm: str) -> float:
    """Wachter et al. (2017): the distance plus a loss that counts more or less, minimised by Adam; the best length."""
    weights, best = torch.tensor([0.3, 1.0, 3.0, 10.0]), np.inf
    points = x.repeat(len(weights), 1, 1, 1).requires_grad_()
    adam = torch.optim.Adam([points], 0.01)
    for _ in range(200):
        logits = model(points)
        behind = torch.cat([logits[:, :target], logits[:, target + 1 :]], 1).amax(1) - logits[:, target]
        change = (points - x).flatten(1)
        far = change.abs().sum(1) if norm == "l1" else change.square().sum(1)
        if (behind < 0).any():
            best = min(best, float((far if norm == "l1" else far.sqrt())[behind < 0].min().detach()))
        adam.zero_grad()
        (far + weights * behind.clamp(min=0)).sum().backward()
        adam.step()
        with torch.no_grad():
            points.clamp_(0, 1)
    return best


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_of_a_network_it_is_at_least_as_near_as_a_slow_search_by_the_book(
    norm: str, cnn: nn.Module, digits: ex.Dataset
) -> None:
    x = digits.test.inputs[:1]
    found = counterfactual(cnn, x, room=room_of(digits), norm=norm)

    assert found.flipped
    assert 0 <= found.changed.min() <= found.changed.max() <= 1
    assert (found.l1 if norm == "l1" else found.l2) <= 1.05 * by_the_book(cnn, x, found.target, norm)


def test_the_model_itself_answers_as_the_result_says(cnn: nn.Module, digits: ex.Dataset) -> None:
    for target in (0, 3):
        x = digits.test.inputs[1:2]
        found = counterfactual(cnn, x, target, room=room_of(digits))

        assert found.flipped
        assert ex.predict(cnn, torch.from_numpy(found.changed)[None]).answer == target == found.answer
        assert ex.predict(cnn, x).answer == found.source
        asked = ex.predict(cnn, torch.from_numpy(found.changed)[None])
        assert found.after == pytest.approx(asked.probabilities, abs=1e-5)
        assert found.change == pytest.approx(found.changed - x[0].numpy())
    with pytest.raises(FrozenInstanceError):
        found.flipped = False  # type: ignore[misc]


def test_where_the_range_of_the_data_is_too_small_it_says_how_close_it_came() -> None:
    model, x = linear(5, 2), torch.ones(1, 5)
    logits = model(x).detach()[0]
    gained = 0.01 * float((model.weight[1] - model.weight[0]).detach().abs().sum())

    found = counterfactual(model, x, room=replace(wide((1, 5)), low=x - 0.01, high=x + 0.01))

    assert not found.flipped
    assert found.answer == found.source
    assert found.lead == pytest.approx(gained - float(logits.max() - logits.min()), abs=1e-3)


class _Far(nn.Module):
    """Class 1 leads above 2 only; below, nothing says where to go."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        led = torch.where(x > 2, x - 2, 0 * x - 1)
        return torch.cat([torch.zeros_like(led), led], 1)


def test_where_gradients_say_nothing_it_starts_from_an_example_at_which_the_class_leads() -> None:
    x, room = torch.tensor([[1.0]]), wide((1, 1))

    alone = counterfactual(_Far(), x, room=room)
    shown = counterfactual(_Far(), x, room=replace(room, examples=torch.tensor([[0.0], [9.0], [5.0]])))

    assert not alone.flipped
    assert shown.flipped
    assert shown.l1 == pytest.approx(1.0, abs=0.01)


def test_it_leaves_no_hooks_modes_or_gradients(cnn: nn.Module, image: torch.Tensor, digits: ex.Dataset) -> None:
    before = traces(used(cnn))

    first = counterfactual(cnn, image, room=room_of(digits))

    assert traces(cnn) == before
    assert np.array_equal(first.changed, counterfactual(cnn, image, room=room_of(digits)).changed)


def test_what_cannot_be_asked_is_refused_in_words(cnn: nn.Module, image: torch.Tensor, digits: ex.Dataset) -> None:
    room = room_of(digits)
    with pytest.raises(SpecError, match="Class 10 was asked for, but the model has classes 0 to 9"):
        counterfactual(cnn, image, 10, room=room)
    with pytest.raises(SpecError, match=r"answers class \d already"):
        counterfactual(cnn, image, ex.predict(cnn, image).answer, room=room)
    with pytest.raises(NotApplicable, match="one output"):
        counterfactual(linear(4, 1), torch.ones(1, 4), room=wide((1, 4)))
    with pytest.raises(NotApplicable, match="Words have no range"):
        room_of(made_up(6, tokens=9))


# -- tables -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> ex.Dataset:
    """A table of one's own: a measure with missing values, whole years, and two categories, one of two values."""
    random = np.random.default_rng(0)
    rows = 200
    frame = pd.DataFrame(
        {
            "height": random.normal(170.0, 10.0, rows).round(1),
            "weight": np.where(random.random(rows) < 0.2, np.nan, random.normal(70.0, 9.0, rows).round(1)),
            "years": random.integers(18, 60, rows),
            "visits": np.where(random.random(rows) < 0.2, np.nan, random.integers(0, 9, rows)),
            "town": random.choice(["Ulm", "Bonn", "Kiel"], rows),
            "sex": random.choice(["f", "m"], rows),
        }
    )
    frame["group"] = np.where(frame["years"] + 20 * (frame["town"] == "Ulm") > 45, "a", "b")
    return assemble(
        read_table(frame, "group").table,
        name="people",
        title="People",
        about="Made up.",
        source="here",
        licence="none",
        modality="vector",
        task="binary",
    )


def test_the_columns_of_a_table_are_told_apart(people: ex.Dataset) -> None:
    room, names = room_of(people), people.features

    assert [names[n] for n in np.flatnonzero(room.free[0])] == ["height", "weight"]
    assert [[names[n] for n in group] for group in room.groups] == [["town = Bonn", "town = Kiel", "town = Ulm"]]
    assert [names[n] for n in room.whole] == ["years", "visits", "sex = m"]
    assert [(names[n], names[flag]) for n, flag in room.flags] == [
        (name, f"{name} is missing") for name in ("weight", "visits")
    ]


def test_whole_numbers_stay_whole_and_of_each_category_one_value_is_true(people: ex.Dataset) -> None:
    model = TwoClasses(nn.Linear(len(people.features), 1))
    for _ in range(60):  # logistic regression, by hand
        logits = model(people.train.inputs)
        loss = nn.functional.cross_entropy(logits, people.train.targets)
        for weight, slope in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True):
            weight.data -= slope
    town, years = (people.features.index(name) for name in ("town = Bonn", "years"))
    room, turned = room_of(people), 0
    for example in range(12):
        x = people.test.inputs[example : example + 1]
        found = counterfactual(model, x, room=room)
        values = people.unscaled(torch.from_numpy(found.changed)[None])[0]

        assert found.flipped
        assert values[years] == pytest.approx(round(values[years]), abs=1e-3)
        assert sorted(values[town : town + 3]) == pytest.approx([0, 0, 1], abs=1e-5)
        for number, missing in room.flags:
            assert not found.places[missing]
            if x[0, missing] > 0:
                assert not found.places[number], "a number that is missing stays missing"
        turned += bool(found.places[[years, town, town + 1, town + 2]].any())
    assert turned > 6


def test_no_whole_number_or_category_is_changed_needlessly(people: ex.Dataset) -> None:
    model, room = TwoClasses(linear(len(people.features), 1)), room_of(people)
    for example in range(6):
        x = people.test.inputs[example : example + 1]
        found = counterfactual(model, x, room=room)
        for columns in (*([column] for column in room.whole), *map(list, room.groups)):
            if found.places[columns].any():
                without = torch.from_numpy(found.changed.copy())[None]
                without[:, columns] = x[:, columns]
                assert ex.predict(model, without).answer != found.target
