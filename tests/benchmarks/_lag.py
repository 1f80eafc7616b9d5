"""When steps were written, when they were seen, and how long lay between."""

from __future__ import annotations

import sqlite3
import threading
import time
from bisect import bisect_left
from pathlib import Path

LOOK_SECONDS = 0.02
"""How often the store is looked at."""
PATIENCE = 5.0
"""A step that was written so long before the end has to have been seen; of later ones, only those that were, count."""

Seen = list[tuple[float, float]]
"""Moments, and the newest step that was there then; both rise."""


class Written(threading.Thread):
    """Looks at the store from outside and notes when each step came to be there.

    A step counts from the last look at which it was not there yet: a lag is rather found too long than too short.

    Args:
        home: The folder of the store.
        run_id: The run.
    """

    def __init__(self, home: Path, run_id: str) -> None:
        super().__init__(daemon=True)
        self._home, self._run = home, run_id
        self._ended = threading.Event()
        self.steps: Seen = []

    def run(self) -> None:
        """Look until told to stop."""
        database = sqlite3.connect(f"file:{self._home / 'runs.sqlite'}?mode=ro", uri=True, timeout=20)
        last = 0
        before = time.time()
        while not self._ended.wait(LOOK_SECONDS):
            now = time.time()
            row = database.execute("SELECT step FROM runs WHERE id = ?", (self._run,)).fetchone()
            if row and row[0] > last:
                last = row[0]
                self.steps.append((before, last))
            before = now
        database.close()

    def stop(self) -> Seen:
        """What was found."""
        self._ended.set()
        self.join(10)
        return self.steps


def lags(written: Seen, seen: Seen, since: float, until: float) -> list[float]:
    """How long each step that was written took to be seen, in seconds.

    Args:
        written: When each step was there.
        seen: What one watcher saw.
        since: Only steps written after this.
        until: When the watcher stopped looking; a step that was due by then and was not seen has an infinite lag.
    """
    moments, newest = [moment for moment, _ in seen], [step for _, step in seen]
    found = []
    for moment, step in written:
        if not since <= moment <= until:
            continue
        first = bisect_left(newest, step)
        if first < len(newest):
            found.append(max(0.0, moments[first] - moment))
        elif until - moment > PATIENCE:
            found.append(float("inf"))
    return found


def percentile(values: list[float], share: float) -> float:
    """The value that so large a share of all lies at or below; infinite if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")
