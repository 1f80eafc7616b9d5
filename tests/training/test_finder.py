"""The learning rate range test: the rate rises, the test ends by itself, and what it suggests works."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.errors import Diverged
from explorer.training import EpochDone, RangeTest, StepDone, Training, suggest
from explorer.training.finder import HIGHEST, LOWEST, STEPS, WORSE, rate_at, smooth
from tests.samples import cut, made_up

PLACES = np.linspace(-6, 1, STEPS)
RATES = 10**PLACES
NARROW = ex.ModelSpec.of({"kind": "flatten"}, {"kind": "linear", "units": 16}, {"kind": "relu"}, {"kind": "output"})


def steps(training: Training) -> list[StepDone]:
    return [event for event in training if isinstance(event, StepDone)]


def network(digits: ex.Dataset, spec: ex.TrainSpec | None = None) -> RangeTest:
    return RangeTest(ex.build(NARROW, digits), digits, spec)


def test_the_rate_rises_by_one_factor_from_the_lowest_to_the_highest(digits: ex.Dataset) -> None:
    events = steps(network(digits))

    assert [event.rate for event in events] == [rate_at(number) for number in range(len(events))]
    assert (rate_at(0), rate_at(STEPS - 1)) == (LOWEST, pytest.approx(HIGHEST))
    factors = [later.rate / earlier.rate for earlier, later in pairwise(events)]
    assert factors == pytest.approx([(HIGHEST / LOWEST) ** (1 / (STEPS - 1))] * len(factors))


def test_it_ends_with_the_first_step_whose_running_mean_is_four_times_its_smallest(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("mlp", digits), digits)
    losses = [event.loss for event in steps(RangeTest(model, digits))]
    means, mean = [], 0.0
    for number, loss in enumerate(losses, 1):
        mean = 0.9 * mean + 0.1 * loss
        means.append(mean / (1 - 0.9**number))

    assert len(losses) < STEPS
    ended = [mean > WORSE * min(means[: number + 1]) for number, mean in enumerate(means)]
    assert ended == [False] * (len(losses) - 1) + [True]


def test_a_loss_that_explodes_is_the_end_and_no_failure() -> None:
    data = made_up(4, task="regression", examples=40)
    model = ex.build(ex.preset("mlp", data), data)
    for weight in model.parameters():
        weight.data *= 1e6
    with pytest.raises(Diverged):
        list(ex.train(ex.build(ex.preset("mlp", data), data), data, ex.TrainSpec(optimizer="sgd", learning_rate=1e9)))

    events = list(RangeTest(model, data, ex.TrainSpec(optimizer="sgd", momentum=0.99)))

    assert 0 < len(events) < STEPS
    assert all(math.isfinite(event.loss) for event in events)


def test_a_model_that_nothing_breaks_goes_up_to_the_highest_rate(digits: ex.Dataset) -> None:
    training = network(digits)
    for weight in training.model.parameters():
        weight.register_hook(torch.zeros_like)

    events = steps(training)

    assert len(events) == STEPS == training.total_steps
    assert suggest([event.rate for event in events], [event.loss for event in events]) is None


@pytest.mark.parametrize(("examples", "batch"), [(7, 4), (30, 64), (1, 1), (33, 32)])
def test_batches_wrap_around_the_data_and_none_is_cut(examples: int, batch: int, digits: ex.Dataset) -> None:
    data = cut(digits, examples)
    training = network(data, ex.TrainSpec(batch_size=batch, epochs=1))
    events = steps(training)

    assert {event.samples for event in events} == {min(examples, batch)}
    seen = torch.bincount(training.rows[: training.at], minlength=examples)
    assert seen.max() - seen.min() <= 1  # every example as often as any other


def test_epochs_schedules_warm_up_patience_and_changed_images_make_no_difference(digits: ex.Dataset) -> None:
    data = cut(digits, 100)
    plain = list(network(data))
    other = ex.TrainSpec(
        epochs=99, learning_rate=3, schedule="cosine", warmup=20, patience=1, noise=1, shift=2, rotate=90, erase=0.5
    )
    events = list(network(data, other))

    assert [event.loss for event in events] == [event.loss for event in plain]
    assert not [event for event in events if isinstance(event, EpochDone)]


@pytest.mark.parametrize("events", [1, 40, 100])
def test_going_on_from_a_saved_state_is_like_never_having_stopped(events: int, digits: ex.Dataset) -> None:
    whole = steps(network(digits))
    begun = network(digits)
    seen = [event for event in islice(begun, events) if isinstance(event, StepDone)]
    state = begun.state()
    begun.close()
    model = ex.build(NARROW, digits, seed=9)
    rest = steps(RangeTest(model, digits, resume=state))

    assert [event.loss for event in seen + rest] == [event.loss for event in whole]
    assert next(model.parameters()).device.type == "cpu"


# -- the suggestion ---------------------------------------------------------------------------------------------------


def sigmoid(middle: float, fall: float = 1.5, width: float = 0.4) -> np.ndarray:
    """A loss that falls most steeply at a place, given as a power of ten, and explodes two powers later."""
    loss = 2.3 - fall / (1 + np.exp(-(PLACES - middle) / width))
    return loss + 50 * np.maximum(0, PLACES - middle - 2) ** 2


@pytest.mark.parametrize("middle", [-4.0, -3.0, -2.2, -1.0])
def test_the_steepest_descent_of_a_known_curve_is_found(middle: float) -> None:
    found = suggest(RATES, sigmoid(middle))

    assert found.rule == "steepest"
    assert abs(math.log10(found.rate) - middle) < 0.1
    assert found.loss == pytest.approx(2.3 - 0.75, abs=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_noise_moves_it_by_less_than_half_a_power_of_ten(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, STEPS)

    assert abs(math.log10(suggest(RATES, sigmoid(-3) + noise).rate) + 3) < 0.5


def test_a_steeper_fall_behind_the_smallest_loss_does_not_count() -> None:
    loss = sigmoid(-3)
    loss[-10:] = np.linspace(200, 3, 10)  # it falls faster here, but from where everything had exploded

    assert abs(math.log10(suggest(RATES, loss).rate) + 3) < 0.1


def test_where_it_falls_too_little_a_tenth_of_the_rate_of_the_smallest_loss_is_taken() -> None:
    loss = 2.3 - 0.3 * np.exp(-((PLACES + 2) ** 2) / 0.5)  # smallest at 0.01, by 13 % of the first

    found = suggest(RATES, loss)

    assert found.rule == "tenth"
    assert found.rate == pytest.approx(1e-3, rel=0.1)


@pytest.mark.parametrize("loss", [np.full(STEPS, 2.3), 2.3 - 0.1 * (PLACES > -3), 1 + np.exp(PLACES)])
def test_where_nothing_falls_nothing_is_suggested(loss: np.ndarray) -> None:
    assert suggest(RATES, loss) is None


def test_one_or_two_steps_suggest_nothing() -> None:
    assert suggest(RATES[:2], [2.0, 1.0]) is None


def test_averaging_shifts_nothing_and_keeps_what_is_constant() -> None:
    assert smooth([3.0] * 9) == pytest.approx([3.0] * 9)
    peak = np.ones(41)
    peak[20] = 5.0
    averaged = smooth(peak)
    assert averaged.argmax() == 20
    np.testing.assert_allclose(averaged, averaged[::-1])
    # Of weights exp(-d²/18), the middle one is 1 / 7.52 of all: 5 counts as 5 ** (1 / 7.52).
    assert averaged[20] == pytest.approx(5 ** (1 / 7.5199), rel=1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("family", "name"), [("mlp", "breast_cancer"), ("mlp", "digits")])
def test_the_suggested_rate_trains_much_better_than_a_hundredth_of_it(family: str, name: str, optimizer: str) -> None:
    data = ex.load_dataset(name)
    spec = ex.preset(family, data, width=8)
    settings = ex.TrainSpec(optimizer=optimizer, epochs=3)
    events = steps(RangeTest(ex.build(spec, data), data, settings))
    found = suggest([event.rate for event in events], [event.loss for event in events])
    losses = []
    for rate in (found.rate, found.rate / 100):
        trained = ex.train(ex.build(spec, data), data, settings.model_copy(update={"learning_rate": rate}))
        losses.append([event for event in trained if isinstance(event, EpochDone)][-1].validation["loss"])

    assert losses[0] < 0.75 * losses[1]
