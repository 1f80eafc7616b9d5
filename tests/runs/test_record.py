"""What a run keeps of itself, and what can be made from it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import explorer as ex
from explorer.errors import RunGone, SnapshotError, SpecError
from explorer.runs import Status
from explorer.runs import conductor as conducting
from explorer.runs import recorder as recording
from explorer.runs.controls import Verb
from explorer.runs.execute import branch, change, execute, submit
from explorer.specs import Change
from explorer.training import StepDone
from tests.runs.conftest import SPEC
from tests.runs.networks import DROPOUT, LONG, NETWORK, at, now, same, weights


def test_a_run_is_repeated_from_its_record_alone(store: ex.RunStore) -> None:
    changes = {
        7: Change(learning_rate=0.01, dropout=0.2),
        20: Change(batch_size=50, weight_decay=0.1),
        31: Change(clip=0.5, epochs=3),
    }

    def watch(event: Any) -> None:
        if isinstance(event, StepDone) and event.step in changes:
            change(store, store.list(1)[0], changes[event.step])

    old, recording.FLUSH_SECONDS = recording.FLUSH_SECONDS, 0.0
    try:
        run = now(store, NETWORK, watch)
    finally:
        recording.FLUSH_SECONDS = old
    record = store.get(run.id).spec
    assert [values.values for _, values in record.changes] == [values.values for values in changes.values()]
    assert (record.settings.learning_rate, record.settings.batch_size, run.epoch) == (0.01, 50, 3)

    data = ex.load_dataset(record.dataset)
    model = ex.build(record.model, data, seed=record.train.seed)
    for _ in ex.train(model, data, record.train, changes=dict(record.changes)):
        pass
    assert same(dict(model.state_dict()), weights(store, run))
    assert run.total_steps == run.step


def test_changing_what_cannot_work_is_refused_before_it_is_asked(store: ex.RunStore) -> None:
    flat = ex.ModelSpec.of({"kind": "flatten"}, {"kind": "batchnorm"}, {"kind": "output"})
    run = submit(store, NETWORK.model_copy(update={"model": flat}))

    with pytest.raises(SpecError, match="batch norm cannot learn from batches of one"):
        change(store, run, Change(batch_size=1))

    assert store.asked(run.id) == []


def test_a_branch_starts_from_the_weights_of_a_kept_step(store: ex.RunStore) -> None:
    run = now(store, NETWORK)
    step = store.snapshots.steps(run.id)[3]
    made = branch(store, run, step, ex.TrainSpec(epochs=1, learning_rate=0.003))

    assert same(store.snapshots.load(made.id, 0), store.snapshots.load(run.id, step))
    assert (made.status, made.spec.start, made.spec.train.learning_rate) == (Status.QUEUED, (run.id, step), 0.003)
    with store.owners.hold() as owner:
        ended = execute(store, store.claim(owner), owner)
    data = ex.load_dataset("digits")
    model = ex.build(DROPOUT, data)
    model.load_state_dict(store.snapshots.load(run.id, step))
    for _ in ex.train(model, data, made.spec.train):
        pass
    assert same(dict(model.state_dict()), weights(store, ended))
    with pytest.raises(SnapshotError):
        branch(store, run, 10**6)
    assert len(store.list()) == 2


def test_what_was_never_kept_cannot_go_on(store: ex.RunStore) -> None:
    run = submit(store, SPEC)
    store.stop(run.id)

    with pytest.raises(SnapshotError, match="Nothing was kept to go on from"):
        store.resume(run.id)
    with pytest.raises(RunGone):
        store.get("00000000")


def test_snapshots_stay_within_bounds_with_the_first_the_best_and_the_last(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_SNAPSHOTS", 20)
    monkeypatch.setattr(recording, "BEST_SECONDS", 0.0)
    spec = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=5, batch_size=32)})  # no epoch ends at one of them
    counts, save = [], store.snapshots.save

    def counted(run_id: str, *what: Any) -> Path:
        path = save(run_id, *what)
        counts.append(len(store.snapshots.steps(run_id)))
        return path

    monkeypatch.setattr(store.snapshots, "save", counted)
    run = now(store, spec)

    steps = store.snapshots.steps(run.id)
    losses = store.metrics(run.id).query("split == 'validation' and name == 'loss'")
    best = int(losses.loc[losses["value"].idxmin(), "step"])
    assert max(counts) == 20
    assert run.best_step == best
    assert {0, best, run.step} <= set(steps)
    regular = [step for step in steps if step not in (best, run.step)]
    assert len({later - earlier for earlier, later in pairwise(regular)}) == 1, "evenly spread"


def test_the_gradient_flow_of_every_layer_is_kept(store: ex.RunStore) -> None:
    run = now(store, NETWORK)

    flow = store.flow(run.id)

    assert set(flow["layer"]) == {"conv1", "batchnorm1", "output1"}
    assert 40 <= flow["step"].nunique() <= 100
    assert (flow[["gradient", "weight", "update"]] > 0).all(axis=None)


def test_a_run_that_diverged_goes_on_from_its_last_good_weights_with_a_smaller_rate(store: ex.RunStore) -> None:
    spec = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=2, optimizer="sgd", learning_rate=1e6)})
    run = now(store, spec)

    assert run.status is Status.DIVERGED
    assert "learning rate 1e+06" in run.reason
    last = store.snapshots.steps(run.id)[-1]
    made = branch(store, run, last, run.spec.train.model_copy(update={"learning_rate": 0.01}))
    with store.owners.hold() as owner:
        assert execute(store, store.claim(owner), owner).status is Status.FINISHED
    assert made.title.endswith(f"from step {last}")


def test_a_paused_run_whose_server_died_waits_and_goes_on(store: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conducting, "LINGER_SECONDS", 0.0)

    def act(run_id: str) -> None:
        store.ask(run_id, Verb.PAUSE)

    run = now(store, LONG, at(store, 5, act))
    assert run.status is Status.PAUSED
    store.recover()
    assert store.get(run.id).status is Status.PAUSED
    store.stop(run.id)
    assert store.get(run.id).status is Status.STOPPED
