"""Settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from explorer.errors import ExplorerError
from explorer.runs import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "WORKERS", "DEVICE", "MEMORY"):
        monkeypatch.setenv(f"EXPLORER_{name}", "")  # set, so that whatever a test exports is undone


def test_without_any_there_are_sensible_ones() -> None:
    settings = Settings.read()

    assert settings.home.is_absolute()
    assert settings.home.name == "visual-model-explorer"
    assert settings.workers == os.cpu_count()
    assert settings.device == "auto"
    assert 0 < settings.memory * settings.workers < psutil.virtual_memory().total / 2**30


def test_what_is_exported_is_read_again() -> None:
    settings = Settings(Path("/somewhere/else"), workers=3, device="cpu", memory=1.5)

    settings.export()

    assert Settings.read() == settings


def test_a_relative_home_becomes_absolute_and_a_tilde_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", "runs")
    assert Settings.read().home == Path.cwd() / "runs"
    monkeypatch.setenv("EXPLORER_HOME", "~/runs")
    assert Settings.read().home == Path.home() / "runs"


@pytest.mark.parametrize("workers", ["0", "-1", "257", "two", "1.5", "²"])
def test_a_wrong_number_of_workers_is_refused(workers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_WORKERS", workers)

    with pytest.raises(ExplorerError, match=f"workers is '{workers}'; it should be a whole number from 1 to 256"):
        Settings.read()


def test_a_number_of_workers_too_long_to_read_is_refused_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_WORKERS", "9" * 5000)  # int() itself refuses more than 4300 digits

    with pytest.raises(ExplorerError, match=r"workers is '9{39}…'; it should be"):
        Settings.read()


@pytest.mark.parametrize("memory", ["0", "-1", "0.4", "much", "nan"])
def test_a_memory_no_worker_can_live_in_is_refused(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MEMORY", memory)

    with pytest.raises(ExplorerError, match=f"memory of a worker is '{memory}'; it should be a number of GiB from 0.5"):
        Settings.read()


def test_the_folder_of_a_user_who_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_HOME", "~nobody-of-that-name/runs")

    with pytest.raises(ExplorerError, match=r"cannot be kept in ~nobody-of-that-name/runs \(.*\)\. Name the folder"):
        Settings.read()


def test_a_relative_home_in_a_folder_that_was_deleted_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setenv("EXPLORER_HOME", "runs")

    with pytest.raises(ExplorerError, match="Name the folder with --home from the root"):
        Settings.read()
