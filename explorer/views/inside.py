"""What the page *Look inside* is made of: one look, or two beside each other, at one step or at several."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.views import panel
from explorer.views.looks import LOOKS, Look
from explorer.views.looks.base import COLUMNS
from explorer.views.options import Options
from explorer.views.view import View

NOTHING = "nothing"


def inside(view: View) -> dict[str, str]:
    """Choose what to look at, and see it; returns what was chosen, for the URL."""
    reasons = {look.name: look.why_not(view) for look in LOOKS.values()}
    fitting = [name for name, reason in reasons.items() if reason is None]
    options = Options()
    name = _choose(fitting, reasons, options)
    beside, several = _settings(fitting, reasons, view, options)
    if beside == NOTHING:
        left, right = st.columns([1, 3], gap="medium")
        with left:
            panel.example_panel(view)
        with right:
            _draw(name, view, options, several)
        return options.drawn
    panel.example_panel(view, beside=True)
    second = Options("2", options.drawn)
    for column, one, its in zip(st.columns(2, gap="medium"), (name, beside), (options, second), strict=True):
        with column:
            st.markdown(f"**{LOOKS[one].title}**")
            _draw(one, view, its, several, columns=1)
    return options.drawn


def _draw(name: str, view: View, options: Options, several: bool, columns: int = COLUMNS) -> None:
    look: Look = LOOKS.make(name)
    options = replace(options, by=look.name, scope=look.scope)
    if several and not look.steady:
        look.draw_steps(view, options, columns)
    else:
        look.draw(view, options)


def _choose(fitting: list[str], reasons: dict[str, str | None], options: Options) -> str:
    """Choose one of the looks that fit; the others say why they do not."""
    titles = {name: LOOKS[name].title for name in reasons}
    with st.container(key="looks"):
        return options.one(
            "look", "Look at", fitting, words=titles.__getitem__, few=len(LOOKS), label_visibility="collapsed"
        )


def _settings(fitting: list[str], reasons: dict[str, str | None], view: View, options: Options) -> tuple[str, bool]:
    """What stands beside it, and whether several steps are shown."""
    several = False
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
        if len(view.steps) > 1:
            several = options.switch(
                "steps", "At several steps", help="The same at up to four steps of the training, side by side."
            )
        if missing := {name: reason for name, reason in reasons.items() if reason}:
            with st.popover("Not for this model", type="tertiary"):
                for name, reason in missing.items():
                    st.markdown(f"**{LOOKS[name].title}**: {reason}")
    return beside, several
