"""Where runs live and who computes them; set on the command line or in the environment."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import psutil

from explorer.errors import ExplorerError

SHARE = 0.8
"""Share of the machine's memory that all workers together may take by default."""
LEAST_MEMORY = 0.5
"""GiB a worker needs to begin with: most of it is torch's."""


@dataclass(frozen=True)
class Settings:
    """Settings of one server or command.

    Attributes:
        home: Folder of the store.
        workers: How many runs train at once.
        device: What ``auto`` in a run means here: auto, cpu, cuda or mps.
        memory: Most GiB of memory one worker may take before it is ended.
    """

    home: Path
    workers: int
    device: str
    memory: float = math.inf

    @classmethod
    def read(cls) -> Settings:
        """Settings from ``EXPLORER_`` and ``HOME``, ``WORKERS``, ``DEVICE`` or ``MEMORY``, or their defaults.

        Raises:
            ExplorerError: One of them cannot be used.
        """
        home = os.environ.get("EXPLORER_HOME") or platformdirs.user_data_path("visual-model-explorer")
        workers = os.environ.get("EXPLORER_WORKERS") or str(os.cpu_count() or 1)
        if not workers.isdecimal() or len(workers) > 9 or not 1 <= int(workers) <= 256:
            shown = workers if len(workers) < 40 else f"{workers[:39]}…"
            raise ExplorerError(f"The number of workers is {shown!r}; it should be a whole number from 1 to 256.")
        memory = _memory(os.environ.get("EXPLORER_MEMORY"), int(workers))
        return cls(_folder(Path(home)), int(workers), os.environ.get("EXPLORER_DEVICE") or "auto", memory)

    def export(self) -> None:
        """Hand the settings to the pages and to child processes."""
        os.environ.update(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """The same as variables."""
        return {
            "EXPLORER_HOME": str(self.home),
            "EXPLORER_WORKERS": str(self.workers),
            "EXPLORER_DEVICE": self.device,
            "EXPLORER_MEMORY": str(self.memory),
        }


def _memory(given: str | None, workers: int) -> float:
    if not given:
        return total() * SHARE / workers / 2**30
    try:
        memory = float(given)
    except ValueError:
        memory = 0.0
    if not memory >= LEAST_MEMORY:  # nor is NaN
        shown = given if len(given) < 40 else f"{given[:39]}…"
        raise ExplorerError(
            f"The memory of a worker is {shown!r}; it should be a number of GiB from {LEAST_MEMORY} up."
        )
    return memory


def _folder(home: Path) -> Path:
    try:
        return home.expanduser().absolute()
    except (RuntimeError, OSError) as error:  # nobody of that name, or the folder one is in was deleted
        raise ExplorerError(
            f"Runs cannot be kept in {home} ({error}). Name the folder with --home from the root, as in /srv/runs."
        ) from error


def total() -> int:
    """Bytes of memory there are for this machine or container."""
    bounds = [psutil.virtual_memory().total]
    with suppress(OSError, ValueError):  # "max" where the container has no bound
        bounds.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(bounds)
