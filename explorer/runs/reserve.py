"""A little room that is kept back: on a full disk it lets runs still be read, ended and deleted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

ROOM = 2**20
"""Bytes kept back: SQLite needs 32 KiB to open a database, and a journal of what it deletes."""


class Reserve:
    """One file without meaning, which is removed when its room is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self) -> None:
        """Keep the room back, if the disk has it."""
        try:
            if not self.path.exists() or self.path.stat().st_size < ROOM:
                self.path.write_bytes(os.urandom(ROOM))  # not zeros, for which some file systems take no room
        except OSError:
            self.give_up()

    def give_up(self) -> None:
        """Let go of the room."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
