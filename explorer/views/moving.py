"""Figures that follow each other without a blank between.

A chart whose figure changes is mounted anew by the browser, and for some frames of the screen nothing is in its place.
While a page moves (steps are played, a run is watched), the figure before is therefore sent along, unchanged and first:
it stays until the new one, over it, is drawn. What hides it then is in assets/style.css.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

KEY = "figures-shown"
KEPT = 16
"""Figures of a session that are remembered."""

_moves: ContextVar[bool] = ContextVar("moves", default=False)


@dataclass(frozen=True)
class Layer:
    """A figure as it was drawn.

    Attributes:
        key: Key of its chart.
        text: What was sent of it.
        content: What it was made from, if that was said.
    """

    figure: go.Figure
    key: str
    text: str
    content: Hashable = None


@contextmanager
def moving(on: bool = True) -> Iterator[None]:
    """Say whether the figures drawn inside are part of something that moves."""
    token = _moves.set(on or _moves.get())
    try:
        yield
    finally:
        _moves.reset(token)


def forget() -> None:
    """Forget what was drawn: another page follows."""
    st.session_state.pop(KEY, None)


def layers(make: Callable[[], go.Figure], key: str, content: Hashable = None) -> list[Layer]:
    """What to draw for a figure, from below to above.

    Two keys take turns, so that the browser knows the figure before by its key and content and leaves it alone.

    Args:
        make: Makes the figure.
        key: Key of its chart.
        content: What it is made from; where that is what it was made from before, it is not made again.
    """
    shown: dict[str, Layer] = st.session_state.setdefault(KEY, {})
    last = shown.get(key)
    if last and content is not None and last.content == content:
        return [last]
    figure = make()
    if last is None and not _moves.get():
        return [Layer(figure, key, "")]
    text = "" if content else str(figure.to_json())
    if last and text and last.text == text:
        return [last]
    if not _moves.get():
        del shown[key]
        return [Layer(figure, key, text)]
    shown[key] = Layer(figure, f"{key}-again" if last and last.key == key else key, text, content)
    while len(shown) > KEPT:
        del shown[next(iter(shown))]
    return [last, shown[key]] if last else [shown[key]]
