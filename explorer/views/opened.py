"""Lists of examples that can be opened, and the dialog that opens one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
import streamlit as st

from explorer.figures.classes import probabilities
from explorer.figures.thumbnails import sparkline, thumbnail
from explorer.views import example, page, results, state
from explorer.views.view import View

TILES, ROWS = 12, 6
"""Pictures, or rows of text, on one page of a list."""
TOLD, UNUSUAL = 7, 4
"""A row of a table of at most so many columns is told whole; of a longer one so many values, the most unusual."""
LETTERS = 160
"""Most letters of a text in a list."""
Kind = Literal["tile", "row"]


def list_of(
    view: View,
    rows: np.ndarray,
    label: Callable[[int], str],
    key: str,
    told: Callable[[int], str] | None = None,
    then: Callable[[View], None] | None = None,
) -> None:
    """A list of examples, page by page: small pictures of images and series, else one row of text each.

    Args:
        view: Whose split they are in.
        rows: Their numbers, in order.
        label: What is written on the button that opens one; for markdown.
        key: Tells lists apart.
        told: What is written of one without picture, as markdown; the example itself if None.
        then: What follows the click that chose one; a dialog that shows it if None.
    """
    then = then or _open
    pictures = view.dataset.modality in ("image", "series")
    at_once = TILES if pictures else ROWS
    pages = -(-len(rows) // at_once)
    shown = st.pagination(pages, key=f"page-{key}") if pages > 1 else 1
    rows = rows[(shown - 1) * at_once : shown * at_once]
    button = partial(_button, view, key, then)
    with st.container(horizontal=pictures, gap="small", key=f"list-{key}"):
        for row in rows.tolist():
            if pictures:
                _tile(view, row, label(row), button)
            else:
                _row(row, label(row), told(row) if told else page.plain(_told(view, row)), button)
    if pages > 1:
        st.caption(f"Page {shown} of {pages}.")


def _tile(view: View, row: int, label: str, button: Callable[[int, str, Kind], None]) -> None:
    """A small picture that is itself the button."""
    x = view.dataset.split(view.split).inputs[row].numpy()
    picture = thumbnail(x) if view.dataset.modality == "image" else sparkline(x)
    button(row, f"![Example {row}:]({picture}) {label}", "tile")


def _row(row: int, label: str, told: str, button: Callable[[int, str, Kind], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        button(row, label, "row")
        st.markdown(told, width="stretch")


def _button(view: View, of: str, then: Callable[[View], None], row: int, label: str, kind: Kind) -> None:
    """The button that opens one; its key also says of which list it is: two lists on one page may share an example."""
    key = f"{kind}-{of}-{view.run.id}-{view.step}-{view.split}-{row}"
    look = "tertiary" if kind == "tile" else "secondary"
    if st.button(label, key=key, on_click=_look, args=(view.split, row), type=look):
        then(view)


def _look(split: str, row: int) -> None:
    state.look(split=split, example=row)


def _told(view: View, row: int) -> str:
    """An example in words."""
    dataset, x = view.dataset, view.dataset.split(view.split).inputs[row]
    if dataset.modality == "tokens":
        text = dataset.text(x)
        return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"
    values = dataset.unscaled(x[None])[0]
    order = range(len(x)) if len(x) <= TOLD else np.argsort(-np.abs(x.numpy()), kind="stable")[:UNUSUAL]
    return " · ".join(f"{dataset.features[n]} {values[n].round(4) + 0.0:.4g}" for n in order)


# -- one of them ------------------------------------------------------------------------------------------------------


def _open(view: View) -> None:
    st.dialog(f"{view.split.capitalize()} example {view.example}")(page.calm(_opened))(view)


def _opened(view: View) -> None:
    example.example_picture(view, width=160)
    _ANSWERS[view.dataset.task](view)
    with st.container(horizontal=True):
        st.page_link(page.INSIDE, label="Look inside", icon=":material/grid_view:")
        st.page_link(page.ATTRIBUTIONS, label="Ask why it answers so", icon=":material/psychology_alt:")
    st.caption("It is what the other pages look at now, too.")


def _class(view: View) -> None:
    prediction = results.prediction(*view.place)
    figure = probabilities(
        prediction.probabilities,
        view.dataset.classes,
        view.truth,
        -1,
        page.dark(),
        height=96 + 24 * len(view.dataset.classes),
    )
    page.show(figure, key="opened-probabilities")


def _value(view: View) -> None:
    with st.container(horizontal=True):
        st.metric("The answer", view.dataset.answer(results.output(*view.place)), width="content")
        st.metric("The truth", view.said, width="content")


def _translation(view: View) -> None:
    st.markdown(f"It writes: **{page.plain(results.translation(*view.place)) or 'nothing'}**")
    st.markdown(f"Right is: **{page.plain(view.said)}**")


_ANSWERS: dict[str, Callable[[View], None]] = {
    "classification": _class,
    "binary": _class,
    "regression": _value,
    "translation": _translation,
}
