"""Playing, pausing, stepping and resuming runs, in the real engine."""

from __future__ import annotations

import os
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.runs import Compute, Status
from explorer.runs.controls import Verb
from explorer.runs.execute import more, submit
from tests.processes import wait_until
from tests.runs.conftest import SPEC
from tests.runs.networks import NETWORK, same, weights
from tests.runs.test_engine import engine, home_of_all, over, running, shared, store, workers

__all__ = ["engine", "home_of_all", "shared", "store"]  # fixtures

BENT = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=40, batch_size=32, schedule="cosine")})


def record(store: ex.RunStore, run: ex.Run) -> list[list[Any]]:
    """All numbers of a run, in order."""
    columns = ["split", "name", "step", "epoch", "value"]
    return store.metrics(run.id)[columns].sort_values(columns[:3]).values.tolist()


@pytest.fixture(scope="module")
def straight(home_of_all: Path, shared: Compute) -> tuple[dict[str, torch.Tensor], list[list[Any]]]:
    """Weights and record of a run that nobody paused or killed."""
    store = ex.RunStore(home_of_all)
    run = submit(store, BENT)
    assert over(store, run).status is Status.FINISHED
    kept = weights(store, run), record(store, run)
    store.close()
    return kept


def paused(store: ex.RunStore, run: ex.Run) -> ex.Run:
    wait_until(lambda: store.get(run.id).status is Status.PAUSED and not store.asked(run.id))
    return store.get(run.id)


def test_a_paused_run_stands_still_steps_by_batch_and_epoch_and_plays_on(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.PAUSE)
    assert paused(store, run).step == 0

    store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 1)
    for _ in range(3):  # three quick clicks
        store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 4)
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
    wait_until(lambda: store.get(run.id).step == 2 * each)

    store.ask(run.id, Verb.PLAY)
    assert over(store, run).status is Status.FINISHED
    steps = store.metrics(run.id).query("split == 'batch' and name == 'loss'")["step"].tolist()
    assert steps == list(range(1, 6 * each + 1))


def test_pauses_do_not_count_as_training_time(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.PAUSE)
    paused(store, run)
    store.ask(run.id, Verb.STEP)
    wait_until(lambda: store.get(run.id).step == 1)
    time.sleep(1.2)
    store.ask(run.id, Verb.PLAY)

    seconds = store.metrics(over(store, run).id).query("split == 'batch' and name == 'loss'")["seconds"].tolist()
    assert max(later - earlier for earlier, later in pairwise(seconds)) < 1.0


def test_slow_motion_keeps_its_speed_and_can_be_left(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    store.ask(run.id, Verb.SPEED, 10)
    wait_until(lambda: store.get(run.id).step >= 3)
    began, first = time.monotonic(), store.get(run.id).step
    time.sleep(1.5)
    per_second = (store.get(run.id).step - first) / (time.monotonic() - began)
    assert 6 <= per_second <= 11
    assert store.get(run.id).speed == 10

    store.ask(run.id, Verb.SPEED, 0)
    assert over(store, run).status is Status.FINISHED


@pytest.mark.parametrize("how", ["pause", "kill while paused", "kill while it trains", "leave"])
def test_pausing_killing_and_resuming_gives_the_weights_of_never_pausing(
    how: str, store: ex.RunStore, engine: Compute, straight: tuple[dict[str, torch.Tensor], list[list[Any]]]
) -> None:
    run = submit(store, BENT)
    wait_until(running(store, run, 20))
    if how != "kill while it trains":
        store.ask(run.id, Verb.PAUSE)
        paused(store, run)
    else:
        store.ask(run.id, Verb.SPEED, 100)
        wait_until(lambda: store.snapshots.state(run.id) is not None)
    if how.startswith("kill"):
        (worker,) = workers(engine.pid)
        os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: store.get(run.id).status is Status.FAILED)
        store.resume(run.id)
        store.ask(run.id, Verb.SPEED, 0)
    elif how == "leave":
        other = submit(store, SPEC)
        assert over(store, other).status is Status.FINISHED
        assert store.get(run.id).status is Status.PAUSED
        store.ask(run.id, Verb.PLAY)
    else:
        store.ask(run.id, Verb.PLAY)

    assert over(store, run).status is Status.FINISHED
    assert same(weights(store, run), straight[0])
    assert record(store, run) == straight[1]


def test_a_finished_run_goes_on_for_more_epochs_as_if_it_had_never_ended(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, NETWORK)
    longer = submit(store, NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=9, batch_size=32)}))
    assert over(store, run).epoch == 6
    more(store, store.get(run.id), 3)

    assert over(store, run).epoch == over(store, longer).epoch == 9
    assert same(weights(store, run), weights(store, longer))
