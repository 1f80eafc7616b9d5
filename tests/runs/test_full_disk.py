"""A full disk: said in words, and what was written before stays readable."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import torch

import explorer as ex
from explorer.errors import DiskFull, StoreError
from explorer.runs.problems import home_error
from tests.processes import ROOT, python
from tests.runs.conftest import SPEC

LIMITED = """
import resource, signal, sys
import torch
import explorer as ex
from explorer.errors import StoreError
from explorer.runs.execute import execute, submit
from tests.runs.conftest import SPEC

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails instead, as on a full disk
store = ex.RunStore(sys.argv[1])
"""


def limited(code: str, home: Path) -> str:
    """Run code in a process of its own, which can limit how large a file it may write."""
    done = python("-c", LIMITED + code, str(home))
    assert done.returncode == 0, done.stderr
    return done.stdout


FULL = """
import sys
from pathlib import Path
import torch
import explorer as ex
from explorer.errors import StoreError
from tests.runs.conftest import SPEC

disk = Path(sys.argv[1])
store = ex.RunStore(disk / "home")
runs = [store.create(SPEC, title, owner="me") for title in ("first", "second")]
row = {"split": "batch", "name": "loss", "epoch": 1, "step": 1, "seconds": 0.0, "value": 1.0}
for run in runs:
    store.report(run.id, "me", [row] * 100)
store.snapshots.save(runs[0].id, 0, {"w": torch.ones(1000)})

def fill():
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass

def use(store):
    print(len(store.list()), len(store.metrics(runs[0].id)), int(store.snapshots.load(runs[0].id, 0)["w"].sum()))
    print(*[store.delete(run.id) for run in runs], len(store.list()))

"""


def on_a_small_disk(code: str, place: Path) -> str:
    """Run code in a process of its own that sees a disk of 4 MiB at `place`."""
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=4m small "$0" && exec "$@"', str(place)]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    command = [*mount, sys.executable, "-c", FULL + code, str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_on_a_full_disk_runs_can_be_read_and_deleted(tmp_path: Path) -> None:
    assert on_a_small_disk("fill()\nuse(store)\n", tmp_path) == "2 100 1000\nTrue True 0\n"


def test_on_a_full_disk_a_store_can_be_opened_read_and_cleared(tmp_path: Path) -> None:
    code = "store.close()\nfill()\nuse(ex.RunStore(disk / 'home'))\n"
    assert on_a_small_disk(code, tmp_path) == "2 100 1000\nTrue True 0\n"


def test_a_store_that_cannot_be_opened_on_a_full_disk_says_that_it_is_full(tmp_path: Path) -> None:
    code = (
        "store.close()\n"
        "(disk / 'home' / 'reserve').unlink()\n"
        "fill()\n"
        "try:\n"
        "    ex.RunStore(disk / 'home')\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    said = f"The disk that holds {tmp_path}/home is full. Free some space or delete runs, then try again.\n"
    assert on_a_small_disk(code, tmp_path) == said


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
    row = {"split": "batch", "name": "loss", "epoch": 1, "step": 1, "seconds": 0.0, "value": 1.0}

    written = 0
    with pytest.raises(StoreError, match=rf"The disk that holds {store.home} is full\. Free some space or delete runs"):
        for _ in range(10_000):
            store.report(run.id, "me", [row] * 20)
            written += 20

    assert 0 < written == len(store.metrics(run.id))
    with pytest.raises(StoreError, match="is full"):
        store.create(SPEC.model_copy(update={"family": "x" * 20_000}), "second")
    assert [each.title for each in store.list()] == ["first"]
    assert store.delete(run.id), "deleting makes room again"
    store.create(SPEC, "third")


def test_a_snapshot_that_does_not_fit_leaves_nothing_half_written(home: Path) -> None:
    seen = limited(
        "store.snapshots.save('0badcafe', 1, {'w': torch.ones(100)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try:\n"
        "    store.snapshots.save('0badcafe', 2, {'w': torch.ones(100_000)})\n"
        "except StoreError as error:\n"
        "    print(error)\n",
        home,
    )

    assert seen == "The weights of step 2 could not be written (File too large). Free some disk space.\n"
    assert [path.name for path in (home / "snapshots" / "0badcafe").iterdir()] == ["000000001.safetensors"]
    assert ex.RunStore(home).snapshots.load("0badcafe", 1)["w"].sum() == 100


def test_a_run_whose_snapshots_do_not_fit_fails_in_words(home: Path) -> None:
    seen = limited(
        "digits = ex.load_dataset('digits')\n"
        "spec = SPEC.model_copy(update={'model': ex.preset('mlp', digits, width=512)})\n"
        "run = submit(store, spec, owner='me')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "run = execute(store, run, 'me')\n"
        "print(run.status, run.reason)\n",
        home,
    )

    assert seen == "failed The weights of step 0 could not be written (File too large). Free some disk space.\n"
    (run,) = ex.RunStore(home).list()
    assert run.status == "failed"
    assert list((home / "snapshots" / run.id).iterdir()) == []


def test_a_store_on_a_disk_that_fills_up_while_it_is_open_raises_nothing_else(home: Path) -> None:
    seen = limited(
        "run = store.create(SPEC, 'first', owner='me')\n"
        "row = {'split': 'batch', 'name': 'loss', 'epoch': 1, 'step': 1, 'seconds': 0.0, 'value': 1.0}\n"
        "store.report(run.id, 'me', [row])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    while True:\n"
        "        store.report(run.id, 'me', [row] * 100)\n"
        "except StoreError as error:\n"
        "    print(len(store.list()), len(store.metrics(run.id)) % 100)\n",
        home,
    )

    assert seen == "1 1\n"
    assert [run.title for run in ex.RunStore(home).list()] == ["first"]


def test_a_snapshot_that_cannot_take_its_place_leaves_no_part_behind(store: ex.RunStore) -> None:
    store.snapshots.save("0badcafe", 1, {"w": torch.ones(3)})
    (store.home / "snapshots" / "0badcafe" / "000000002.safetensors").mkdir()  # something is in the way

    with pytest.raises(StoreError, match="The weights of step 2 could not be written"):
        store.snapshots.save("0badcafe", 2, {"w": torch.ones(3)})

    assert not list((store.home / "snapshots").rglob("*.part"))
    assert store.snapshots.load("0badcafe", 1)["w"].tolist() == [1, 1, 1]
