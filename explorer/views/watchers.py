"""How often those who watch are shown something new: the more they are, the less often, so that one server is enough.

A panel that follows something is drawn by `follow`, now and again, and its part that changes all the time by `often`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from statistics import median
from typing import Any

import streamlit as st

from explorer.views import moving, page, state

FASTEST, SLOWEST = 0.3, 2.0
"""Seconds between two redraws of what changes all the time, for a few who watch and for a crowd."""
WHOLE = 5.0
"""Seconds between two redraws of all of a panel, which also tell the browser how often to ask for what changes."""
SHARE = 0.3
"""Largest share of a core that drawing may take. Streamlit takes about as much again to send it."""
COST = 0.006
"""Seconds that a redraw is taken to need until it was measured."""
MEASURED = 5
"""Of so many redraws the median counts: the first one of a server also imports."""
SMOOTH = 8
"""Up to so many parts that are followed, figures change without a blank between, which takes sending each twice."""
CALM = 0.7
"""Share of what a shorter interval can bear that the load must fall below: else it would go back and forth."""
AT_ONCE = 2
"""Redraws that go on at once. More threads would not be faster, and those that send would hardly get their turn."""
PAGE_SECONDS = 0.2
"""Least time between two pages that are drawn anew because a run has changed, on the whole server."""

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
"""Tells whether the tab lies behind others."""


_drawing: ContextVar[list[Callable[..., None]] | None] = ContextVar("drawing", default=None)
"""Parts drawn so far of the panel that has its turn; None outside of one."""


class Watchers:
    """Everybody who watches something now, and how much each costs; safe to use from many threads.

    Args:
        clock: Seconds that pass; tests bring their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.turn = threading.BoundedSemaphore(AT_ONCE)
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._costs: dict[str, deque[float]] = {}
        self._least: dict[str, float] = {}
        self._interval = FASTEST
        self._page_at = float("-inf")

    def seen(self, who: str, every: float, cost: float, least: float = 0.0) -> None:
        """Somebody was shown something new, which took so many seconds, and is to ask again after `every`; after
        `least` in any case, however few watch.
        """
        with self._lock:
            self._until[who] = self._clock() + 3 * every + 1  # who is late is no less there
            self._costs.setdefault(who, deque([COST] * (MEASURED // 2 + 1), MEASURED)).append(cost)
            self._least[who] = least

    def left(self, who: str) -> None:
        """Somebody does not watch any more."""
        with self._lock:
            self._forget(who)

    def count(self) -> int:
        """How many watch something all the time."""
        with self._lock:
            self._drop_silent()
            return sum(not least for least in self._least.values())

    def interval(self) -> float:
        """Seconds after which each should ask again: one of few values, which is kept unless it has to change."""
        with self._lock:
            self._drop_silent()
            up, down = self._bearable(SHARE), self._bearable(SHARE * CALM)
            self._interval = up if up > self._interval else min(self._interval, down)
            return self._interval

    def page_may_be_drawn(self) -> bool:
        """Whether a whole page may be drawn anew now; whoever is told so has to do it."""
        with self._lock:
            due = self._clock() >= self._page_at + PAGE_SECONDS
            if due:
                self._page_at = self._clock()
            return due

    def _bearable(self, share: float) -> float:
        """The shortest interval at which all take no more than this share of a core, or the longest."""
        costs = [(median(costs), self._least[who]) for who, costs in self._costs.items()]
        levels = (FASTEST, 2 * FASTEST, 4 * FASTEST)
        loads = ((level, sum(cost / max(level, least) for cost, least in costs)) for level in levels)
        return next((level for level, load in loads if load <= share), SLOWEST)

    def _drop_silent(self) -> None:
        now = self._clock()
        for who in [who for who, until in self._until.items() if until < now]:
            self._forget(who)

    def _forget(self, who: str) -> None:
        self._until.pop(who, None)
        self._costs.pop(who, None)
        self._least.pop(who, None)


@st.cache_resource(show_spinner=False)
def watchers() -> Watchers:
    """Those of this server."""
    return Watchers()


@st.cache_resource(show_spinner=False)
def _eye() -> Callable[..., Any]:
    return st.components.v2.component("eye", js=EYE)


def _looked_at() -> bool:
    """Whether the tab lies in front of others; the page is drawn anew when that changes."""
    return not _eye()(key="eye", default={"hidden": False}, on_hidden_change=_blink).hidden


def _blink() -> None:
    """Nothing: being told is enough to be drawn again."""


def follow(panel: Callable[..., None], going: bool, *args: Any, every: float = WHOLE) -> None:
    """Draw a panel and, while what it shows goes on and somebody looks, every few seconds again.

    Args:
        panel: Draws; it is called with whether it will be again, and `args`. Once what it shows is over, it should ask
            for the `whole_page`: only that ends it.
        going: Whether what it shows goes on.
        *args: What else it is called with.
        every: Seconds between two redraws; a crowd is shown it less often.
    """
    with st.container(key="eye-place"):  # there also once it is over: what is below keeps its place, and is no twin
        again = going and _looked_at()
    slower = max(every, watchers().interval())
    st.fragment(_whole, run_every=slower if again else None)(panel, again, every, slower, *args)


def often(panel: Callable[..., None], *args: Any) -> None:
    """Within a panel that is followed, draw a part of it as often as the server can bear."""
    every = watchers().interval()
    st.fragment(_part, run_every=every)(panel, every, *args)


@page.calm
def _whole(panel: Callable[..., None], again: bool, least: float, every: float, *args: Any) -> None:
    if not again:
        panel(again, *args)
        return
    with _turn(panel, every, least):
        panel(again, *args)


@page.calm
def _part(panel: Callable[..., None], every: float, *args: Any) -> None:
    with _turn(panel, every), moving.moving(watchers().count() <= SMOOTH):
        panel(*args)


@contextmanager
def _turn(panel: Callable[..., None], every: float, least: float = 0.0) -> Iterator[None]:
    """Take a turn to draw a panel, and say what it cost; a part of one that has its turn needs none of its own."""
    everybody, around, parts = watchers(), _drawing.get(), []
    if around is not None:
        around.append(panel)
    with everybody.turn if around is None else nullcontext():
        token, began = _drawing.set(parts), time.thread_time()
        try:
            yield
        finally:
            _drawing.reset(token)
        if not parts:  # else they are what is drawn again and again, and say it themselves
            who = f"{state.session()}-{panel.__module__}.{panel.__name__}"
            everybody.seen(who, every, time.thread_time() - began, least)


def whole_page() -> None:
    """Draw the whole page anew, unless others just do: then what is there stays until the next time."""
    if watchers().page_may_be_drawn():
        st.rerun()
