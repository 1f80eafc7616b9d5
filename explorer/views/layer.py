"""What is seen at one spot of a model, drawn as fits its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.figures.examples import table
from explorer.figures.images import units
from explorer.figures.mosaic import TILE, mosaic
from explorer.views import page, results, travel
from explorer.views.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.probes import Spot
    from explorer.views.options import Options

SHOWN = 64
"""Most channels or filters drawn at once."""
PIXELS = SHOWN * 40 * 40
"""Most pixels drawn at once: of larger maps there are fewer on a page, so that none weighs more than a megabyte."""
FEW, LARGE_TILE = 16, 104
"""Up to so many channels have larger tiles."""
MEAN = 0
"""Stands for the mean of all heads among their numbers."""
ONE_SCALE = "One scale for all steps, taken from a few of them; what goes beyond it has the strongest colour."

Span = tuple[float, float]


@dataclass(frozen=True)
class Grid:
    """How channels are drawn.

    Attributes:
        most: How many at once.
        columns: How many in a row.
        tile: Most screen pixels one is high.
        each: Whether each is drawn relative to its own largest magnitude.
        clickable: Whether maps, or rows of a series, can be clicked; points have the number of the channel.
        chosen: The channel that is outlined.
    """

    most: int = SHOWN
    columns: int = 8
    tile: int = TILE
    each: bool = False
    clickable: bool = False
    chosen: int | None = None


PAGE = Grid()


def draw(view: View, spot: Spot, planned: Planned, grid: Grid = PAGE) -> None:
    """Draw what is seen at a spot, and what of it can be chosen."""
    values, part = results.seen(*view.place, spot), (0, 0)
    if spot.what == "attention":
        part = (_head(view, spot, len(values)),)
    elif values.ndim == 3:
        part = window(len(values), "channels", f"maps-{view.run.id}-{spot.name}", at_once(values, grid))
    span, dark = span_of(view, spot), page.dark()
    page.show_made(
        lambda: figure(view, spot, planned, grid, part, span, dark), "maps", (view.place, spot, span, grid, part, dark)
    )
    if span:
        st.caption(ONE_SCALE)


def span_of(view: View, spot: Spot) -> Span | None:
    """Lowest and highest value over the steps while steps are played: colours then keep one scale."""
    if not travel.current().still:
        return None
    return results.span(view.run.id, view.sampled, view.split, view.shown, spot)


def figure(
    view: View, spot: Spot, planned: Planned, grid: Grid, part: tuple[int, ...], span: Span | None, dark: bool
) -> go.Figure:
    """What is seen at a spot, as fits its shape.

    Args:
        view, spot, planned: What is looked at.
        grid: How many channels are drawn, and how.
        part: First and last channel, or the head; both as they were chosen.
        span: Lowest and highest value the colours have room for; as they are if None.
        dark: Whether the page is dark.
    """
    values = results.seen(*view.place, spot)
    if spot.what == "attention":
        return _attention(view, spot, values, span, dark, *part)
    if spot.what == "states":
        return _places(view, spot, values.T, span, dark, "unit", grid)
    if values.ndim == 1:
        return _units(spot, values, span, dark)
    if values.ndim == 2:
        rows = values if planned.output.kind == "series" else values.T  # (L, D): one row for each column
        series = planned.output.kind == "series"
        return _places(view, spot, rows, span, dark, "channel" if series else "value", grid, grid.clickable and series)
    return _maps(spot, values, span, dark, grid, *part)


def _units(spot: Spot, values: np.ndarray, span: Span | None, dark: bool) -> go.Figure:
    what = f"The {len(values)} values of {spot.name}"
    return units(values, what, f"Values of the units of {spot.name}.", dark, span=span)


def _maps(
    spot: Spot, values: np.ndarray, span: Span | None, dark: bool, grid: Grid, first: int, last: int
) -> go.Figure:
    """Channels (C, H, W), all on one scale or each on its own."""
    labels = [f"{n}" for n in range(first, last)]
    scale = "own scales" if grid.each else "one scale"
    return mosaic(
        values[first:last],
        labels,
        f"{spot.name}: {len(labels)} of {len(values)} channels, {scale}",
        f"Feature maps of {spot.name} for this example, {scale}.",
        limit=_limit(values, span),
        scale="signed" if _signed(values, span) else "positive",
        each=grid.each,
        columns=grid.columns,
        tile=grid.tile if len(labels) > FEW else max(grid.tile, LARGE_TILE),
        clickable=grid.clickable,
        chosen=None if grid.chosen is None else grid.chosen - first,
        dark=dark,
    )


def _places(
    view: View,
    spot: Spot,
    rows: np.ndarray,
    span: Span | None,
    dark: bool,
    axis: str,
    grid: Grid,
    clickable: bool = False,
) -> go.Figure:
    """A series (C, L), a sequence or hidden states (D, L): one column for each place."""
    places = _words(view, spot, rows.shape[1])
    what = ("hidden state" if spot.what == "states" else "value") + ("s" if len(rows) > 1 else "")
    what += " at" if spot.what == "states" else " at each of"
    if grid.each:
        rows, span = rows / np.abs(rows).max(axis=1, keepdims=True).clip(1e-12), None
    return table(
        rows[:, : len(places)],
        places,
        f"{spot.name}: {rows.shape[0]} {what} {len(places)} places" + (", own scales" if grid.each else ""),
        f"Values of {spot.name} at every place.",
        dark=dark,
        axis=axis,
        limit=_limit(rows, span),
        signed=_signed(rows, span),
        clickable=clickable,
        outlined=grid.chosen if clickable else None,
    )


def _head(view: View, spot: Spot, heads: int) -> int:
    """Choose one of several heads, from 1, or the mean of all."""
    if heads == 1:
        return MEAN
    return st.segmented_control(
        "Head",
        [MEAN, *range(1, heads + 1)],
        default=MEAN,
        required=True,
        key=f"head-{view.run.id}-{spot.name}",
        format_func=lambda n: f"mean of {heads}" if n == MEAN else f"{n}",
    )


def _attention(view: View, spot: Spot, weights: np.ndarray, span: Span | None, dark: bool, head: int) -> go.Figure:
    """Attention weights (heads, L, S): from which place each place takes how much."""
    heads = len(weights)
    shown = weights.mean(axis=0) if head == MEAN else weights[head - 1]  # (L, S)
    at = _words(view, spot, shown.shape[1], source=True)
    looking = _words(view, spot, shown.shape[0]) if len(shown) > 1 else ["the whole"]
    said = "" if heads == 1 else f", mean of {heads} heads" if head == MEAN else f", head {head}"
    return table(
        shown[: len(looking), : len(at)],
        at,
        f"{spot.layer}: where each place looks{said}" if len(shown) > 1 else f"{spot.layer}: where it looks",
        f"Attention weights of {spot.layer}: rows look at columns.",
        dark=dark,
        rows=looking,
        axis="place that looks",
        limit=_limit(shown, span),
        signed=False,
    )


def _words(view: View, spot: Spot, count: int, source: bool = False) -> list[str]:
    """What stands at each of `count` places: words of a text, without its padding, or numbers.

    Args:
        view: What is looked at.
        spot: Where: in a decoder places are those of the translation, unless it looks across at the source.
        count: How many places there are.
        source: Whether these are the places that are looked at.
    """
    from explorer.probes import places_at

    decodes = spot.layer.startswith("decoder.")
    across = decodes and source and spot.inner != "self_attention"
    texts = view.dataset.modality == "tokens"
    read = view.input[0, : view.length].tolist() if texts else ()
    written = [token for token in view.written if token] if decodes else ()
    name = "" if across else spot.layer  # across the way lies what the whole encoder makes
    found = places_at(list(view.layers.values()), name, view.dataset, read, written)
    padded = len(view.written) if decodes and not across else view.input.shape[1] if texts else len(found)
    return found.labels if count == padded + (texts and found.token) else [str(place) for place in range(count)]


def _limit(values: np.ndarray, span: Span | None) -> float:
    return max(abs(end) for end in span) if span else float(np.abs(values).max(initial=0.0))


def _signed(values: np.ndarray, span: Span | None) -> bool:
    return (span[0] if span else values.min(initial=0.0)) < 0


def at_once(values: np.ndarray, grid: Grid = PAGE) -> int:
    """How many of the maps (C, H, W) are drawn at once."""
    return max(1, min(grid.most, PIXELS // (values.shape[1] * values.shape[2])))


def window(count: int, what: str, key: str = "", most: int = SHOWN, options: Options | None = None) -> tuple[int, int]:
    """First and last of those to draw of many: pages of `most`; with options, the link has the page."""
    pages, shown = -(-count // most), 1
    if pages > 1:
        shown = options.page("page", pages) if options else st.pagination(pages, key=f"page-{key}")
        st.caption(f"Page {shown} of {pages}: {count} {what} in all.")
    return (shown - 1) * most, min(shown * most, count)
