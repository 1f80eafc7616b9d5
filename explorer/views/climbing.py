"""Climbing towards an input, a little at a time: it can be watched and stopped, and what was reached is kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import streamlit as st

from explorer.errors import NotApplicable
from explorer.views import moving, page, results, state
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.probes.ascent import Bounds, Climb, Goal, Rules

KEPT = 256
"""Climbs that are remembered for all sessions together."""
PART, AT_ONCE = 0.3, 8
"""Seconds that are climbed before the picture is drawn anew, and steps that are taken in one go."""
PAUSE = 0.45
"""Seconds from one part that the browser asks for to the next: more than a part takes, or it never comes to draw."""
STOPPED = "climbs-stopped"


class Climbs:
    """How far each climb has come; safe to use from many threads. The ones not used for longest are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock = kept, threading.Lock()
        self._found: OrderedDict[Hashable, Climb] = OrderedDict()

    def get(self, key: Hashable) -> Climb | None:
        """How far it has come, or None if it has not begun."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: Hashable, climb: Climb) -> Climb:
        """Remember how far it has come, unless somebody else has come further; returns the furthest."""
        with self._lock:
            before = self._found.get(key)
            if before is None or before.taken < climb.taken:
                self._found[key] = climb
            self._found.move_to_end(key)
            while len(self._found) > self._kept:
                self._found.popitem(last=False)
            return self._found[key]


@st.cache_resource(show_spinner=False)
def climbs() -> Climbs:
    """Those of this server."""
    return Climbs()


def reached(view: View, goal: Goal, rules: Rules) -> Climb:
    """How far a climb has come; at its foot if it has not begun."""
    from explorer.probes.ascent import start

    found = climbs().get(_key(view, goal, rules))
    return found or start(goal, rules, bounds(view.run.id), tuple(view.input.shape[1:]))


def climbing(view: View, goal: Goal, rules: Rules, key: str, draw: Callable[[Climb], None]) -> None:
    """Climb, and draw what was reached so far, again and again until it is over or stopped.

    Args:
        view: The model and its data.
        goal, rules: What is climbed, and how.
        key: Tells climbs beside each other apart.
        draw: Draws how far it has come.
    """
    running = not state.playing() and _goes_on(view, goal, rules)
    began = time.monotonic()

    def part() -> None:
        found = reached(view, goal, rules)
        if running and time.monotonic() - began > PAUSE / 2:  # not with the page itself, which should be drawn at once
            found = advance(view, goal, rules)
            if not _goes_on(view, goal, rules):
                st.rerun()  # nothing more to ask for
        with moving.moving(running):
            draw(found)
        _controls(view, goal, rules, key, found)

    st.fragment(page.calm(part), run_every=PAUSE if running else None)()


def advance(view: View, goal: Goal, rules: Rules) -> Climb:
    """Climb for a moment; returns how far it has come."""
    from explorer.probes.ascent import climb

    end = time.monotonic() + PART
    model = results.rebuilt(view.run.id, view.step, per_class=not goal.layer)
    found = reached(view, goal, rules)
    while not found.done and time.monotonic() < end:
        try:
            found = climb(model, found, bounds(view.run.id), AT_ONCE)
        except NotApplicable as silent:
            _stop(view, goal, rules, str(silent))
            break
    return climbs().put(_key(view, goal, rules), found)


def _key(view: View, goal: Goal, rules: Rules) -> Hashable:
    return view.run.id, view.step, goal, rules


# -- stopping ---------------------------------------------------------------------------------------------------------


def _goes_on(view: View, goal: Goal, rules: Rules) -> bool:
    return _stopped(view, goal, rules) is None and not reached(view, goal, rules).done


def _stopped(view: View, goal: Goal, rules: Rules) -> str | None:
    """Why this climb was stopped in this session: empty if the person did; None if it was not."""
    return st.session_state.get(STOPPED, {}).get(_key(view, goal, rules))


def _stop(view: View, goal: Goal, rules: Rules, why: str = "") -> None:
    st.session_state.setdefault(STOPPED, {})[_key(view, goal, rules)] = why


def _go_on(view: View, goal: Goal, rules: Rules) -> None:
    st.session_state.get(STOPPED, {}).pop(_key(view, goal, rules), None)


def _controls(view: View, goal: Goal, rules: Rules, key: str, found: Climb) -> None:
    """How far it has come, with a button that stops it or lets it go on."""
    why = _stopped(view, goal, rules)
    if why:
        st.info(page.plain(why), icon=":material/info:")
    if found.done:
        return
    st.progress(found.taken / rules.steps, f"{found.taken} of {rules.steps} steps")
    if why is None:
        if st.button("Stop", key=f"climb-stop-{key}", icon=":material/stop:"):
            _stop(view, goal, rules)
            st.rerun()
    elif not why and st.button("Go on", key=f"climb-on-{key}", icon=":material/play_arrow:"):
        _go_on(view, goal, rules)
        st.rerun()


@st.cache_data(max_entries=64, show_spinner=False)
def bounds(run_id: str) -> Bounds:
    """Smallest and largest value of the examples a run was trained on."""
    from explorer.data import dataset_of
    from explorer.probes import ascent
    from explorer.views.server import store

    return ascent.bounds(dataset_of(store().get(run_id).spec).train.inputs)
