"""Where runs live and who computes them; set on the command line or in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from explorer.errors import ExplorerError


@dataclass(frozen=True)
class Settings:
    """Settings of one server or command.

    Attributes:
        home: Folder of the store.
        workers: How many runs train at once.
        device: What ``auto`` in a run means here: auto, cpu, cuda or mps.
    """

    home: Path
    workers: int
    device: str

    @classmethod
    def read(cls) -> Settings:
        """Settings from ``EXPLORER_HOME``, ``EXPLORER_WORKERS`` and ``EXPLORER_DEVICE``, or their defaults.

        Raises:
            ExplorerError: One of them cannot be used.
        """
        home = os.environ.get("EXPLORER_HOME") or platformdirs.user_data_path("visual-model-explorer")
        workers = os.environ.get("EXPLORER_WORKERS") or str(os.cpu_count() or 1)
        if not workers.isdecimal() or len(workers) > 9 or not 1 <= int(workers) <= 256:
            shown = workers if len(workers) < 40 else f"{workers[:39]}…"
            raise ExplorerError(f"The number of workers is {shown!r}; it should be a whole number from 1 to 256.")
        return cls(_folder(Path(home)), int(workers), os.environ.get("EXPLORER_DEVICE") or "auto")

    def export(self) -> None:
        """Hand the settings to the pages and to child processes."""
        os.environ.update(EXPLORER_HOME=str(self.home), EXPLORER_WORKERS=str(self.workers), EXPLORER_DEVICE=self.device)


def _folder(home: Path) -> Path:
    try:
        return home.expanduser().absolute()
    except (RuntimeError, OSError) as error:  # nobody of that name, or the folder one is in was deleted
        raise ExplorerError(
            f"Runs cannot be kept in {home} ({error}). Name the folder with --home from the root, as in /srv/runs."
        ) from error
