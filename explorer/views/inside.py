"""What the page *Look inside* is made of: one look, or two beside each other, at one step or at several."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from explorer.views import copies, panel
from explorer.views.looks import LOOKS, Look
from explorer.views.looks.base import COLUMNS
from explorer.views.options import Options
from explorer.views.view import SPREAD, View

NOTHING = "nothing"
STEPS = range(2, 7)
"""How many steps may be shown side by side."""


def inside(view: View) -> dict[str, str]:
    """Choose what to look at, and see it; returns what was chosen, for the URL."""
    reasons = {look.name: look.why_not(view) for look in LOOKS.values()}
    fitting = [name for name, reason in reasons.items() if reason is None]
    options = Options()
    name = _choose(fitting, reasons, options)
    chosen = _settings(fitting, reasons, view, options)
    view = replace(view, many=chosen.steps or SPREAD)
    if chosen.beside == NOTHING:
        left, right = st.columns([1, 3], gap="medium")
        with left:
            panel.example_panel(view)
        with right:
            _draw(name, view, options, chosen.steps > 0)
        return options.drawn
    panel.example_panel(view, beside=True)
    of = replace(view, original=not view.original) if chosen.other else view
    second = Options("2", options.drawn)
    places = zip(st.columns(2, gap="medium"), (name, chosen.beside), (view, of), (options, second), strict=True)
    for column, one, seen, its in places:
        with column:
            st.markdown(f"**{LOOKS[one].title}**" + (f" of {_shown(seen)}" if chosen.other else ""))
            _draw(one, seen, its, chosen.steps > 0, columns=1)
    return options.drawn


def _draw(name: str, view: View, options: Options, several: bool, columns: int = COLUMNS) -> None:
    look: Look = LOOKS.make(name)
    options = replace(options, by=look.name, scope=look.scope)
    if several and not look.steady:
        look.draw_steps(view, options, columns)
        return
    if several:
        st.info(look.steady, icon=":material/info:")
    look.draw(view, options)


def _choose(fitting: list[str], reasons: dict[str, str | None], options: Options) -> str:
    """Choose one of the looks that fit; the others say why they do not."""
    titles = {name: LOOKS[name].title for name in reasons}
    with st.container(key="looks"):
        return options.one(
            "look", "Look at", fitting, words=titles.__getitem__, few=len(LOOKS), label_visibility="collapsed"
        )


class _Settings(NamedTuple):
    """What is seen together.

    Attributes:
        beside: The look beside the first, or nothing.
        other: Whether that is at the original while the first is at its changed copy, or the other way round.
        steps: How many steps side by side; 0 for the one that is looked at.
    """

    beside: str
    other: bool
    steps: int


def _settings(fitting: list[str], reasons: dict[str, str | None], view: View, options: Options) -> _Settings:
    """Choose them."""
    other, steps = False, 0
    with st.container(horizontal=True, vertical_alignment="bottom", key="look-settings"):
        beside = options.one(
            "beside",
            "Beside it",
            [NOTHING, *fitting],
            words=lambda name: LOOKS[name].title if name in fitting else name.capitalize(),
            few=0,
            width=220,
            help="A second look, or the same one at another place.",
        )
        if view.made and beside != NOTHING:
            words = _shown(replace(view, original=not view.original))
            other = options.switch("other", f"Beside it {words}", help="To see what the change does inside.")
        if len(view.steps) > 1 and options.switch(
            "steps", "At several steps", help="The same at some steps of the training, side by side."
        ):
            known = [number for number in STEPS if number <= len(view.steps)]
            steps = options.one("many", "Steps", known, min(SPREAD, known[-1]), few=0, width=90)
        if missing := {name: reason for name, reason in reasons.items() if reason}:
            with st.popover("Not for this model", type="tertiary"):
                for name, reason in missing.items():
                    st.markdown(f"**{LOOKS[name].title}**: {reason}")
    return _Settings(beside, other, steps)


def _shown(view: View) -> str:
    return copies.COPY if view.changed else copies.ORIGINAL
