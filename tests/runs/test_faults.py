"""Faults, for real: processes that are killed, a disk that fills up, a lock of others; nothing recorded is lost."""

from __future__ import annotations

import multiprocessing as mp
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.errors import SnapshotError, StoreBusy
from explorer.runs import Compute, Settings, Status
from explorer.runs import recorder as recording
from explorer.runs import store as storing
from explorer.runs.controls import Verb
from explorer.runs.execute import change, execute, more, submit
from explorer.specs import Change
from explorer.training import StepDone, Training
from tests.processes import ROOT, wait_until
from tests.runs.conftest import SPEC
from tests.runs.networks import DROPOUT, LONG, NETWORK, at, now, same, weights
from tests.runs.test_engine import OWNER_OF_AN_ENGINE, workers
from tests.runs.test_full_disk import on_a_small_disk

KILLS = 50
MANY_STEPS = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=100, batch_size=32)})


def trained(home: Path, watch: Callable[[Any], None] | None = None) -> ex.Run:
    """Take the next run up, as a worker does."""
    store = ex.RunStore(home)
    with store.owners.hold() as owner:
        return execute(store, store.claim(owner), owner, watch=watch)


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: Callable[[], object]) -> None:
    """Do something in a process of its own, which kills itself meanwhile."""
    process = mp.get_context("fork").Process(target=work)
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL


def all_of(store: ex.RunStore, run: ex.Run) -> tuple[ex.Run, list[Any], dict[str, bytes]]:
    """A run, all its numbers, and its files."""
    files = {path.name: path.read_bytes() for path in (store.home / "snapshots" / run.id).iterdir()}
    return store.get(run.id), store.news(run.id), files


class Course:
    """What training gives that nobody kills: losses and weights after each step, as far as they are asked for."""

    def __init__(self, spec: ex.RunSpec) -> None:
        data = ex.load_dataset(spec.dataset)
        self.model = ex.build(spec.model, data, seed=spec.train.seed)
        self.events = (event for event in ex.train(self.model, data, spec.train) if isinstance(event, StepDone))
        self.losses: list[float] = []
        self.weights = [self._now()]

    def _now(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def to(self, step: int) -> list[float]:
        while len(self.losses) < step:
            self.losses.append(next(self.events).loss)
            self.weights.append(self._now())
        return self.losses[:step]


def check(store: ex.RunStore, run: ex.Run, course: Course) -> int:
    """Check that all that is kept of a run is whole and right; the step to which its numbers go."""
    losses = [row.value for row in store.news(run.id) if (row.split, row.name) == ("batch", "loss")]
    assert losses == course.to(len(losses))
    tensors, values = store.snapshots.state(run.id)
    kept = {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
    assert values["step"] <= len(losses), "the numbers that led there are written first"
    assert same(kept, course.weights[values["step"]])
    for step in store.snapshots.steps(run.id):
        course.to(step)
        assert same(store.snapshots.load(run.id, step), course.weights[step])
    assert store.get(run.id).best_step in (None, *store.snapshots.steps(run.id))
    return len(losses)


def state_of(store: ex.RunStore, run: ex.Run) -> int:
    """The step from which a run would go on, or -1."""
    state = store.snapshots.state(run.id)
    return state[1]["step"] if state else -1


def look(store: ex.RunStore, run: ex.Run) -> None:
    """Read what was written last, as a page does at any moment: it is whole, or not there any more."""
    store.snapshots.state(run.id)
    try:
        store.snapshots.load(run.id, store.snapshots.steps(run.id)[-1])
    except SnapshotError as error:
        assert "are not there" in str(error)


def test_a_worker_killed_at_any_moment_loses_nothing_and_is_followed_exactly(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FLUSH_SECONDS", "STATE_SECONDS"):
        monkeypatch.setattr(recording, name, 0.005)
    monkeypatch.setattr(recording, "STATE_SHARE", 1.0)  # so that it writes most of the time
    monkeypatch.setattr(recording, "BEST_SECONDS", 0.0)
    monkeypatch.setattr(recording, "FIRST_SNAPSHOTS", 400)
    seed = random.randrange(10**6)
    print("seed", seed)
    moments = random.Random(seed)
    other = now(store, SPEC)
    of_other = all_of(store, other)
    run, course = submit(store, MANY_STEPS), Course(MANY_STEPS)
    for number in range(KILLS):
        kept = state_of(store, run)
        process = mp.get_context("fork").Process(target=trained, args=(store.home,))
        process.start()
        if not number or number % 5:  # else it may be killed before it trains
            wait_until(lambda before=kept: state_of(store, run) > before)
        end = time.monotonic() + moments.uniform(0, 0.06)
        while time.monotonic() < end:
            look(store, run)
        process.kill()
        process.join()

        ex.RunStore(store.home).close()
        store.recover()
        check(store, run, course)
        assert all_of(store, other) == of_other
        if store.get(run.id).status is not Status.QUEUED:  # as it is where the worker had not come to it
            assert store.get(run.id).status is Status.INTERRUPTED
            store.resume(run.id)
    (store.home / "snapshots" / run.id / "000000001.00000000.part").touch()  # as one that is killed may leave it

    done = trained(store.home, lambda event: store.stop(run.id))

    assert done.status is Status.STOPPED
    assert check(store, run, course) == done.step
    assert done.step in store.snapshots.steps(run.id)
    assert not list(store.home.rglob("*.part"))


def asked_and_killed(store: ex.RunStore, moment: str, how: str) -> ex.Run:
    """A run that was to train for two epochs more, and whose worker was killed at a moment after it heard of it."""
    run = now(store, SPEC)
    more(store, run, 2)

    def work() -> None:
        with pytest.MonkeyPatch.context() as patch:
            if moment == "heard":
                patch.setattr(Training, "change", die)
            else:
                patch.setattr("explorer.runs.snapshots.Snapshots.save_state", die)
            trained(store.home)

    killed(work)
    if how == "worker":  # as its engine says then
        store.end(run.id, Status.FAILED, "The worker died (signal 9).")
    assert store.recover() == (how == "server")
    return store.get(run.id)


@pytest.mark.parametrize("how", ["worker", "server"])
@pytest.mark.parametrize("moment", ["heard", "written"])
def test_what_was_asked_of_a_run_survives_the_worker_that_heard_it(moment: str, how: str, store: ex.RunStore) -> None:
    run = asked_and_killed(store, moment, how)
    assert len(run.spec.changes) == (moment == "written")
    store.resume(run.id)

    done = trained(store.home)

    assert (done.status, done.epoch, done.step) == (Status.FINISHED, 4, 80)
    assert [(step, values.values) for step, values in done.spec.changes] == [(40, {"epochs": 4})]
    course = Course(SPEC.model_copy(update={"train": ex.TrainSpec(epochs=4)}))
    course.to(80)
    assert same(weights(store, done), course.weights[80])


def test_what_was_changed_after_the_last_kept_state_is_changed_again_at_the_same_step(store: ex.RunStore) -> None:
    run = submit(store, NETWORK)

    def work() -> None:
        def watch(event: Any) -> None:
            if isinstance(event, StepDone) and event.step == 60:
                change(store, store.get(run.id), Change(learning_rate=0.01))
                change(store, store.get(run.id), Change(batch_size=16))

        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"FLUSH_SECONDS": 0.0, "STATE_SECONDS": 0.0, "STATE_SHARE": 1.0}.items():
                patch.setattr(recording, name, value)
            save_state = store.snapshots.save_state
            patch.setattr(
                "explorer.runs.snapshots.Snapshots.save_state",
                lambda _, *what: die() if store.get(run.id).spec.changes else save_state(*what),
            )
            trained(store.home, watch)

    killed(work)
    ((step, _),) = store.get(run.id).spec.changes
    assert state_of(store, run) <= step
    store.recover()
    store.resume(run.id)

    done = trained(store.home)

    assert done.status is Status.FINISHED
    made = {name: after for after, values in done.spec.changes for name in values.values}
    assert made.keys() == {"learning_rate", "batch_size"}
    assert made["learning_rate"] == step
    data = ex.load_dataset("digits")
    model = ex.build(DROPOUT, data)
    for _ in ex.train(model, data, done.spec.train, changes=dict(done.spec.changes)):
        pass
    assert same(dict(model.state_dict()), weights(store, done))


def test_a_store_that_another_program_holds_makes_a_run_wait_and_says_so_to_others(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storing, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(recording, "FLUSH_SECONDS", 0.0)
    store = ex.RunStore(home)
    said = []

    def hold(run_id: str) -> None:
        backup = sqlite3.connect(home / "runs.sqlite", isolation_level=None, check_same_thread=False)
        backup.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.4, backup.close).start()
        with pytest.raises(StoreBusy) as error:
            store.rename(run_id, "another name")
        said.append(str(error.value))

    run = now(store, SPEC, at(store, 5, hold))

    assert (run.status, run.reason, run.step) == (Status.FINISHED, "", run.total_steps)
    assert len(store.news(run.id)) == 3 * run.step + 4 * run.epoch
    (text,) = said
    assert text == (
        f"Another program, such as a backup, holds the runs in {home} (database is locked). Wait until it is done or "
        "end it, then try again."
    )
    assert caplog.text.count(f"{text} Training waits for it.") >= 2
    store.close()


def test_runs_whose_disk_fills_up_fail_with_that_reason_and_go_on_once_there_is_room(
    tmp_path: Path, digits: ex.Dataset
) -> None:
    heavy = NETWORK.model_copy(update={"model": ex.preset("mlp", digits, width=200), "train": ex.TrainSpec(epochs=40)})

    def work(store: ex.RunStore, fill: Callable[[], None]) -> None:
        over = now(store, SPEC)
        before = all_of(store, over)
        light = SPEC.model_copy(update={"train": LONG.train})
        first, second = submit(store, heavy), submit(store, light)
        with serving(store, 2):
            for run in (first, second):
                store.ask(run.id, Verb.PAUSE)
                wait_until(lambda run=run: store.get(run.id).status is Status.PAUSED)
            fill()
            os.truncate(tmp_path / "filler", (tmp_path / "filler").stat().st_size - 200_000)  # no room for its weights
            store.ask(first.id, Verb.PLAY)
            wait_until(lambda: store.get(first.id).status.over)
            (tmp_path / "filler").unlink()
            store.ask(second.id, Verb.SPEED, 2)
            store.ask(second.id, Verb.PLAY)
            wait_until(lambda: store.get(second.id).status is Status.RUNNING)
            fill()  # now not even its end fits

            wait_until(lambda: store.get(second.id).status.over)
            for run in (first, second):
                print(store.get(run.id).status, store.get(run.id).reason)
                assert all(store.snapshots.load(run.id, step) for step in store.snapshots.steps(run.id))
            assert all_of(ex.RunStore(store.home), over) == before
            (tmp_path / "filler").unlink()
            store.resume(first.id)
            wait_until(lambda: store.get(first.id).status is Status.FINISHED)

    first, second = on_a_small_disk(work, tmp_path).splitlines()

    assert re.fullmatch(r"failed The .* could not be written \(No space left.*\)\. Free some disk space\.", first)
    assert (
        second == f"failed The disk that holds {tmp_path}/home is full. Free some space or delete runs, then try again."
    )


def test_a_server_that_is_killed_leaves_all_runs_as_they_were_and_another_on_the_same_home_goes_on(
    store: ex.RunStore, sql: Callable[..., list[Any]]
) -> None:
    stop = at(store, 5, store.stop)
    wild = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=2, optimizer="sgd", learning_rate=1e6)})
    failed = submit(store, SPEC, owner="me")
    store.end(failed.id, Status.FAILED, "Some reason.")
    over = [now(store, SPEC), now(store, LONG, stop), now(store, wild), store.get(failed.id)]
    assert [run.status for run in over] == [Status.FINISHED, Status.STOPPED, Status.DIVERGED, Status.FAILED]
    as_it_was = [(store.get(run.id), store.news(run.id)) for run in over]
    with serving(store) as other, server_beside(store, 2) as server:
        runs = [slow(store) for _ in range(3)]
        wait_until(lambda: all(store.get(run.id).step for run in runs))
        owners = [owner for (owner,) in sql("SELECT owner FROM runs WHERE status = 'running' ORDER BY number")]
        (going, paused), (others,) = (
            [run for run, owner in zip(runs, owners, strict=True) if owners.count(owner) == count] for count in (2, 1)
        )
        change(store, going, Change(learning_rate=0.01))  # so that its state is kept at once
        wait_until(lambda: store.get(going.id).spec.changes)
        store.ask(paused.id, Verb.PAUSE)
        wait_until(lambda: store.get(paused.id).status is Status.PAUSED)
        queued = submit(store, SPEC)

        server.kill()

        wait_until(lambda: store.get(going.id).status is Status.INTERRUPTED)
        assert (store.get(paused.id).status, store.get(queued.id).status) == (Status.PAUSED, Status.QUEUED)
        assert [(store.get(run.id), store.news(run.id)) for run in over] == as_it_was
        further(store, others)
        assert len(workers(other.pid)) == 1
        store.stop(others.id)
        wait_until(lambda: store.get(queued.id).status is Status.FINISHED)
        assert len(store.news(queued.id)) == 3 * 40 + 4 * 2, "by one of the two only"
        store.resume(going.id)
        further(store, going)
        store.stop(going.id)
        store.ask(paused.id, Verb.PLAY)
        further(store, paused)


def slow(store: ex.RunStore) -> ex.Run:
    """A run that leaves the processor to others."""
    run = submit(store, LONG)
    store.ask(run.id, Verb.SPEED, 30)
    return run


def further(store: ex.RunStore, run: ex.Run) -> None:
    """Wait until a run has come further than it is."""
    step = store.get(run.id).step
    wait_until(lambda: store.get(run.id).step > step)


@contextmanager
def server_beside(store: ex.RunStore, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a process of its own."""
    command = [sys.executable, "-c", OWNER_OF_AN_ENGINE, str(store.home), str(workers)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as server:
        try:
            yield server
        finally:
            server.kill()


@contextmanager
def serving(store: ex.RunStore, workers: int = 1) -> Iterator[Compute]:
    """An engine."""
    compute = Compute(Settings(store.home, workers=workers, device="cpu"))
    try:
        yield compute
    finally:
        compute.close()
