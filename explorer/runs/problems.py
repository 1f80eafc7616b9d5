"""What the operating system and SQLite say, in words for the user."""

from __future__ import annotations

from pathlib import Path

from explorer.errors import StoreError


def home_error(home: Path, error: Exception) -> StoreError:
    """What is wrong with the folder of the store, and what to do."""
    detail = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
    if "full" in detail or "No space" in detail or "too large" in detail:
        return StoreError(f"The disk that holds {home} is full. Free some space or delete runs, then try again.")
    if "malformed" in detail or "not a database" in detail:
        return StoreError(f"{home / 'runs.sqlite'} is damaged ({detail}). Move it away or choose another --home.")
    return StoreError(f"Runs cannot be kept in {home} ({detail}). Choose a folder you may write to with --home.")
