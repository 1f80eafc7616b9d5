"""How the curves are drawn: kept for the session, the same for every run."""

from __future__ import annotations

import streamlit as st

from explorer.figures.curves import AXES, Look

KEY = "curves-look"


def current() -> Look:
    """How curves are drawn now."""
    return st.session_state.get(KEY, Look())


def choose() -> None:
    """Choose how curves are drawn."""
    look = current()
    with st.popover("Curve settings", icon=":material/line_axis:", width="content"):
        st.segmented_control(
            "Along the bottom",
            list(AXES),
            default=look.x,
            required=True,
            key=f"{KEY}-x",
            format_func=AXES.__getitem__,
            on_change=_set,
        )
        st.slider(
            "Smoothing",
            0.0,
            0.99,
            look.smoothing,
            0.01,
            key=f"{KEY}-smoothing",
            help="Share of the line before that each point of the training batches keeps.",
            on_change=_set,
        )
        st.toggle(
            "Logarithmic loss",
            look.log,
            key=f"{KEY}-log",
            help="Equal steps down are equal ratios: small losses can be told apart.",
            on_change=_set,
        )


def _set() -> None:
    values = st.session_state
    values[KEY] = Look(values[f"{KEY}-x"], values[f"{KEY}-smoothing"], values[f"{KEY}-log"])
