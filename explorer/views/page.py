"""What every page has: the same head, a helpful empty state, and a boundary that keeps errors calm."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.errors import ExplorerError
from explorer.figures.theme import alt, height
from explorer.views import moving

log = logging.getLogger("explorer.pages")

HOME, BUILD, TRAIN, RUNS, COMPARE = (f"../pages/{name}.py" for name in ("home", "build", "train", "runs", "compare"))
EVALUATE, INSIDE, ATTRIBUTIONS = (f"../pages/{name}.py" for name in ("evaluate", "look_inside", "attributions"))
ASSETS = Path(__file__).parents[2] / "assets"
_MARKUP = r"\`*_{}[]<>()#+-.!|~:$"
Clicked = Callable[[list[dict[str, Any]]], None]
"""Hears which points of a figure were clicked."""
_CHART = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def head(title: str, shows: str, read: str) -> None:
    """The head of a page.

    Args:
        title: Its name.
        shows: One sentence: what is seen here.
        read: How to read it and where it can mislead; opened on demand.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="page-head"):
        st.header(title, anchor=False, width="stretch")
        with st.popover("How to read this", icon=":material/help:", width="content"):
            st.markdown(read)
    st.markdown(shows)


def empty(title: str, advice: str, page: str, label: str) -> None:
    """What a page says when it has nothing to show, and the way on."""
    with st.container(border=True, horizontal_alignment="center", key="empty-state"):
        st.markdown(f"#### {title}", text_alignment="center")
        st.markdown(advice, text_alignment="center")
        if st.button(label, type="primary"):
            st.switch_page(page)


def show(figure: go.Figure, key: str, save: str = "") -> None:
    """Draw a figure, with its alternative text; the key keeps it in place while it changes."""
    show_made(lambda: figure, key, save=save)


def show_made(
    make: Callable[[], go.Figure],
    key: str,
    content: Hashable = None,
    chosen: Clicked | None = None,
    save: str = "",
) -> None:
    """The same for a figure that is only made if it differs from the one before.

    Args:
        make: Makes it.
        key: Keeps it in place while it changes.
        content: All that it is made from.
        chosen: If its points can be clicked: hears which, before the page is drawn again; none if the one that was
            clicked before is clicked again.
        save: Name of the picture that a camera in its corner saves (PNG); no camera if empty.
    """
    with st.container(key=f"figure-{key}"):
        tall = ""
        for layer in moving.layers(make, key, content):
            tall = height(layer.figure)
            _chart(layer.figure, layer.key, chosen, save)
        if tall:  # only the browser knows how wide it is
            box = f".st-key-figure-{key}"
            chart = f"{box} [data-testid=stElementContainer], {box} [data-testid=stPlotlyChart]"
            st.html(f"<style>{box} {{ container-type: inline-size; }} {chart} {{ height: {tall}; }}</style>")


def _camera(name: str) -> dict[str, Any]:
    return {
        "displayModeBar": True,
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


def choose(figure: go.Figure, key: str, chosen: Clicked) -> None:
    """Draw a figure whose points can be clicked; `chosen` hears which, before the page is drawn again."""
    _chart(figure, key, lambda points: chosen(points) if points else None)


def _chart(figure: go.Figure, key: str, chosen: Clicked | None, save: str = "") -> None:
    @calm
    def heard() -> None:
        chosen(st.session_state[key].selection.points)

    st.plotly_chart(
        figure,
        key=key,
        on_select=heard if chosen else "ignore",
        selection_mode="points",
        config=_CHART | _camera(save) if save else _CHART,
        alt=alt(figure),
        height="stretch" if height(figure) else "content",
    )


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"


def plain(text: str) -> str:
    """A text that people or links gave, without what markdown would read as markup."""
    return "".join(f"\\{character}" if character in _MARKUP else character for character in text)


@contextmanager
def boundary() -> Iterator[None]:
    """Show an expected error as it is, and an unexpected one as one calm line; the log has the rest."""
    try:
        yield
    except ExplorerError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception:
        log.exception("a page failed")
        st.error(
            "Something unexpected went wrong here. Your models and runs are kept; reload the page to try again.",
            icon=":material/error:",
        )


def calm(panel: Callable[..., Any]) -> Callable[..., Any]:
    """A panel with a boundary of its own: fragments and dialogs run outside the page's."""

    @wraps(panel)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with boundary():
            return panel(*args, **kwargs)

    return inside
