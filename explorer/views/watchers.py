"""How often those who watch are shown something new: the more they are, the less often, so that one server is enough.

A panel that follows something is drawn again by `follow`, and by nothing else.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import streamlit as st

from explorer.views import page, state

SHARE = 0.3
"""Largest share of a core that drawing the panels again may take. Streamlit takes as much again to send them."""
COST = 0.006
"""Seconds that drawing a panel is taken to need until it was measured."""
MEASURED = 5
"""Of so many redraws the median counts: the first one of a server also imports."""
CALM = 0.7
"""Share of a shorter interval's bound that the load must fall below: else it would go back and forth."""

EYE = """
export default function ({ parentElement, setStateValue }) {
  parentElement.watch?.abort()
  const watch = (parentElement.watch = new AbortController())
  const tell = () => setStateValue("hidden", document.hidden)
  document.addEventListener("visibilitychange", tell, { signal: watch.signal })
  if (document.hidden) tell()
  return () => watch.abort()
}
"""


@dataclass(frozen=True)
class Pace:
    """The shortest and the longest time between two redraws, in seconds."""

    fastest: float
    slowest: float

    @property
    def levels(self) -> list[float]:
        """The intervals there are: few, since a new one means that a page is drawn once more as a whole."""
        doubled = [self.fastest * 2**n for n in range(10)]
        return [*(seconds for seconds in doubled if seconds < self.slowest), self.slowest]


LIVE = Pace(0.3, 2.0)
"""One run, live."""
LIST = Pace(1.0, 8.0)
"""Many runs, at a glance."""


class Watchers:
    """All sessions that watch something now, and how much each costs; safe to use from many threads.

    Args:
        clock: Seconds that pass; tests bring their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._costs: dict[str, deque[float]] = {}
        self._chosen: dict[Pace, float] = {}

    def seen(self, session: str, every: float, cost: float) -> None:
        """A session was shown something new, which took so many seconds, and is to ask again after `every`."""
        with self._lock:
            self._until[session] = self._clock() + 3 * every + 1  # one that is late is no less there
            self._costs.setdefault(session, deque([COST] * (MEASURED // 2 + 1), MEASURED)).append(cost)

    def left(self, session: str) -> None:
        """A session does not watch any more."""
        with self._lock:
            self._forget(session)

    def count(self) -> int:
        """How many sessions watch."""
        with self._lock:
            self._drop_silent()
            return len(self._until)

    def interval(self, pace: Pace) -> float:
        """Seconds after which each should ask again."""
        with self._lock:
            self._drop_silent()
            wanted = sum(median(costs) for costs in self._costs.values()) / SHARE
            up, down = (_at_least(pace, seconds) for seconds in (wanted, wanted / CALM))
            current = self._chosen.get(pace, pace.fastest)
            self._chosen[pace] = up if up > current else min(current, down)
            return self._chosen[pace]

    def _drop_silent(self) -> None:
        now = self._clock()
        for session in [session for session, until in self._until.items() if until < now]:
            self._forget(session)

    def _forget(self, session: str) -> None:
        self._until.pop(session, None)
        self._costs.pop(session, None)


def _at_least(pace: Pace, seconds: float) -> float:
    return next((level for level in pace.levels if level >= seconds), pace.slowest)


@st.cache_resource(show_spinner=False)
def watchers() -> Watchers:
    """Those of this server."""
    return Watchers()


@st.cache_resource(show_spinner=False)
def _eye() -> Callable[..., Any]:
    return st.components.v2.component("eye", js=EYE)


def looked_at() -> bool:
    """Whether the tab lies in front of others; where this is asked is drawn again when that changes."""
    hidden = bool(_eye()(key="eye", default={"hidden": False}, on_hidden_change=_blink).hidden)
    if hidden:
        watchers().left(state.session())
    return not hidden


def _blink() -> None:
    """Nothing: being told is enough to be drawn again."""


def follow(panel: Callable[..., None], pace: Pace, *args: Any) -> None:
    """Draw a panel, and again and again while somebody looks; to end it, let the panel ask for the whole page.

    Args:
        panel: Draws; whatever it raises is shown calmly.
        pace: How often at most and at least.
        *args: What it is called with.
    """
    every = watchers().interval(pace)
    st.fragment(_drawn, run_every=every)(panel, pace, every, *args)


@page.calm
def _drawn(panel: Callable[..., None], pace: Pace, every: float, *args: Any) -> None:
    began = time.thread_time()
    if watchers().interval(pace) != every:
        st.rerun()  # a fragment cannot change its own interval
    panel(*args)
    watchers().seen(state.session(), every, time.thread_time() - began)
