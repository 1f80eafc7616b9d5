"""Picking another example: by class, the worst answers first, the least sure first, or at random."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from explorer.figures.quality import short
from explorer.probes import quality
from explorer.views import evaluation, mistakes, opened, page, results
from explorer.views.view import View

ORDER, WORST, UNSURE, RANDOM = "In order", "Worst", "Unsure", "Random"
ANY = -1
"""Stands for any class among their numbers."""
SEED = "picking-seed"

Label = Callable[[int], str]


def pick(view: View) -> None:
    """Open the dialog; one click on an example in it, and it is looked at."""
    st.dialog("Pick another example", width="large")(page.calm(_dialog))(view)


def _dialog(view: View) -> None:
    order, cls = _choose(view)
    rows, label = ranked(view, order, cls, st.session_state.get(SEED, 0))
    st.caption(f"{_SAID[order]} {len(rows):,} of the {view.split} split. Click one to look at it.")
    if not len(rows):
        st.info(f"The {view.split} split has no example of this class.", icon=":material/info:")
        return
    key = f"pick-{view.run.id}-{view.step}-{view.split}-{order}-{cls}-{st.session_state.get(SEED, 0)}"
    opened.list_of(view, rows, label, key, then=_close)


_SAID = {
    ORDER: "As the data have them.",
    WORST: "Largest loss first.",
    UNSURE: "Those first whose answer the model finds least probable.",
    RANDOM: "Shuffled.",
}


def _choose(view: View) -> tuple[str, int]:
    """Draw the choice of order and class; returns both."""
    dataset = view.dataset
    orders = [ORDER, WORST, *([UNSURE] if dataset.classes else []), RANDOM]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control("First", orders, default=ORDER, required=True, key=f"pick-order-{dataset.task}")
        cls = ANY
        if dataset.classes:
            cls = st.selectbox(
                "Of class",
                [ANY, *range(len(dataset.classes))],
                key=f"pick-class-{dataset.name}",
                format_func=lambda n: "any" if n == ANY else dataset.classes[n],
                width=180,
            )
        if order == RANDOM:
            st.button("Shuffle", key="pick-shuffle", icon=":material/shuffle:", on_click=_shuffle)
    return order, cls


def _shuffle() -> None:
    st.session_state[SEED] = st.session_state.get(SEED, 0) + 1


def _close(_view: View) -> None:
    st.rerun()


def ranked(view: View, order: str, cls: int, seed: int) -> tuple[np.ndarray, Label]:
    """Numbers of the examples of a class in an order, and what is written on each."""
    part = view.dataset.split(view.split)
    among = np.ones(len(part), dtype=bool) if cls == ANY else part.targets.numpy() == cls
    if order in (ORDER, RANDOM):
        rows = np.flatnonzero(among)
        return np.random.default_rng(seed).permutation(rows) if order == RANDOM else rows, partial(_truth, view)
    if view.dataset.task == "translation":
        written = results.translations(view.run.id, view.step, view.split)
        return quality.worst_first(written.loss, among), lambda row: "Right" if written.exact[row] else "Wrong"
    found = results.answers(view.run.id, view.step, view.split)
    rows = (
        quality.least_sure_first(found.probabilities, among)
        if order == UNSURE
        else quality.worst_first(found.loss, among)
    )
    label = partial(mistakes.label, view, found) if view.dataset.classes else partial(evaluation.value_label, found)
    return rows, label


def _truth(view: View, row: int) -> str:
    dataset = view.dataset
    if dataset.task == "translation":
        return f"Example {row}"
    return page.plain(short(dataset.answer(dataset.split(view.split).targets[row])))
