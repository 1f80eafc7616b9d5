"""A full disk: said in words, and what was written before stays readable."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import torch

import explorer as ex
from explorer.errors import DiskFull, StoreError
from explorer.runs.execute import execute, submit
from explorer.runs.problems import home_error
from tests.processes import forked
from tests.runs.conftest import SPEC

ROW = {"split": "batch", "name": "loss", "epoch": 1, "step": 1, "seconds": 0.0, "value": 1.0}
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000


def limited(work: Callable[[ex.RunStore], object], home: Path) -> str:
    """What a process of its own prints, which can limit how large a file it may write."""

    def run() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
        work(ex.RunStore(home))

    done = forked(run)
    assert done.returncode == 0, done.stderr
    return done.stdout


def limit(size: int) -> None:
    """Let no file of this process grow beyond so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def mount_small_disk(place: Path) -> None:
    """Let this process alone see a disk of 16 MiB at `place`; an OSError if the machine lets nobody do so."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()

    def call(failed: int) -> None:
        if failed:
            raise OSError(ctypes.get_errno(), "no small disk")

    call(libc.unshare(CLONE_NEWNS | CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    call(libc.mount(b"small", os.fsencode(place), b"tmpfs", 0, b"size=16m"))


def on_a_small_disk(work: Callable[[ex.RunStore, Callable[[], None]], object], place: Path) -> str:
    """What `work` prints, which is given a store on a disk of 16 MiB at `place` and a way to fill it."""

    def fill() -> None:
        with (place / "filler").open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with suppress(OSError):
                    while file.write(b"x" * size):
                        pass

    def run() -> int:
        try:
            mount_small_disk(place)
        except OSError:
            return 77
        store = ex.RunStore(place / "home")
        runs = [store.create(SPEC, title, owner="me") for title in ("first", "second")]
        for run in runs:
            store.report(run.id, "me", [ROW] * 100)
        store.snapshots.save(runs[0].id, 0, {"w": torch.ones(1000)})
        work(store, fill)
        return 0

    done = forked(run)
    if done.returncode == 77:
        pytest.skip("this machine lets nobody mount a small disk")
    assert done.returncode == 0, done.stderr
    return done.stdout


def use(store: ex.RunStore) -> None:
    """Read all and delete all."""
    runs = store.list()
    print(len(runs), len(store.metrics(runs[-1].id)), int(store.snapshots.load(runs[-1].id, 0)["w"].sum()))
    print(*[store.delete(run.id) for run in runs], len(store.list()))


def test_on_a_full_disk_runs_can_be_read_and_deleted(tmp_path: Path) -> None:
    def work(store: ex.RunStore, fill: Callable[[], None]) -> None:
        fill()
        use(store)

    assert on_a_small_disk(work, tmp_path) == "2 100 1000\nTrue True 0\n"


def test_on_a_full_disk_a_store_can_be_opened_read_and_cleared(tmp_path: Path) -> None:
    def work(store: ex.RunStore, fill: Callable[[], None]) -> None:
        store.close()
        fill()
        use(ex.RunStore(store.home))

    assert on_a_small_disk(work, tmp_path) == "2 100 1000\nTrue True 0\n"


def test_a_store_that_cannot_be_opened_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    def work(store: ex.RunStore, fill: Callable[[], None]) -> None:
        store.close()
        (store.home / "reserve").unlink()
        fill()
        try:
            ex.RunStore(store.home)
        except StoreError as error:
            print(error)

    said = f"The disk that holds {tmp_path}/home is full. Free some space or delete runs, then try again.\n"
    assert on_a_small_disk(work, tmp_path) == said


@pytest.mark.parametrize(("free", "said"), [(0, "is full. Free some space"), (2**30, "(disk I/O error). Choose")])
def test_an_error_of_the_disk_is_that_it_is_full_only_if_it_is(
    free: int, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.runs.problems.shutil.disk_usage", lambda _: SimpleNamespace(free=free))

    assert said in str(home_error(home, sqlite3.OperationalError("disk I/O error")))


def test_room_is_kept_back_while_there_is_some_and_let_go_of_when_deleting_needs_it(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, reserve = store.create(SPEC, "a"), store.home / "reserve"
    assert reserve.stat().st_size == 2**20
    forget, tries = store._forget, []

    def full_at_first(run_id: str) -> bool:
        tries.append(reserve.exists())
        if len(tries) == 1:
            raise DiskFull("full")
        return forget(run_id)

    monkeypatch.setattr(store, "_forget", full_at_first)

    assert store.delete(run.id)
    assert tries == [True, False]
    assert reserve.stat().st_size == 2**20
    assert store.list() == []


def test_a_full_database_says_so_and_stays_readable(store: ex.RunStore) -> None:
    run = store.create(SPEC, "first", owner="me")
    store.close()
    sa.event.listen(store._engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 12"))

    written = 0
    with pytest.raises(StoreError, match=rf"The disk that holds {store.home} is full\. Free some space or delete runs"):
        for _ in range(10_000):
            store.report(run.id, "me", [ROW] * 20)
            written += 20

    assert 0 < written == len(store.metrics(run.id))
    with pytest.raises(StoreError, match="is full"):
        store.create(SPEC.model_copy(update={"family": "x" * 20_000}), "second")
    assert [each.title for each in store.list()] == ["first"]
    assert store.delete(run.id), "deleting makes room again"
    store.create(SPEC, "third")


def test_a_snapshot_that_does_not_fit_leaves_nothing_half_written(home: Path) -> None:
    def work(store: ex.RunStore) -> None:
        store.snapshots.save("0badcafe", 1, {"w": torch.ones(100)})
        limit(10_000)
        try:
            store.snapshots.save("0badcafe", 2, {"w": torch.ones(100_000)})
        except StoreError as error:
            print(error)

    seen = limited(work, home)

    assert seen == "The weights of step 2 could not be written (File too large). Free some disk space.\n"
    assert [path.name for path in (home / "snapshots" / "0badcafe").iterdir()] == ["000000001.safetensors"]
    assert ex.RunStore(home).snapshots.load("0badcafe", 1)["w"].sum() == 100


def test_a_run_whose_snapshots_do_not_fit_fails_in_words(home: Path, digits: ex.Dataset) -> None:
    def work(store: ex.RunStore) -> None:
        spec = SPEC.model_copy(update={"model": ex.preset("mlp", digits, width=512)})
        run = submit(store, spec, owner="me")
        limit(500_000)
        run = execute(store, run, "me")
        print(run.status, run.reason)

    seen = limited(work, home)

    assert seen == "failed The weights of step 0 could not be written (File too large). Free some disk space.\n"
    (run,) = ex.RunStore(home).list()
    assert run.status == "failed"
    assert list((home / "snapshots" / run.id).iterdir()) == []


def test_a_store_on_a_disk_that_fills_up_while_it_is_open_raises_nothing_else(home: Path) -> None:
    def work(store: ex.RunStore) -> None:
        run = store.create(SPEC, "first", owner="me")
        store.report(run.id, "me", [ROW])
        limit(100_000)
        try:
            while True:
                store.report(run.id, "me", [ROW] * 100)
        except StoreError:
            print(len(store.list()), len(store.metrics(run.id)) % 100)

    seen = limited(work, home)

    assert seen == "1 1\n"
    assert [run.title for run in ex.RunStore(home).list()] == ["first"]


def test_a_snapshot_that_cannot_take_its_place_leaves_no_part_behind(store: ex.RunStore) -> None:
    store.snapshots.save("0badcafe", 1, {"w": torch.ones(3)})
    (store.home / "snapshots" / "0badcafe" / "000000002.safetensors").mkdir()  # something is in the way

    with pytest.raises(StoreError, match="The weights of step 2 could not be written"):
        store.snapshots.save("0badcafe", 2, {"w": torch.ones(3)})

    assert not list((store.home / "snapshots").rglob("*.part"))
    assert store.snapshots.load("0badcafe", 1)["w"].tolist() == [1, 1, 1]
