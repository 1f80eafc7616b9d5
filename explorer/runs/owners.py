"""Who trains which run: a lock file for each owner, which the kernel lets go of when its process dies."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from explorer.runs.problems import home_error

log = logging.getLogger("explorer.owners")
_NAME = re.compile(r"[0-9a-f]{16}")


class Owners:
    """The owners that hold a lock in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def hold(self) -> Iterator[str]:
        """Be an owner: yields a fresh name, held until the block ends or the process dies."""
        name = secrets.token_hex(8)
        path = self.folder / f"{name}.lock"
        lock = FileLock(path)
        try:
            lock.acquire(timeout=5)
        except (OSError, Timeout) as error:
            raise home_error(self.folder.parent, error) from error
        try:
            yield name
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            lock.release()

    def alive(self, name: object) -> bool:
        """Whether the process that holds this name still lives; the file of a dead one is removed.

        Names come from the database: what is not one is nobody's, and so is one whose lock cannot be asked for.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return False
        path = self.folder / f"{name}.lock"
        try:
            if path.exists():
                with FileLock(path, blocking=False):
                    path.unlink(missing_ok=True)
        except Timeout:
            return True
        except OSError as error:
            log.warning("owner %s counts as dead: its lock cannot be asked for (%s)", name, error)
        return False
