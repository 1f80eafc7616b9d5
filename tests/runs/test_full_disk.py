"""A full disk: said in words, and what was written before stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
import torch

import explorer as ex
from explorer.errors import StoreError
from tests.processes import python
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
