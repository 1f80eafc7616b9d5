"""What a run keeps of itself, and what can be made from it."""

from __future__ import annotations

import time
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
from explorer.runs.execute import branch, change, execute, more, submit
from explorer.runs.replay import last_good
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

    again = now(store, record)
    assert same(weights(store, again), weights(store, run))
    assert (again.spec, again.step, again.total_steps) == (record, run.step, run.step)


def test_changes_after_the_last_kept_state_are_made_again_where_a_run_is_taken_up(store: ex.RunStore) -> None:
    changed = (12, Change(learning_rate=0.01)), (14, Change(dropout=0.5))
    spec = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=2, batch_size=128), "changes": changed})
    whole = now(store, spec)

    class Killed(Exception):
        pass

    def kill(event: Any) -> None:
        if event.step == 16:
            raise Killed

    owner = "0" * 16  # nobody holds this name
    lost = submit(store, spec, owner=owner)
    with pytest.raises(Killed):
        execute(store, lost, owner, watch=kill)
    store.snapshots.save_state(lost.id, *state_at(13, spec))
    store.resume(lost.id)
    with store.owners.hold() as owner:
        again = execute(store, store.claim(owner), owner)
    assert same(weights(store, again), weights(store, whole))


def state_at(step: int, spec: ex.RunSpec) -> tuple[dict[str, Any], dict[str, Any]]:
    """What would have been kept of a run after so many steps."""
    data = ex.load_dataset(spec.dataset)
    training = ex.train(ex.build(spec.model, data), data, spec.train, changes=dict(spec.changes))
    next(event for event in training if isinstance(event, StepDone) and event.step == step)
    state = training.state()
    training.close()
    return state


def test_changing_what_cannot_work_is_refused_before_it_is_asked(store: ex.RunStore) -> None:
    flat = ex.ModelSpec.of({"kind": "flatten"}, {"kind": "batchnorm"}, {"kind": "output"})
    run = submit(store, NETWORK.model_copy(update={"model": flat}))

    with pytest.raises(SpecError, match="batch norm cannot learn from batches of one"):
        change(store, run, Change(batch_size=1))

    assert store.asked(run.id) == []


def test_a_change_that_is_not_made_is_said_until_one_is(store: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FLUSH_SECONDS", 0.0)
    monkeypatch.setattr(conducting, "MAX_CHANGES", 1)
    asked = {12: {"epochs": 1}, 14: {"clip": 1.0}, 16: {"clip": 2.0}}  # 10 steps an epoch
    said: dict[int, str] = {}

    def watch(event: Any) -> None:
        if isinstance(event, StepDone):
            run = store.list(1)[0]
            said[event.step] = run.reason
            if event.step in asked:
                store.ask(run.id, Verb.CHANGE, asked[event.step])

    run = now(store, NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=2, batch_size=128)}), watch)
    assert said[12] == ""
    assert said[14] == "The last change was not made. The run is in epoch 2 already; it cannot end after 1."
    assert said[16] == ""
    assert "holds 1 changes; 1 is the most. Branch off" in said[18]
    assert (run.status, run.reason) == (Status.FINISHED, "")
    assert [values.values for _, values in run.spec.changes] == [{"clip": 1.0}]
    for ask in (lambda: change(store, run, Change(clip=3.0)), lambda: more(store, run, 1)):
        with pytest.raises(SpecError, match="1 is the most"):
            ask()


def test_a_branch_starts_from_the_weights_of_a_kept_step_with_dropout_as_it_was_last(store: ex.RunStore) -> None:
    run = now(store, NETWORK.model_copy(update={"changes": ((9, Change(dropout=0.1)),)}))
    step = store.snapshots.steps(run.id)[3]
    made = branch(store, run, step, ex.TrainSpec(epochs=1, learning_rate=0.003))

    assert same(store.snapshots.load(made.id, 0), store.snapshots.load(run.id, step))
    assert (made.status, made.spec.start, made.spec.train.learning_rate) == (Status.QUEUED, (run.id, step), 0.003)
    with store.owners.hold() as owner:
        ended = execute(store, store.claim(owner), owner)
    data = ex.load_dataset("digits")
    model = ex.build(DROPOUT, data)
    model.load_state_dict(store.snapshots.load(run.id, step))
    for _ in ex.train(model, data, made.spec.train, changes={0: Change(dropout=0.1)}):
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


def test_a_run_that_exploded_slowly_goes_on_from_before_its_loss_rose(store: ex.RunStore) -> None:
    linear = ex.ModelSpec.of({"kind": "output"})
    train = ex.TrainSpec(optimizer="sgd", momentum=0.0, learning_rate=0.3)  # beyond 2 / the largest curvature
    run = now(store, ex.RunSpec(dataset="diabetes", model=linear, train=train))
    assert run.status is Status.DIVERGED

    def loss(step: int) -> float:
        return ex.evaluate(ex.model_at(store, run.id, step), ex.load_dataset("diabetes"), "train")["loss"]

    steps, good = store.snapshots.steps(run.id), last_good(store, run)
    assert good < steps[-1]
    assert loss(good) < 2 * loss(0) < loss(steps[-1])


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


def test_slow_motion_is_kept_when_another_worker_takes_the_run_up(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conducting, "LINGER_SECONDS", 0.0)

    def act(run_id: str) -> None:
        store.ask(run_id, Verb.SPEED, 20)
        store.ask(run_id, Verb.PAUSE)

    run = now(store, LONG, at(store, 5, act))
    assert (run.status, run.speed) == (Status.PAUSED, 20)
    store.ask(run.id, Verb.PLAY)
    moments: list[float] = []

    def watch(event: Any) -> None:
        moments.append(time.monotonic())
        if event and event.step == run.step + 6:
            store.stop(run.id)

    with store.owners.hold() as owner:
        assert execute(store, store.claim(owner), owner, watch=watch).speed == 20
    assert moments[-1] - moments[0] > 5 * 0.9 / 20


def test_what_is_planned_is_known_at_once_where_a_run_is_taken_up_again(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "FLUSH_SECONDS", 0.0)
    run = now(store, NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=1, batch_size=128)}))
    assert (run.step, run.total_steps) == (10, 10)
    more(store, run, 2)

    def go_on(until: int) -> ex.Run:
        planned: list[int] = []

        def watch(event: Any) -> None:
            planned.append(store.get(run.id).total_steps)
            if event.step == until:
                store.stop(run.id)

        with store.owners.hold() as owner:
            ended = execute(store, store.claim(owner), owner, watch=watch)
        assert planned[-1] == ended.total_steps == 30
        return ended

    assert go_on(until=14).progress == pytest.approx(14 / 30, abs=0.05)
    store.resume(run.id)
    ended = go_on(until=0)
    assert (ended.step, ended.status) == (30, Status.FINISHED)
