"""Runs that answer a question go the way of all runs: queued, trained by a worker, kept, resumed, repeated."""

from __future__ import annotations

from typing import Any

import pytest

import explorer as ex
from explorer.errors import SpecError
from explorer.runs import Status
from explorer.runs.execute import branch, change, execute, more, submit
from explorer.runs.presets import start_vanishing, vanishing
from explorer.specs import Change
from explorer.training import StepDone, suggest
from explorer.training.finder import STEPS, rate_at
from explorer.training.purposes import training_of
from tests.runs.networks import at, now, same, weights

DROPOUT = ex.ModelSpec.of(
    {"kind": "flatten"},
    {"kind": "linear", "units": 32},
    {"kind": "batchnorm"},
    {"kind": "relu"},
    {"kind": "dropout"},
    {"kind": "output"},
)
PURPOSES = ("range test", "one batch")


def spec(purpose: str, **settings: Any) -> ex.RunSpec:
    train = ex.TrainSpec(**{"batch_size": 32, "learning_rate": 0.01, **settings})
    return ex.RunSpec(dataset="digits", model=DROPOUT, train=train, family="mlp", purpose=purpose)


def series(store: ex.RunStore, run: ex.Run, name: str) -> list[float]:
    return store.metrics(run.id).query(f"split == 'batch' and name == '{name}'")["value"].tolist()


@pytest.mark.parametrize("purpose", PURPOSES)
def test_it_finishes_by_itself_and_keeps_two_snapshots_and_no_test_metrics(store: ex.RunStore, purpose: str) -> None:
    run = now(store, spec(purpose))

    assert run.status is Status.FINISHED
    assert 0 < run.step < run.total_steps
    assert run.test == {}
    assert store.snapshots.steps(run.id) == [0, run.step]
    assert len(series(store, run, "loss")) == run.step
    assert set(store.metrics(run.id)["split"]) == {"batch"}
    assert run.title == f"{purpose.capitalize()} of MLP on digits #1"
    assert len(store.flow(run.id)) > 0


def test_the_store_holds_what_the_suggestion_is_made_of(store: ex.RunStore) -> None:
    run = now(store, spec("range test", learning_rate=7.0))
    rates = series(store, run, "learning_rate")

    assert rates == [rate_at(step) for step in range(run.step)]
    assert 1e-5 < suggest(rates, series(store, run, "loss")).rate < 1


@pytest.mark.parametrize("purpose", PURPOSES)
def test_two_runs_agree_and_the_record_repeats_them_without_the_store(store: ex.RunStore, purpose: str) -> None:
    one, other = (now(store, spec(purpose)) for _ in range(2))
    assert same(weights(store, one), weights(store, other))

    dataset = ex.data.dataset_of(one.spec)
    model = ex.build(one.spec.model, dataset, seed=one.spec.train.seed)
    again = training_of(one.spec)(model, dataset, one.spec.train)
    assert [event.loss for event in again if isinstance(event, StepDone)] == series(store, one, "loss")
    assert same(model.state_dict(), weights(store, one))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_stopped_and_resumed_it_ends_as_if_it_had_never_stopped(
    store: ex.RunStore, purpose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.runs.recorder.FLUSH_SECONDS", 0.0)  # what is asked is heard at once
    straight = now(store, spec(purpose))
    run = now(store, spec(purpose), at(store, 12, store.stop))
    assert run.status is Status.STOPPED
    assert run.step < straight.step
    assert run.test == {}

    store.resume(run.id)
    with store.owners.hold() as owner:
        run = execute(store, store.claim(owner), owner)

    assert run.status is Status.FINISHED
    assert same(weights(store, run), weights(store, straight))
    assert series(store, run, "loss") == series(store, straight, "loss")


def test_a_range_test_that_breaks_everything_is_finished_and_a_batch_that_explodes_diverged(store: ex.RunStore) -> None:
    wild = {"optimizer": "sgd", "momentum": 0.99}
    assert now(store, spec("range test", **wild)).status is Status.FINISHED

    run = now(store, spec("one batch", learning_rate=1e6, **wild))
    assert run.status is Status.DIVERGED
    assert "smaller" in run.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_it_cannot_be_changed_prolonged_or_branched(store: ex.RunStore, purpose: str) -> None:
    run = now(store, spec(purpose))
    for attempt in (
        lambda: change(store, run, Change(learning_rate=0.1)),
        lambda: more(store, run, 3),
        lambda: branch(store, run, 0),
    ):
        with pytest.raises(SpecError, match=f"is a {purpose}: its settings and its end are given"):
            attempt()
    assert len(store.list()) == 1


def test_a_fold_or_a_part_of_the_data_is_tried_as_it_would_be_trained_on(store: ex.RunStore) -> None:
    part = spec("range test").model_copy(update={"examples": 20})
    assert now(store, part).spec.train.batch_size == 20
    run = now(store, spec("one batch").model_copy(update={"fold": (1, 3)}))
    assert (run.spec.fold, run.spec.examples) == ((1, 3), 32)
    assert run.samples == 32 * run.step


def test_what_cannot_work_is_not_queued(store: ex.RunStore) -> None:
    single = spec("one batch").model_copy(update={"train": ex.TrainSpec(batch_size=1)})
    with pytest.raises(SpecError, match="batch norm cannot learn from batches of one"):
        submit(store, single)
    assert store.list() == []
    assert submit(store, spec("range test")).total_steps == STEPS


def test_the_two_networks_of_the_experiment_differ_in_nothing_but_their_cell(store: ex.RunStore) -> None:
    runs = start_vanishing(store, "me")

    assert [run.status for run in runs] == [Status.QUEUED] * 2
    assert store.of_sweep(runs[0].sweep) == runs
    assert store.of_sweep("") == []
    assert [run.title for run in runs] == list(vanishing())
    vanilla, lstm = (run.spec for run in runs)
    assert (vanilla.dataset, vanilla.train) == (lstm.dataset, lstm.train)
    assert [layer.kind for layer in vanilla.model.layers] == ["embedding", "rnn", "output"]
    assert [layer.kind for layer in lstm.model.layers] == ["embedding", "lstm", "output"]
    assert vanilla.model.layers[1].params["units"] == lstm.model.layers[1].params["units"]
