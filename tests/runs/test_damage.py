"""Damaged records, damaged files and places that cannot be written: said in words, and nothing else is lost."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.__main__ import main
from explorer.errors import StoreError
from explorer.runs import Status
from tests.processes import forked
from tests.runs.conftest import SPEC

CAP_DAC_OVERRIDE = 1
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

JUNK = {
    "word": "'junk'",
    "empty": "''",
    "bytes": "x'ff00'",
    "text that is not UTF-8": "CAST(x'ff' AS TEXT)",
    "nesting": "'" + "[" * 100_000 + "'",
    "other JSON": "'[1, 2]'",
}
CHECKED = ("spec", "status", "test", "step", "total_steps", "epoch", "parameters", "rate", "created", "started")


def without_rights() -> None:
    """Let permissions count for root as well, as they do for everybody else."""
    libc, of_this_process = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(_LINUX_CAPABILITY_VERSION_3, 0)
    rights = (ctypes.c_uint32 * 6)()
    libc.capget(of_this_process, rights)
    rights[0] &= ~(1 << CAP_DAC_OVERRIDE)
    libc.capset(of_this_process, rights)


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("column", CHECKED)
def test_a_damaged_record_is_listed_as_failed_with_the_reason_and_hides_no_other(
    column: str, junk: str, store: ex.RunStore, sql: Callable[..., list[Any]]
) -> None:
    before, damaged, after = (store.create(SPEC, title) for title in ("before", "damaged", "after"))
    sql(f"UPDATE runs SET {column} = {JUNK[junk]} WHERE id = ?", damaged.id)

    listed = store.list()

    assert [run.title for run in listed] == ["after", "damaged", "before"]
    assert listed[0] == after
    assert listed[2] == before
    run = listed[1]
    assert (run.id, run.status, run.spec) == (damaged.id, Status.FAILED, None)
    assert run.reason.startswith("The record of this run is damaged and cannot be used: delete it. (")
    assert len(run.reason) < 300
    assert (run.progress, run.trained) == (0, 0)


def test_a_damaged_record_can_be_deleted(store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    damaged = store.create(SPEC, "damaged")
    sql("UPDATE runs SET spec = 'junk'")

    assert store.get(damaged.id).spec is None
    assert store.delete(damaged.id) is True
    assert store.list() == []


@pytest.mark.parametrize("column", ["title", "reason", "device", "owner"])
def test_text_that_is_not_utf8_is_shown_as_far_as_it_goes(
    column: str, store: ex.RunStore, sql: Callable[..., list[Any]]
) -> None:
    run = store.create(SPEC, "title")
    sql(f"UPDATE runs SET {column} = CAST(x'61ff' AS TEXT)")

    assert [each.id for each in store.list()] == [run.id]
    assert getattr(store.get(run.id), column, "a\ufffd") == "a\ufffd"


@pytest.mark.parametrize("junk", JUNK)
def test_a_damaged_turn_does_not_stop_the_queue(junk: str, store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    for session in ("one", "other"):
        store.create(SPEC, session, session=session)
    store.end(store.claim("me").id, Status.FINISHED)
    sql(f"UPDATE runs SET turn = {JUNK[junk]}")

    assert store.claim("me").title == "other"


def test_a_spec_of_another_version_is_not_misread(store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    run = store.create(SPEC, "from the future")
    sql("UPDATE runs SET spec = replace(spec, '\"version\":1', '\"version\":2')")

    assert "version" in store.get(run.id).reason


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_database_says_where_it_is_and_what_to_do(content: bytes, home: Path) -> None:
    ex.RunStore(home).close()
    (home / "runs.sqlite").write_bytes(content)

    with pytest.raises(StoreError, match=r"runs\.sqlite is damaged \(.*\)\. Move it away or choose another --home"):
        ex.RunStore(home).list()


def test_a_database_that_breaks_while_it_is_open_says_so(store: ex.RunStore) -> None:
    store.create(SPEC, "a")
    store.close()
    content = bytearray((store.home / "runs.sqlite").read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # all pages but the first
    (store.home / "runs.sqlite").write_bytes(content)

    with pytest.raises(StoreError, match="is damaged"):
        store.list()


def test_a_home_that_is_a_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("something else")

    for home in (file, file / "below"):
        with pytest.raises(StoreError, match=r"Runs cannot be kept in .* Choose a folder you may write to with --home"):
            ex.RunStore(home)
    assert file.read_text() == "something else"


@pytest.mark.parametrize("name", ["snapshots", "owners"])
def test_a_file_where_a_folder_belongs_is_named_with_the_mend(name: str, home: Path) -> None:
    home.mkdir()
    (home / name).write_text("mine")

    with pytest.raises(StoreError, match=rf"{home / name} is a file, but it should be a folder\. Move it away"):
        ex.RunStore(home)
    assert (home / name).read_text() == "mine"


def test_weights_that_cannot_be_written_for_want_of_a_folder_do_not_ask_for_disk_space(store: ex.RunStore) -> None:
    store.snapshots.folder.rmdir()
    store.snapshots.folder.write_text("mine")

    with pytest.raises(StoreError, match=r"not be written \(.*\)\. See that .*0badcafe is a folder you may write"):
        store.snapshots.save("0badcafe", 0, {"w": torch.zeros(1)})
    assert store.snapshots.steps("0badcafe") == []


@pytest.mark.parametrize("what", ["a new folder", "an empty folder", "a store"])
def test_a_home_that_may_not_be_written_is_one_line_on_the_command_line(what: str, tmp_path: Path) -> None:
    home = tmp_path / "locked" / ("home" if what == "a new folder" else "")
    (tmp_path / "locked").mkdir()
    if what == "a store":
        ex.RunStore(home).close()
    for folder, _, files in os.walk(tmp_path / "locked"):
        for file in files:
            (Path(folder) / file).chmod(0o444)
        Path(folder).chmod(0o555)

    def run() -> int:
        without_rights()
        return main(["train", "--home", str(home)])

    done = forked(run)

    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"explorer: Runs cannot be kept in {home} (")
    assert line.endswith("Choose a folder you may write to with --home.")


OWNERS = {
    "a path": "'../../x'",
    "a path to what is there": "'../outside'",
    "an absolute path": "'/tmp/x'",
    "other letters": "'0123456789ABCDEF'",
    "a name and more": "'0123456789abcdef' || char(10)",
    "zero": "'a' || char(0)",
    "bytes": "x'ff00'",
    "text that is not UTF-8": "CAST(x'ff' AS TEXT)",
    "much": "hex(zeroblob(10000))",
}


@pytest.mark.parametrize("owner", OWNERS)
def test_an_owner_that_is_none_is_dead_and_never_becomes_a_path(
    owner: str, store: ex.RunStore, sql: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = [store.home / "outside.lock", store.home.parent.parent / "x.lock"]
    for path in outside:
        path.write_text("mine")
    run = store.create(SPEC, "a", owner="0" * 16)
    sql(f"UPDATE runs SET owner = {OWNERS[owner]}")
    monkeypatch.setattr("explorer.runs.owners.FileLock", lambda *_, **__: pytest.fail("a lock was asked for"))

    assert store.recover() == 1

    assert store.get(run.id).status is Status.INTERRUPTED
    assert [path.read_text() for path in outside] == ["mine", "mine"]


def test_an_owner_whose_lock_cannot_be_asked_for_is_dead(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder, denied = "0" * 16, "1" * 16
    runs = [store.create(SPEC, owner, owner=owner) for owner in (folder, denied)]
    (store.home / "owners" / f"{folder}.lock").mkdir()
    (store.home / "owners" / f"{denied}.lock").touch()
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.stem == denied:
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)

    assert store.recover() == 2

    assert [store.get(run.id).status for run in runs] == [Status.INTERRUPTED] * 2
    assert f"owner {folder} counts as dead" in caplog.text
    assert f"owner {denied} counts as dead: its lock cannot be asked for ([Errno 13] Permission denied)" in caplog.text
