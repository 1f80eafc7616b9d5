"""Playing, pausing, stepping, changing, branching and resuming runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.errors import RunGone, SnapshotError, SpecError
from explorer.runs import Compute, Status
from explorer.runs import conductor as conducting
from explorer.runs import recorder as recording
from explorer.runs.controls import Verb
from explorer.runs.execute import branch, change, execute, more, submit
from explorer.specs import Change
from explorer.training import StepDone
from tests.processes import wait_until
from tests.runs.conftest import SPEC
from tests.runs.test_engine import engine, home_of_all, over, running, shared, store, workers

__all__ = ["engine", "home_of_all", "shared", "store"]  # fixtures

DROPOUT = ex.ModelSpec.of(
    {"kind": "conv"},
    {"kind": "batchnorm"},
    {"kind": "relu"},
    {"kind": "flatten"},
    {"kind": "dropout"},
    {"kind": "output"},
)
NETWORK = ex.RunSpec(dataset="digits", model=DROPOUT, train=ex.TrainSpec(epochs=6, batch_size=32), family="cnn")
LONG = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=10_000)})


def now(store: ex.RunStore, spec: ex.RunSpec, watch: Callable[[Any], None] | None = None) -> ex.Run:
    """Train in this process."""
    with store.owners.hold() as owner:
        return execute(store, submit(store, spec, owner=owner), owner, watch=watch)


def at(store: ex.RunStore, step: int, act: Callable[[str], None]) -> Callable[[Any], None]:
    """Do something once a run has come to a step."""

    def watch(event: Any) -> None:
        if isinstance(event, StepDone) and event.step == step:
            act(store.list(1)[0].id)

    return watch


def weights(store: ex.RunStore, run: ex.Run) -> dict[str, torch.Tensor]:
    return store.snapshots.load(run.id, store.get(run.id).step)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def paused(store: ex.RunStore, run: ex.Run) -> ex.Run:
    wait_until(lambda: store.get(run.id).status is Status.PAUSED and not store.asked(run.id), 20)
    return store.get(run.id)


def test_a_paused_run_stands_still_steps_by_batch_and_epoch_and_plays_on(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.PAUSE)
    assert paused(store, run).step == 0

    store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 1, 10)
    for _ in range(3):  # three quick clicks
        store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 4, 10)
    assert paused(store, run).step == 4
    assert 4 in store.snapshots.steps(run.id), "what one wants to look at now is there"
    time.sleep(0.3)
    assert store.get(run.id).step == 4

    store.ask(run.id, Verb.EPOCH)
    wait_until(
        lambda: store.get(run.id).epoch == 1 and len(store.metrics(run.id).query("split == 'validation'")) > 0, 10
    )
    each = -(-len(ex.load_dataset("digits").train) // 32)
    assert paused(store, run).step == each
    store.ask(run.id, Verb.EPOCH)
    wait_until(lambda: store.get(run.id).step == 2 * each, 10)

    store.ask(run.id, Verb.PLAY)
    assert over(store, run).status is Status.FINISHED
    steps = store.metrics(run.id).query("split == 'batch' and name == 'loss'")["step"].tolist()
    assert steps == list(range(1, 6 * each + 1))


def test_pauses_do_not_count_as_training_time(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.PAUSE)
    paused(store, run)
    store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 1, 10)
    time.sleep(1.2)
    store.ask(run.id, Verb.PLAY)

    seconds = store.metrics(over(store, run).id).query("split == 'batch' and name == 'loss'")["seconds"].tolist()
    assert max(later - earlier for earlier, later in pairwise(seconds)) < 1.0


def test_slow_motion_keeps_its_speed_and_can_be_left(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.SPEED, 10)
    wait_until(lambda: store.get(run.id).step >= 3, 20)
    began, first = time.monotonic(), store.get(run.id).step
    time.sleep(1.5)
    per_second = (store.get(run.id).step - first) / (time.monotonic() - began)
    assert 6 <= per_second <= 11
    assert store.get(run.id).speed == 10

    store.ask(run.id, Verb.SPEED, 0)
    assert over(store, run).status is Status.FINISHED


@pytest.mark.parametrize("how", ["pause", "kill while paused", "kill while it trains", "leave"])
def test_pausing_killing_and_resuming_gives_the_weights_of_never_pausing(
    how: str, store: ex.RunStore, engine: Compute, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=40, batch_size=32, schedule="cosine")})
    straight = submit(store, spec)
    assert over(store, straight).status is Status.FINISHED
    run = submit(store, spec)
    wait_until(running(store, run, 20))
    if how != "kill while it trains":
        store.ask(run.id, Verb.PAUSE)
        paused(store, run)
    else:
        store.ask(run.id, Verb.SPEED, 100)
        wait_until(lambda: store.snapshots.state(run.id) is not None, 20)
    if how.startswith("kill"):
        (worker,) = workers(engine.pid)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: store.get(run.id).status is Status.FAILED, 20)
        store.resume(run.id)
    elif how == "leave":
        other = submit(store, SPEC)
        assert over(store, other).status is Status.FINISHED
        assert store.get(run.id).status is Status.PAUSED
        store.ask(run.id, Verb.PLAY)
    else:
        store.ask(run.id, Verb.PLAY)

    assert over(store, run).status is Status.FINISHED
    assert same(weights(store, run), weights(store, straight))
    columns = ["split", "name", "step", "epoch", "value"]
    one, other = (store.metrics(each.id)[columns] for each in (run, straight))
    assert one.sort_values(columns[:3]).values.tolist() == other.sort_values(columns[:3]).values.tolist()


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


def test_a_finished_run_goes_on_for_more_epochs_as_if_it_had_never_ended(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    longer = submit(store, NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=9, batch_size=32)}))
    assert over(store, run).epoch == 6
    more(store, store.get(run.id), 3)

    assert over(store, run).epoch == over(store, longer).epoch == 9
    assert same(weights(store, run), weights(store, longer))


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
    counts = []
    run = now(store, NETWORK, lambda event: counts.append(len(store.snapshots.steps(store.list(1)[0].id))))

    steps = store.snapshots.steps(run.id)
    losses = store.metrics(run.id).query("split == 'validation' and name == 'loss'")
    best = int(losses.loc[losses["value"].idxmin(), "step"])
    assert max(counts) <= 22
    assert run.best_step == best
    assert {0, best, run.step} <= set(steps)
    regular = [step for step in steps if step not in (best, run.step)]
    assert len({later - earlier for earlier, later in pairwise(regular)}) == 1, "evenly spread"


def test_the_gradient_flow_of_every_layer_is_kept(store: ex.RunStore) -> None:
    run = now(store, NETWORK)

    flow = store.flow(run.id)

    assert set(flow["layer"]) == {"conv1", "batchnorm1", "output1"}
    assert 50 <= flow["step"].nunique() <= 300
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
