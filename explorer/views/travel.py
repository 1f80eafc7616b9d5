"""Time travel: the slider of the kept steps, and playing them one after the other.

While they are played, a fragment that draws nothing waits at the end of the page. The browser gets it last and counts
from then on; when the next step is due it asks the server, which moves the lens and runs the whole page again. So no
step is asked for before the one before was drawn, however slow the page or the browser is, and a page that was left or
closed asks for none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import moving, page, state

if TYPE_CHECKING:
    from explorer.views.view import View

KEY = "travel"
SPEEDS = (1, 2, 4)
"""Steps a second one can choose from."""
SOONEST = 0.05
"""Seconds the browser gets at least before the next step is asked for."""


@dataclass(frozen=True)
class Travel:
    """How steps are played.

    Attributes:
        speed: Steps a second, if they can be drawn as fast.
        still: Whether colours keep one scale over all steps: once they were played, until the slider is moved by hand.
        page: The page that was drawn last.
        due: When the next step is due, on the clock of `time.monotonic`.
        before: The step that was shown before this one.
        touched: Empty, or one item: where the slider was put by hand while steps were played; None is the last step.
    """

    speed: int = 2
    still: bool = False
    page: str = ""
    due: float = 0.0
    before: int | None = None
    touched: tuple[int | None, ...] = ()


def current() -> Travel:
    """How steps are played in this session."""
    return st.session_state.get(KEY, Travel())


def _keep(**changes: object) -> None:
    st.session_state[KEY] = replace(current(), **changes)


def _look(step: int | None) -> None:
    """Move the lens without drawing its widgets anew: the slider keeps the focus, and can be dragged."""
    state.look_by(state.lens().revision, step=step)


def arrive(name: str) -> None:
    """Say which page is about to be drawn. Coming from another one stops what was played there, and so does a slider
    that was touched.
    """
    travel = current()
    if name != travel.page:
        state.play(False)
        _keep(page=name, still=False, touched=())
        moving.forget()
    elif travel.touched:
        state.play(False)
        _look(*travel.touched)
        _keep(still=False, touched=())


def controls(view: View) -> None:
    """The slider of the kept steps, with play, pause and speed."""
    revision = state.lens().revision
    key = f"lens-step-{revision}"
    st.session_state[key] = view.step
    st.select_slider(
        "Step",
        view.steps,
        key=key,
        on_change=_moved,
        args=(key, revision, view.step, view.steps[-1]),
        help=f"Weights were kept at these optimiser steps: 0 is {view.begins}, the last is the end. "
        "*Play* shows them one after the other.",
    )
    playing = state.playing()
    with st.container(horizontal=True, key="travel"):
        st.button(
            "Pause" if playing else "Play",
            key="play-steps",
            icon=":material/pause:" if playing else ":material/play_arrow:",
            on_click=_toggle,
            args=(view.step, view.steps),
            width="stretch",
        )
        st.session_state["play-speed"] = current().speed
        st.selectbox(
            "Steps a second",
            SPEEDS,
            key="play-speed",
            format_func=lambda speed: f"{speed} a second",
            label_visibility="collapsed",
            on_change=_set_speed,
        )


def _moved(key: str, revision: int, shown: int, last: int) -> None:
    if key not in st.session_state or revision != state.lens().revision:
        return
    step = None if st.session_state[key] == last else st.session_state[key]  # the end of a run moves with it
    if state.playing():
        _keep(touched=() if st.session_state[key] == shown else (step,))
    else:
        _keep(still=False)
        _look(step)


def _toggle(step: int, steps: list[int]) -> None:
    state.play(not state.playing())
    if state.playing():
        _keep(still=True, due=time.monotonic() + 1 / current().speed, before=None)
        if step == steps[-1]:
            _look(steps[0])
    _keep(touched=())


def _set_speed() -> None:
    _keep(speed=st.session_state["play-speed"])


def keep_playing(seen: Callable[[], View | None]) -> None:
    """At the end of a page: have the next step shown when it is due.

    Args:
        seen: Looks up what the lens points at then.
    """
    if state.playing():
        now = time.monotonic()
        wait = max(SOONEST, current().due - now)
        st.fragment(page.calm(_next), run_every=wait)(seen, now + wait / 2)


def _next(seen: Callable[[], View | None], earliest: float) -> None:
    travel = current()
    if not state.playing() or time.monotonic() < earliest:  # drawn with the page, or asked twice
        return
    if travel.touched == (travel.before,):
        _keep(touched=())  # a browser that had not caught up: it sent the step before along
    elif not travel.touched:
        advance(seen())
    st.rerun()


def advance(view: View | None) -> None:
    """Look at the next kept step; at the last one it stops."""
    later = [step for step in view.steps if step > view.step] if view else []
    if later:
        _look(later[0] if len(later) > 1 else None)
        _keep(before=view.step, due=max(current().due + 1 / current().speed, time.monotonic()))
    if len(later) < 2:
        state.play(False)
