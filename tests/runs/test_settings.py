"""Settings from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer.errors import ExplorerError
from explorer.runs import Settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "WORKERS", "DEVICE"):
        monkeypatch.setenv(f"EXPLORER_{name}", "")  # set, so that whatever a test exports is undone


def test_without_any_there_are_sensible_ones() -> None:
    settings = Settings.read()

    assert settings.home.is_absolute()
    assert settings.home.name == "visual-model-explorer"
    assert settings.workers == os.cpu_count()
    assert settings.device == "auto"


def test_what_is_exported_is_read_again() -> None:
    settings = Settings(Path("/somewhere/else"), workers=3, device="cpu")

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
