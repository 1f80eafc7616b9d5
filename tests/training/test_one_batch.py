"""One batch: what can learn learns it by heart, what cannot is told apart, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.data import Split
from explorer.specs import Change, RunSpec
from explorer.training import EpochDone, OneBatch, StepDone, task_of
from explorer.training.one_batch import STEPS, judge
from explorer.training.purposes import planned_steps, suited
from tests.samples import made_up

STARTERS = [
    ("mlp", "digits", {"width": 32}, 8),
    ("mlp", "diabetes", {"width": 32}, 8),
    ("mlp", "breast_cancer", {"width": 16}, 8),
    ("cnn", "digits", {"width": 4}, 8),
    ("rnn", "surnames", {"width": 16}, 8),
    ("attention", "surnames", {"width": 16}, 8),
    ("transformer", "surnames", {"width": 16}, 8),
    ("transformer", "digits", {"width": 16}, 8),
    ("seq2seq_transformer", "dates", {"width": 16}, 4),
]
"""Small variants of the starters, each on its data."""


def tried(family: str, name: str, sizes: dict[str, int], **settings: Any) -> tuple[OneBatch, list[StepDone]]:
    data = ex.load_dataset(name)
    spec = ex.preset_training(family, data).model_copy(update={"learning_rate": 0.01, **settings})
    training = OneBatch(ex.build(ex.preset(family, data, **sizes), data), data, spec)
    return training, [event for event in training if isinstance(event, StepDone)]


@pytest.mark.parametrize(("family", "name", "sizes", "batch"), STARTERS)
def test_every_family_learns_a_batch_of_its_data(family: str, name: str, sizes: dict[str, int], batch: int) -> None:
    training, events = tried(family, name, sizes, batch_size=batch)
    last = events[-1]
    verdict = judge(training.task, [event.loss for event in events], last.metrics | {"loss": last.loss}, {})

    assert verdict.learned
    assert verdict.step == len(events) < STEPS
    assert all(event.samples == batch for event in events)


def test_a_rate_that_moves_nothing_learns_nothing() -> None:
    training, events = tried("mlp", "digits", {"width": 16}, batch_size=8, learning_rate=1e-9)
    verdict = judge(training.task, [event.loss for event in events], events[-1].metrics, {})

    assert not verdict.learned
    assert not verdict.falling
    assert len(events) == STEPS
    assert verdict.last == pytest.approx(verdict.first, rel=1e-3)


def test_it_ends_with_the_first_step_that_is_good_enough(digits: ex.Dataset) -> None:
    _, events = tried("mlp", "digits", {"width": 32}, batch_size=8)
    good = [event.loss <= 0.02 and event.metrics["accuracy"] == 1 for event in events]

    assert good == [False] * (len(events) - 1) + [True]


def test_what_keeps_from_learning_by_heart_is_off_and_the_same_examples_come_again() -> None:
    data = ex.load_dataset("surnames")
    given = ex.TrainSpec(weight_decay=1, label_smoothing=0.5, schedule="cosine", warmup=9, patience=1, batch_size=6)
    training = OneBatch(ex.build(ex.preset("rnn", data, width=8), data), data, given)

    assert {module.p for module in training.model.modules() if isinstance(module, nn.Dropout)} == {0.0}
    used = training.spec
    assert (used.weight_decay, used.label_smoothing, used.schedule, used.warmup, used.patience) == (
        0.0,
        0.0,
        "constant",
        0,
        0,
    )
    assert torch.equal(training.dataset.train.inputs, data.train.inputs[:6])
    losses = [event.loss for event in training if isinstance(event, StepDone)]
    assert not [event for event in training if isinstance(event, EpochDone)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)  # nothing is drawn by chance: the loss glides down


def test_a_batch_of_one_and_a_batch_larger_than_the_data_are_learned_too() -> None:
    data = made_up(5, examples=6)
    model = ex.ModelSpec.of({"kind": "linear", "units": 32}, {"kind": "relu"}, {"kind": "output"})
    for batch, used in ((1, 1), (64, 6)):
        spec = ex.TrainSpec(batch_size=batch, learning_rate=0.03)
        events = [event for event in OneBatch(ex.build(model, data), data, spec) if isinstance(event, StepDone)]
        assert events[-1].samples == used
        assert events[-1].loss <= 0.02


def test_values_that_are_all_the_same_can_be_learned() -> None:
    data = made_up(5, examples=6, task="regression")
    data = replace(data, train=Split(data.train.inputs, torch.full((6,), 0.5), data.train.rows))
    model = ex.ModelSpec.of({"kind": "linear", "units": 16}, {"kind": "relu"}, {"kind": "output"})
    events = list(OneBatch(ex.build(model, data), data, ex.TrainSpec(learning_rate=0.03)))

    assert len(events) < STEPS
    assert events[-1].loss < 1e-4


def test_contradictory_targets_cannot_be_learned() -> None:
    data = made_up(5, examples=6)
    twins = data.train.inputs[:1].repeat(6, 1)
    data = replace(data, train=Split(twins, data.train.targets, data.train.rows))
    model = ex.ModelSpec.of({"kind": "linear", "units": 16}, {"kind": "relu"}, {"kind": "output"})
    events = list(OneBatch(ex.build(model, data), data, ex.TrainSpec(learning_rate=0.03)))

    assert len(events) == STEPS
    assert events[-1].metrics["accuracy"] < 1


def test_the_weakest_layer_is_named_and_a_dead_one_known() -> None:
    task = task_of(made_up(5))
    gradients = {"linear1": 1e-9, "linear2": 0.2, "output1": 1.0}
    losses, last = [2.0] * 20, {"accuracy": 0.5}

    verdict = judge(task, losses, last, gradients)
    assert (verdict.weakest, verdict.gradient, verdict.dead) == ("linear1", 1e-9, True)
    assert not judge(task, losses, last, gradients | {"linear1": 1e-3}).dead
    assert judge(task, [], {}, gradients) is None


def test_a_loss_that_still_falls_is_told_from_one_that_stands_still() -> None:
    task, last = task_of(made_up(5)), {"accuracy": 0.5}

    assert judge(task, [2 - 0.01 * step for step in range(100)], last, {}).falling
    assert not judge(task, [1.0] * 100, last, {}).falling


def test_the_record_says_what_was_done_and_is_the_same_when_made_again() -> None:
    data = ex.load_dataset("digits")
    given = RunSpec(
        dataset="digits",
        model=ex.preset("cnn", data),
        train=ex.TrainSpec(weight_decay=0.1, noise=0.2, epochs=7, batch_size=32),
        family="cnn",
        purpose="one batch",
    )
    spec = suited(given)

    assert spec.examples == spec.train.batch_size == 32
    assert (spec.train.weight_decay, spec.train.noise, spec.train.epochs) == (0.0, 0.0, 1)
    assert spec.changes == ((0, Change(dropout=0.0)),)
    assert suited(spec) == spec
    assert planned_steps(spec) == STEPS
    ordinary = given.model_copy(update={"purpose": "train"})
    assert suited(ordinary) == ordinary
    assert planned_steps(ordinary) == 7 * 40  # 1257 examples
