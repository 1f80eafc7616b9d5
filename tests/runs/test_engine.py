"""The real engine in real processes, and real signals that end them."""

from __future__ import annotations

import multiprocessing as mp
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import explorer as ex
from explorer.errors import StoreError
from explorer.runs import Compute, Settings, Status
from explorer.runs.engine import _Engine
from explorer.runs.execute import submit
from tests.processes import ROOT, wait_until
from tests.runs.conftest import SPEC
from tests.runs.networks import now

MNIST = ex.ModelSpec.of(
    {"kind": "conv"}, {"kind": "maxpool"}, {"kind": "relu"}, {"kind": "flatten"}, {"kind": "output"}
)
LONG = ex.RunSpec(dataset="mnist5k", model=MNIST, train=ex.TrainSpec(epochs=10_000), family="cnn")

OWNER_OF_AN_ENGINE = """
import sys, time
from pathlib import Path
from explorer.runs import Compute, Settings
compute = Compute(Settings(Path(sys.argv[1]), workers=int(sys.argv[2]), device="cpu"))
print(compute.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def home_of_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all: an engine takes seconds to start."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture
def store(home_of_all: Path) -> Iterator[ex.RunStore]:
    """A store that is empty and whose engine, if any, is idle."""
    store = ex.RunStore(home_of_all)
    yield store
    for run in store.list():
        store.delete(run.id)
    store.close()


@pytest.fixture(scope="module")
def shared(home_of_all: Path) -> Iterator[Compute]:
    compute = Compute(Settings(home_of_all, workers=1, device="cpu"))
    yield compute
    compute.close()


@pytest.fixture
def engine(store: ex.RunStore, shared: Compute) -> Iterator[Compute]:
    """An engine with one worker, which is the same in all tests."""
    yield shared
    for run in store.list():
        store.delete(run.id)
    wait_until(lambda: not workers(shared.pid))


@pytest.fixture
def store_of_ones_own(home: Path) -> Iterator[ex.RunStore]:
    """A store that no engine serves yet."""
    store = ex.RunStore(home)
    yield store
    store.close()


def of(engine: int) -> list[psutil.Process]:
    """The engine, its fork server and its workers."""
    process = psutil.Process(engine)
    return [process, *process.children(recursive=True)]


def workers(engine: int) -> list[psutil.Process]:
    """The processes that train: what the fork server has forked."""
    servers = []
    for each in psutil.Process(engine).children():
        with suppress(psutil.NoSuchProcess):  # it may end while it is looked at
            servers += [each] if "forkserver" in " ".join(each.cmdline()) else []
    return [worker for server in servers for worker in server.children()]


def running(store: ex.RunStore, run: ex.Run, step: int = 1) -> Callable[[], bool]:
    """Whether a run trains and has come so far."""

    def look() -> bool:
        now = store.get(run.id)
        assert not now.status.over, now
        return now.status is Status.RUNNING and now.step >= step

    return look


def over(store: ex.RunStore, run: ex.Run) -> ex.Run:
    wait_until(lambda: store.get(run.id).status.over)
    return store.get(run.id)


def test_queued_runs_train_one_after_another_in_order(store: ex.RunStore, engine: Compute) -> None:
    runs = [submit(store, SPEC, title) for title in ("first", "second", "third")]
    at_once = 0
    while not all(store.get(run.id).status.over for run in runs):
        at_once = max(at_once, sum(run.status is Status.RUNNING for run in store.list()))
        assert at_once <= 1
        time.sleep(0.01)

    first, second, third = (store.get(run.id) for run in runs)

    for run in (first, second, third):
        assert (run.status, run.reason, run.step) == (Status.FINISHED, "", run.total_steps)
        assert run.test["accuracy"] > 0.3
        assert store.snapshots.steps(run.id)[-1] == run.step
        assert len(store.metrics(run.id)) == 3 * run.step + 4 * run.epoch
    assert first.started < first.ended <= second.started < second.ended <= third.started


def test_someone_with_ten_runs_does_not_keep_someone_with_one_waiting(store: ex.RunStore, engine: Compute) -> None:
    many = [submit(store, SPEC, session="many") for _ in range(10)]
    one = submit(store, SPEC, session="one")

    began = over(store, one).started

    before = [run for run in many if (store.get(run.id).started or began) < began]
    assert len(before) <= 2  # one that trained already, and one whose turn it was


def test_a_run_in_an_engine_gives_the_numbers_it_gives_anywhere(
    store: ex.RunStore, engine: Compute, digits: ex.Dataset
) -> None:
    run = over(store, submit(store, SPEC))

    model = ex.build(SPEC.model, digits, seed=SPEC.train.seed)
    for _ in ex.train(model, digits, SPEC.train):
        pass

    assert run.test == pytest.approx(ex.evaluate(model, digits), abs=1e-5)


def test_a_stopped_run_stops_within_seconds_and_keeps_what_it_learned(store: ex.RunStore, engine: Compute) -> None:
    run = submit(store, LONG)
    wait_until(running(store, run))

    store.stop(run.id)

    wait_until(lambda: store.get(run.id).status is Status.STOPPED, 5)
    assert set(store.get(run.id).test) == {"loss", "accuracy"}
    assert store.snapshots.steps(run.id)[-1] == store.get(run.id).step


def test_a_run_that_is_deleted_lets_the_next_one_train(store: ex.RunStore, engine: Compute) -> None:
    run, following = submit(store, LONG), submit(store, SPEC)
    wait_until(running(store, run))

    assert store.delete(run.id)

    assert over(store, following).status is Status.FINISHED
    assert [path.name for path in (store.home / "snapshots").iterdir()] == [following.id]


def test_a_killed_worker_fails_its_run_and_the_next_one_trains(store: ex.RunStore, engine: Compute) -> None:
    run, following = submit(store, LONG), submit(store, SPEC)
    wait_until(running(store, run))
    (worker,) = workers(engine.pid)

    worker.send_signal(signal.SIGKILL)

    lost = over(store, run)
    assert lost.status is Status.FAILED
    assert lost.reason.startswith("The worker died (signal 9).")
    assert over(store, following).status is Status.FINISHED
    assert len(store.metrics(run.id)) >= 2
    assert store.snapshots.load(run.id, 0)


def test_a_dead_worker_is_not_forgotten_while_the_store_cannot_be_written(
    store: ex.RunStore, engine: Compute, sql: Callable[..., list[Any]]
) -> None:
    run = submit(store, LONG)
    wait_until(running(store, run))
    sql("CREATE TRIGGER full BEFORE UPDATE OF ended ON runs BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    (worker,) = workers(engine.pid)
    worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    time.sleep(1.5)
    assert store.get(run.id).status is Status.RUNNING

    sql("DROP TRIGGER full")

    assert over(store, run).reason.startswith("The worker died (signal 9).")
    assert over(store, submit(store, SPEC)).status is Status.FINISHED


def test_a_killed_engine_is_replaced_and_the_queue_goes_on(store: ex.RunStore, engine: Compute) -> None:
    run, following = submit(store, LONG), submit(store, SPEC)
    wait_until(running(store, run))
    before = of(engine.pid)

    os.kill(engine.pid, signal.SIGKILL)

    lost = over(store, run)
    assert lost.status is Status.INTERRUPTED
    assert lost.reason.startswith("The program that trained it ended.")
    assert over(store, following).status is Status.FINISHED
    assert engine.pid != before[0].pid
    assert psutil.wait_procs(before, timeout=10)[1] == []
    assert store.snapshots.load(run.id, 0)


def test_an_engine_dies_with_its_owner_and_nothing_is_lost(store_of_ones_own: ex.RunStore) -> None:
    store = store_of_ones_own
    run, waiting = submit(store, LONG), submit(store, SPEC)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_OF_AN_ENGINE, str(store.home), "1"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout
    engine = int(owner.stdout.readline())
    wait_until(running(store, run, step=20))
    processes = of(engine)
    assert workers(engine)

    owner.kill()
    owner.communicate()

    assert psutil.wait_procs(processes, timeout=10)[1] == []
    assert store.get(run.id).status is Status.RUNNING, "nobody was left to say otherwise"
    assert store.recover() == 1
    assert store.get(run.id).status is Status.INTERRUPTED
    assert store.get(waiting.id).status is Status.QUEUED
    assert store.metrics(run.id)["step"].max() >= 20
    assert all(store.snapshots.load(run.id, step) for step in store.snapshots.steps(run.id))


def test_as_many_runs_train_at_once_as_there_are_workers_and_closing_ends_them_all(
    store_of_ones_own: ex.RunStore,
) -> None:
    store = store_of_ones_own
    compute = Compute(Settings(store.home, workers=2, device="cpu"))
    runs = [submit(store, LONG) for _ in range(3)]

    wait_until(running(store, runs[0]))
    wait_until(running(store, runs[1]))

    assert store.get(runs[2].id).status is Status.QUEUED
    assert len(workers(compute.pid)) == 2
    processes = of(compute.pid)

    compute.close()

    assert psutil.wait_procs(processes, timeout=10)[1] == []
    assert store.recover() == 2


def test_a_worker_that_takes_too_much_memory_is_ended_with_that_reason(store_of_ones_own: ex.RunStore) -> None:
    store = store_of_ones_own
    before = now(store, SPEC)
    kept = store.metrics(before.id)

    compute = Compute(Settings(store.home, workers=1, device="cpu", memory=0.5))
    run = submit(store, LONG.model_copy(update={"model": HUGE}))
    wait_until(lambda: store.get(run.id).status is Status.FAILED)
    compute.close()

    assert re.fullmatch(
        r"Its worker took \d\.\d GiB of memory; it may take 0\.5 .* Use a smaller model or batch\.",
        store.get(run.id).reason,
    )
    assert store.metrics(before.id).equals(kept)


HUGE = ex.ModelSpec.of(
    {"kind": "flatten"}, {"kind": "linear", "units": 7000}, {"kind": "linear", "units": 7000}, {"kind": "output"}
)
"""Its weights, their gradients and what Adam remembers take 0.8 GiB."""


@pytest.fixture
def by_hand(store_of_ones_own: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> _Engine:
    """An engine that starts no processes."""
    store = store_of_ones_own
    settings = Settings(store.home, workers=1, device="cpu")
    engine = _Engine(store, settings, mp.get_context("forkserver"), "0" * 16)
    monkeypatch.setattr(engine, "_start", lambda *_: None)
    return engine


def test_an_engine_survives_a_round_that_fails_and_does_not_hurry(
    by_hand: _Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = [ZeroDivisionError("never thought of"), OSError(12, "Cannot allocate memory"), StoreError("full")]
    waits: list[float] = []

    def fail() -> None:
        raise failures.pop(0)

    monkeypatch.setattr(by_hand, "_round", fail)
    monkeypatch.setattr(by_hand, "_parent_gone", lambda: not failures)
    monkeypatch.setattr("explorer.runs.engine.time.sleep", waits.append)

    by_hand.serve()

    assert waits == [1.0, 1.0, 1.0]
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError: never thought of" in caplog.text
    assert "Cannot allocate memory" in caplog.text


def test_a_run_for_which_no_worker_can_be_started_is_not_left_running(
    by_hand: _Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submit(by_hand.store, SPEC)

    def refuse(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(by_hand, "_start", refuse)
    with pytest.raises(OSError, match="temporarily unavailable"):
        by_hand._round()

    assert by_hand.store.get(run.id).status is Status.FAILED
    assert by_hand.store.get(run.id).reason.startswith("No worker could be started")
