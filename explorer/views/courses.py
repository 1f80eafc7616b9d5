"""How right a run was about one example at each kept step: worked out bit by bit, and remembered."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import streamlit as st

from explorer.errors import SnapshotError
from explorer.views import results

KEPT = 128
"""Courses remembered for all sessions together."""
SECONDS = 0.05
"""How long one redraw may work on a course while a run is watched: it grows with the next ones."""
PATIENT = 1.0
"""The same where nothing is drawn again by itself."""

Place = tuple[str, str, int]
"""Run, split and example."""


class Courses:
    """Numbers by step for examples of runs; the ones not looked at for longest are forgotten."""

    def __init__(self, work: Callable[[str, int, str, int], float], kept: int = KEPT) -> None:
        self._work, self._kept = work, kept
        self._known: OrderedDict[Place, dict[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, place: Place, steps: Sequence[int], seconds: float) -> dict[int, float]:
        """The numbers of steps that are known by now, in the order of the steps.

        Args:
            place: Run, split and example.
            steps: Kept steps, in order; one that was dropped meanwhile is left out.
            seconds: How long unknown ones may be worked out: the last first, then evenly.
        """
        with self._lock:
            known = self._known.setdefault(place, {})
            self._known.move_to_end(place)
            while len(self._known) > self._kept:
                self._known.popitem(last=False)
        run, split, example = place
        end = time.monotonic() + seconds
        for step in evenly(steps):
            if step not in known:
                try:
                    known[step] = self._work(run, step, split, example)
                except SnapshotError:
                    continue
                if time.monotonic() > end:
                    break
        return {step: known[step] for step in steps if step in known}


def evenly(steps: Sequence[int]) -> Iterator[int]:
    """Steps in an order in which any beginning is spread evenly; the last one comes first, then the first."""
    yield from steps[-1:]
    stride = 1 << max(len(steps) - 1, 1).bit_length()
    given = {len(steps) - 1}
    while stride:
        for place in range(0, len(steps), stride):
            if place not in given:
                given.add(place)
                yield steps[place]
        stride //= 2


@st.cache_resource(show_spinner=False)
def _courses() -> Courses:
    return Courses(results.rightness)


def course(place: Place, steps: Sequence[int], live: bool) -> dict[int, float]:
    """How right a run was about an example at its kept steps, as far as it is known by now: see
    `results.rightness`.
    """
    return _courses().read(place, steps, SECONDS if live else PATIENT)
