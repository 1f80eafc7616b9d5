"""What the operating system and SQLite say, in words for the user."""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import Timeout

from explorer.errors import DiskFull, StoreBusy, StoreError

FULL = ("full", "No space", "too large", "quota")
LEAST = 2**16
"""Bytes free below which an error of input or output means that the disk is full: SQLite does not say so itself when
there is no room for the 32 KiB that its processes share."""


def full(error: Exception, place: Path) -> bool:
    """Whether the disk that holds a place is full, by what an error from there says."""
    detail = _said(error)
    return any(words in detail for words in FULL) or ("I/O error" in detail and _free(place) < LEAST)


def home_error(home: Path, error: Exception) -> StoreError:
    """What is wrong with the folder of the store, and what to do."""
    detail = _said(error)
    if full(error, home):
        return DiskFull(f"The disk that holds {home} is full. Free some space or delete runs, then try again.")
    if isinstance(error, Timeout) or "is locked" in detail:
        return StoreBusy(
            f"Another program, such as a backup, holds the runs in {home} ({detail}). Wait until it is done or end it, "
            "then try again."
        )
    if "malformed" in detail or "not a database" in detail:
        return StoreError(f"{home / 'runs.sqlite'} is damaged ({detail}). Move it away or choose another --home.")
    if isinstance(error, FileExistsError) and home.is_dir():
        return StoreError(f"{error.filename} is a file, but it should be a folder. Move it away; a new one is made.")
    return StoreError(f"Runs cannot be kept in {home} ({detail}). Choose a folder you may write to with --home.")


def _said(error: Exception) -> str:
    return str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)


def _free(place: Path) -> float:
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return float("inf")
