"""What a classifier takes for what, and the examples behind it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.figures.confusion import confusion
from explorer.figures.quality import short
from explorer.probes import Answers, quality
from explorer.views import opened, page
from explorer.views.view import View

Cell = tuple[int, int]
"""A true and an answered class."""
WORST: Cell = (-1, -1)
"""Stands for the worst mistakes, whichever cell they are in."""
LISTED = 200
"""Most cells in the list, the fullest; all others can be clicked."""


def mistakes(view: View, found: Answers) -> None:
    """The confusion matrix, and the worst mistakes, or the examples of the cell that was chosen."""
    cell, revision = _chosen(_name(view))
    counts = quality.confusion(found.truth, found.predicted, len(view.dataset.classes))
    left, right = st.columns(2, gap="medium")
    with left:
        figure = confusion(counts, view.dataset.classes, cell, page.dark())
        page.choose(figure, f"confusion-{_name(view)}-{revision}", partial(_clicked, _name(view), revision))
        st.caption("Click a cell to see its examples; on a touch screen, tap it twice.")
    with right:
        _choice(view, counts, cell, revision)
        _examples(view, found, cell)


def _examples(view: View, found: Answers, cell: Cell) -> None:
    among = found.wrong if cell == WORST else (found.truth == cell[0]) & (found.predicted == cell[1])
    rows = quality.worst_first(found.loss, among)
    if not len(rows) and cell != WORST:
        st.info("No example is in this cell.", icon=":material/info:")
        return
    if not len(rows):
        st.info("It makes no mistake here. These are the right answers with the largest loss.", icon=":material/info:")
        rows = quality.worst_first(found.loss)[: opened.TILES]
    st.caption(
        "Each: the true class → the answer, and how sure it is. First those whose true class it found least probable. "
        "Click one to look closer."
    )
    opened.list_of(view, rows, partial(label, view, found), f"{_name(view)}-{view.step}-{cell[0]}-{cell[1]}")


def label(view: View, found: Answers, row: int) -> str:
    """What is written on the button of an example: its class, the answer, and how sure it is; for markdown."""
    classes, answer = view.dataset.classes, int(found.predicted[row])
    sure = found.probabilities[row, answer]
    said = f"{short(classes[int(found.truth[row])])} → {short(classes[answer])}"
    return f"{page.plain(said)} · {min(sure, 0.99):.0%}"


# -- which cell -------------------------------------------------------------------------------------------------------


def _name(view: View) -> str:
    return f"{view.run.id}-{view.split}"


def _chosen(name: str) -> tuple[Cell, int]:
    """The cell, and how often it changed: widgets that show it carry that in their keys."""
    return st.session_state.get(f"cell-{name}", (WORST, 0))


def _choose(name: str, revision: int, cell: Cell) -> None:
    if _chosen(name)[1] == revision:  # an outdated widget changes nothing
        st.session_state[f"cell-{name}"] = (cell, revision + 1)


def _clicked(name: str, revision: int, points: list[dict[str, Any]]) -> None:
    truth, answered, *_ = points[0]["customdata"]
    _choose(name, revision, (int(truth), int(answered)))


def _choice(view: View, counts: np.ndarray, cell: Cell, revision: int) -> None:
    """The same choice as a list, for those who cannot click into a picture; the fullest cells first."""
    there = sorted(
        ((truth, answered) for truth, answered in np.argwhere(counts).tolist()),
        key=lambda one: (one[0] == one[1], -counts[one]),
    )[:LISTED]
    options = [WORST, *there] if cell == WORST or cell in there else [WORST, cell, *there]
    key = f"cell-choice-{_name(view)}-{revision}"
    st.session_state[key] = cell
    st.selectbox(
        "Show",
        options,
        key=key,
        format_func=lambda one: "The worst mistakes" if one == WORST else _words(view, counts, one),
        on_change=_listed,
        args=(_name(view), revision, key),
    )


def _listed(name: str, revision: int, key: str) -> None:
    if key in st.session_state:
        _choose(name, revision, st.session_state[key])


def _words(view: View, counts: np.ndarray, cell: Cell) -> str:
    truth, answered = (view.dataset.classes[n] for n in cell)
    said = f"{truth}, rightly answered" if cell[0] == cell[1] else f"{truth} taken for {answered}"
    return f"{said} ({counts[cell]})"
