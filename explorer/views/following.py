"""What all who watch a run share: its metrics, read on from where the last reader was, and the newest figures of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pandas as pd

from explorer.figures.lines import Line, Lines
from explorer.runs.store import RunStore
from explorer.runs.tables import METRIC_COLUMNS

MOST_POINTS = 2_000_000
"""Points kept of all runs together, 40 bytes each; the run that was watched last is kept whatever it takes."""
FIRST_ROOM = 256
"""Points a line has room for at first."""


class Curves:
    """Metrics of the runs that are being watched; safe to use from many threads.

    Args:
        store: Where they are read.
        runs: Of how many runs they are kept; those that nobody asked for the longest go first.
    """

    def __init__(self, store: RunStore, runs: int = 64) -> None:
        self._store, self._runs = store, runs
        self._known: OrderedDict[str, _Record] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, run_id: str) -> pd.DataFrame:
        """All metrics of a run so far, as from `RunStore.metrics`; do not change the table."""
        record = self._record(run_id)
        with record.lock:
            record.take(self._store.news(run_id, record.newest))
            return record.table()

    def follow(self, run_id: str) -> tuple[Lines, Hashable]:
        """The same as lines, and which version of them it is: of two alike, all lines are."""
        record = self._record(run_id)
        with record.lock:
            record.take(self._store.news(run_id, record.newest))
            return record.lines(), (record.newest, record.cuts)

    def _record(self, run_id: str) -> _Record:
        with self._lock:
            record = self._known.setdefault(run_id, _Record())
            self._known.move_to_end(run_id)
            points = sum(map(len, self._known.values()))
            while len(self._known) > 1 and (len(self._known) > self._runs or points > MOST_POINTS):
                points -= len(self._known.popitem(last=False)[1])
            return record


class _Record:
    """All lines of one run, in columns that grow at their end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.newest = 0
        self.cuts = 0
        self._columns: dict[tuple[str, str], _Columns] = {}
        self._table: pd.DataFrame | None = None
        self._lines: Lines | None = None

    def __len__(self) -> int:
        return sum(columns.count for columns in list(self._columns.values()))

    def take(self, rows: list[Any]) -> None:
        """Add rows of the store, oldest first."""
        if not rows:
            return
        self._table = self._lines = None
        for number, split, name, step, epoch, seconds, value in rows:
            columns = self._columns.setdefault((split, name), _Columns())
            if step <= columns.last:  # the run went back to a kept step, and what was written after it is gone
                self.cuts += 1
                for each in self._columns.values():
                    each.cut(step)
            columns.add((number, step, epoch, seconds, value))
        self.newest = rows[-1][0]

    def lines(self) -> Lines:
        if self._lines is None:
            self._lines = {key: Line(*columns.filled()[1:]) for key, columns in self._columns.items() if columns.count}
        return self._lines

    def table(self) -> pd.DataFrame:
        if self._table is None:
            parts = [columns.filled() for columns in self._columns.values()]
            number, step, epoch, seconds, value = np.concatenate(parts, axis=1) if parts else np.zeros((5, 0))
            names = np.repeat(np.array(list(self._columns), object).reshape(-1, 2), [p.shape[1] for p in parts], axis=0)
            table = pd.DataFrame(
                {
                    "id": number.astype(int),
                    "split": names[:, 0],
                    "name": names[:, 1],
                    "step": step.astype(int),
                    "epoch": epoch.astype(int),
                    "seconds": seconds,
                    "value": value,
                },
                columns=METRIC_COLUMNS,
            )
            self._table = table.sort_values("id", ignore_index=True)
        return self._table


class _Columns:
    """Id, step, epoch, seconds and value of one line; what was handed out stays as it was."""

    def __init__(self) -> None:
        self._room = np.empty((5, FIRST_ROOM))
        self.count = 0

    @property
    def last(self) -> float:
        """The last step, -1 if there is none."""
        return self._room[1, self.count - 1] if self.count else -1

    def add(self, row: tuple[float, ...]) -> None:
        if self.count == self._room.shape[1]:
            self._room = np.concatenate([self._room, np.empty_like(self._room)], axis=1)
        self._room[:, self.count] = row
        self.count += 1

    def cut(self, step: float) -> None:
        """Forget what was measured at a step and after it."""
        self.count = int(np.searchsorted(self._room[1, : self.count], step))
        self._room = self._room.copy()  # others may still look at what comes after

    def filled(self) -> np.ndarray:
        """What is there, (5, N), not to be changed."""
        filled = self._room[:, : self.count]
        filled.flags.writeable = False
        return filled


class Newest:
    """The newest of each thing that many ask for: made again only when what it was made from has changed.

    Args:
        most: How many are kept; those that nobody asked for the longest go first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, state: Hashable, make: Callable[[], Any]) -> Any:
        """The thing of a name, made now unless the last one was made from the same state; do not change it."""
        with self._lock:
            found = self._made.get(key)
        if found is None or found[0] != state:
            found = (state, make())
        with self._lock:
            self._made[key] = found
            self._made.move_to_end(key)
            while len(self._made) > self._most:
                self._made.popitem(last=False)
        return found[1]
