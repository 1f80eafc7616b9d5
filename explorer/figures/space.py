"""Examples or words as points: where a layer puts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.axes import beside
from explorer.figures.quality import short
from explorer.figures.theme import BAR, Palette, Parts, as_text, drawn, palette, quiet

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")
SOLID = ("circle", "square", "diamond", "diamond-open", "square-open", "circle-open")
"""In three dimensions they are letters of the browser's fonts, which hold few others."""
HEIGHT = 520
LABELLED = 60
"""Most words that are written beside their point."""
ROOM = 0.06
"""Space around the points, as a share of what they take."""


@dataclass(frozen=True)
class Cloud:
    """Points and what is said of them.

    Attributes:
        points: (N, 2) or (N, 3).
        numbers: (N,) what a click tells: number of the example, or token.
        hover: What is said of each.
        groups: (N,) which of `names` each is in; with no names, of a value.
        names: Names of the groups, if points are in groups.
        values: (N,) a value of each, if they are coloured by one.
        value: What that is.
        marked: Place of the one that is looked at; None if it is not among them.
        near: Places of its neighbours.
    """

    points: np.ndarray
    numbers: np.ndarray
    hover: Sequence[str]
    groups: np.ndarray | None = None
    names: tuple[str, ...] = ()
    values: np.ndarray | None = None
    value: str = ""
    marked: int | None = None
    near: tuple[int, ...] = ()


def cloud(
    shown: Cloud,
    axes: Sequence[str],
    title: str,
    alt: str,
    span: np.ndarray | None = None,
    ticks: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Points in two or three dimensions, coloured and shaped by group, or coloured by a value.

    Points can be clicked in two dimensions; ``customdata`` is (number,).

    Args:
        shown: The points.
        axes: Name of each axis.
        title: What is seen.
        alt: The same for those who cannot see it.
        span: (2, D) lowest and highest place the axes have room for; that of the points if None.
        ticks: Whether numbers on the axes mean something.
        dark: Whether the page is dark.
    """
    colours, flat = palette(dark), shown.points.shape[1] == 2
    traces = _by_value(shown, colours) if shown.values is not None else _by_group(shown, colours)
    traces += _rings(shown, colours)
    span = np.stack([shown.points.min(axis=0), shown.points.max(axis=0)]) if span is None else span
    room = np.where(np.ptp(span, axis=0) > 0, ROOM * np.ptp(span, axis=0), 1.0)
    ranges = np.stack([span[0] - room, span[1] + room], axis=1).tolist()
    legend = {"orientation": "h", "y": 0 if not flat else -0.14, "yanchor": "top", "x": 0, "itemsizing": "constant"}
    layout: Parts = {"legend": legend, "hovermode": "closest"}
    if flat:
        layout |= _flat(axes, ranges, ticks, dark)
    else:
        layout |= _scene(axes, ranges, ticks, colours)
    return drawn(traces, layout, title, alt, dark, HEIGHT)


def _trace(shown: Cloud, rows: np.ndarray, name: str, marker: Parts) -> Parts:
    """Some of the points as one trace."""
    flat = shown.points.shape[1] == 2
    places = {axis: shown.points[rows, number] for number, axis in enumerate("xy" if flat else "xyz")}
    return {
        "type": "scatter" if flat else "scatter3d",
        **places,
        "mode": "markers",
        "name": name,
        "marker": marker,
        "customdata": shown.numbers[rows][:, None].tolist(),  # of an array, clicks tell no list
        "hovertext": [shown.hover[row] for row in rows.tolist()],
        "hovertemplate": "%{hovertext}<extra></extra>",
    } | ({"selected": {"marker": {"opacity": 0.8}}, "unselected": {"marker": {"opacity": 0.8}}} if flat else {})


def _by_group(shown: Cloud, colours: Palette) -> list[Parts]:
    flat = shown.points.shape[1] == 2
    symbols, count = (SYMBOLS if flat else SOLID), len(colours.lines)
    traces = []
    for group, name in enumerate(shown.names):
        rows = np.flatnonzero(shown.groups == group)
        if len(rows):
            symbol = symbols[(group + group // count) % len(symbols)]
            size = 8 if flat else 4
            marker = {"color": colours.lines[group % count], "symbol": symbol, "size": size, "opacity": 0.8}
            traces.append(_trace(shown, rows, as_text(short(name)), marker))
    return traces


def _by_value(shown: Cloud, colours: Palette) -> list[Parts]:
    flat = shown.points.shape[1] == 2
    marker = {
        "color": shown.values,
        "colorscale": _stretched(colours.sequential),
        "showscale": True,
        "colorbar": BAR
        | {"title": {"text": shown.value, "side": "top"}, "tickformat": ".4~g", "y": -0.16 if flat else 0},
        "size": 8 if flat else 4,
        "opacity": 0.8,
        "line": {"width": 0.5, "color": colours.muted},
    }
    return [_trace(shown, np.arange(len(shown.points)), "", marker) | {"showlegend": False}]


def _stretched(scale: list[tuple[float, str]]) -> list[list]:
    """A sequential scale without its palest end, which would be lost on the background."""
    first = scale[1][0]
    return [[(place - first) / (1 - first), colour] for place, colour in scale[1:]]


def _rings(shown: Cloud, colours: Palette) -> list[Parts]:
    """The one that is looked at and its neighbours, ringed."""
    flat = shown.points.shape[1] == 2
    rings = []
    if shown.near:
        ring = {"symbol": "circle-open", "size": 14 if flat else 8, "color": colours.muted, "line": {"width": 2}}
        rings.append((np.array(shown.near), "its neighbours", ring))
    if shown.marked is not None:
        ring = {"symbol": "circle-open", "size": 20 if flat else 12, "color": colours.ink, "line": {"width": 3}}
        rings.append((np.array([shown.marked]), "looked at", ring))
    return [_trace(shown, rows, name, marker) | {"showlegend": False} for rows, name, marker in rings]


def _flat(axes: Sequence[str], ranges: list, ticks: bool, dark: bool) -> Parts:
    one = {"zeroline": False, "showticklabels": ticks, **quiet(dark)}
    return {
        "xaxis": {"title": {"text": axes[0]}, "range": ranges[0], **one},
        # one unit is as long on both axes: else distances would be stretched
        "yaxis": {"title": {"text": axes[1]}, "range": ranges[1], "scaleanchor": "x", **one},
    }


def _scene(axes: Sequence[str], ranges: list, ticks: bool, colours: Palette) -> Parts:
    one = {"gridcolor": colours.grid, "showticklabels": ticks, "backgroundcolor": "rgba(0,0,0,0)", "zeroline": False}
    named = zip(("xaxis", "yaxis", "zaxis"), axes, ranges, strict=True)
    scene = {name: {"title": {"text": text, "font": {"size": 11}}, "range": ends, **one} for name, text, ends in named}
    camera = {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}, "center": {"x": 0, "y": 0, "z": -0.15}}
    return {"scene": scene | {"aspectmode": "data", "dragmode": "orbit", "camera": camera}, "dragmode": "orbit"}


def words(
    shown: Cloud, texts: Sequence[str], axes: Sequence[str], title: str, alt: str, span: np.ndarray, dark: bool = False
) -> go.Figure:
    """Words as points, the first of them written beside their point where there is room.

    Args:
        shown: The points, those of the words that matter most first; ``customdata`` is (number,).
        texts: The words.
        axes: Name of each axis.
        title: What is seen.
        alt: The same for those who cannot see it.
        span: (2, 2) lowest and highest place the axes have room for.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    rows = np.arange(len(shown.points))
    picked = [place for place in (shown.marked, *shown.near) if place is not None]
    low, high = np.minimum(span[0], shown.points.min(axis=0)), np.maximum(span[1], shown.points.max(axis=0))
    relative = (shown.points - low) / np.where(high > low, high - low, 1.0)
    order = [*picked, *(row for row in rows.tolist() if row not in set(picked))][:LABELLED]
    places = beside(relative[order, 0], relative[order, 1], [as_text(short(texts[row])) for row in order])
    written = {row: place for row, place in zip(order, places, strict=True) if place}
    if shown.marked is not None:  # it is written even where it covers something
        written.setdefault(shown.marked, "top center")
    muted = {"color": colours.muted, "size": 6, "opacity": 0.7}
    traces = [_trace(shown, rows, "words", muted) | {"showlegend": False}]
    labels = np.array(list(written), dtype=int)
    traces.append(
        _trace(shown, labels, "", {"size": 14, "opacity": 0})  # unseen: it keeps the words off their points
        | {
            "mode": "markers+text",
            "text": [as_text(short(texts[row])) for row in labels.tolist()],
            "textposition": list(written.values()),
            "textfont": {"size": 12, "color": colours.ink},
            "showlegend": False,
        }
    )
    traces += _rings(shown, colours)
    room = np.where(high > low, ROOM * (high - low), 1.0)
    layout: Parts = {"hovermode": "closest"}
    layout |= _flat(axes, np.stack([low - room, high + room], axis=1).tolist(), True, dark)
    return drawn(traces, layout, title, alt, dark, HEIGHT)
