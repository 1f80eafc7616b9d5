"""What changes from place to place, above it what is read there: all units as colours, or one unit as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.examples import LONGEST
from explorer.figures.theme import BAR, GREY, Parts, as_text, drawn, palette, quiet, symmetric

ACROSS = 0.9
"""Share of the width that places take, in every figure here, so that figures below each other are aligned."""
HIGHEST, ROW = 400, 8
"""Screen pixels of all rows together at most, and of a row if there is room."""
READ, STATES, GATES = 64, 150, 120
"""Screen pixels of what is read, of the lines of states and of those of gates."""
_LEFT, _GAP = 52, 8
_DASHES = ("solid", "dash", "dot")


@dataclass(frozen=True)
class Read:
    """What is read at each of L places.

    Attributes:
        places: A word or a number for each.
        words: Whether they are words or letters.
        series: (C, n): a series that is drawn above the places, or None.
        picture: (h, n): an image that is drawn above them, 0 to 1, or None.
    """

    places: tuple[str, ...]
    words: bool = False
    series: np.ndarray | None = None
    picture: np.ndarray | None = None

    @property
    def columns(self) -> list[str] | list[int]:
        """Where the places lie along the bottom: of words each one is a category, of which no two may be the same."""
        count = range(len(self.places))
        return [f"{n}: {as_text(self.places[n])}" for n in count] if self.words else list(count)

    @property
    def above(self) -> int:
        """Screen pixels that what is drawn above the places takes."""
        return 0 if self.series is None and self.picture is None else READ


def states(
    values: np.ndarray,
    units: Sequence[int],
    read: Read,
    title: str,
    alt: str,
    *,
    limit: float,
    signed: bool,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Values of units (L, H) as colours, a row for each unit, and beside each row how much it changes, as a bar.

    Args:
        values: (L, H).
        units: Numbers of the units, in the order of the rows from top to bottom.
        read: What is read at the places.
        title: What is seen.
        alt: The same for those who cannot see it.
        limit: End of the scale.
        signed: Whether the scale is the diverging one, from -limit, rather than the sequential one from 0.
        chosen: The unit that is marked.
        dark: Whether the page is dark.
    """
    colours, rows = palette(dark), [f"unit {unit}" for unit in units]
    shown = values[:, list(units)].T.astype(np.float32)  # (rows, L)
    low, high = symmetric(limit) if signed else (0.0, limit or 1.0)
    cells = {
        "type": "heatmap",
        "x": read.columns,
        "y": rows,
        "z": shown,
        "colorscale": colours.diverging if signed else colours.sequential,
        "zmin": low,
        "zmax": high,
        "colorbar": BAR,
        "hovertemplate": "%{y}, place %{x}<br>value %{z:.3g}<extra></extra>",
    }
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": shown.std(axis=1),
        "y": rows,
        "xaxis": "x2",
        "customdata": [[int(unit)] for unit in units],
        "marker": {
            "color": [colours.accent if unit == chosen else colours.muted for unit in units],
            "line": {"width": 0},
        },
        "hovertemplate": "%{y}<br>changes by %{x:.3g}, standard deviation<extra></extra>",
        "showlegend": False,
    }
    body = max(160, min(HIGHEST, ROW * len(rows)))
    every = max(1, -(-len(rows) * 16 // body))
    layout = {
        "yaxis": quiet(dark)
        | {
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
            "tickvals": rows[::every],
            "ticktext": [str(unit) for unit in units][::every],
            "title": {"text": "unit", "standoff": 4},
        },
        "bargap": 0.15,
        "xaxis2": {"domain": [ACROSS + 0.015, 1], "visible": False, "fixedrange": True, "anchor": "y"},
    }
    if chosen in units:
        row, edge = list(units).index(chosen), {"color": colours.ink, "width": 1.5}
        around = {"x0": -0.5, "x1": len(read.places) - 0.5, "y0": row - 0.5, "y1": row + 0.5}
        layout["shapes"] = [{"type": "rect", "line": edge, "fillcolor": "rgba(0,0,0,0)"} | around]
    return _framed([cells, bars], layout, read, body, 64, title, alt, dark)


def one_unit(
    parts: Mapping[str, np.ndarray],
    gates: Sequence[str],
    read: Read,
    title: str,
    alt: str,
    *,
    marks: np.ndarray | None = None,
    limit: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """One unit over the places: its states as lines, and below them its gates.

    Args:
        parts: (L,) each, by what they are called.
        gates: Which of them are gates, between 0 and 1.
        read: What is read at the places.
        title: What is seen.
        alt: The same for those who cannot see it.
        marks: (L,) bool: places with a coloured ground, or None.
        limit: The states' axis goes so far up and down; as far as they go if None. Give it to compare figures.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    ordered = [*(part for part in parts if part not in gates), *gates]
    strokes = [
        _DASHES[number % len(_DASHES)] for group in (len(parts) - len(gates), len(gates)) for number in range(group)
    ]
    lines = [
        {
            "type": "scatter",
            "x": read.columns,
            "y": parts[part],
            "name": part,
            "yaxis": "y4" if part in gates else "y",
            "mode": "lines" if len(parts[part]) > 1 else "markers",
            "line": {"color": colours.lines[number % len(colours.lines)], "width": 2, "dash": dash},
            "hovertemplate": f"{part} %{{y:.3g}}<br>place %{{x}}<extra></extra>",
        }
        for number, (part, dash) in enumerate(zip(ordered, strokes, strict=True))
    ]
    body = STATES + (GATES if gates else 0)
    layout = {
        "yaxis": quiet(dark) | {"title": {"text": "state", "standoff": 4}, "nticks": 5},
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 0, "yanchor": "top"},
    }
    if limit:
        layout["yaxis"]["range"] = [-1.05 * limit, 1.05 * limit]
    top = body / (body + read.above)
    if gates:
        layout["yaxis"]["domain"] = [top * (GATES + _GAP) / body, top - _GAP / body]
        layout["yaxis4"] = quiet(dark) | {
            "domain": [0, top * (GATES - _GAP) / body],
            "range": [-0.05, 1.05],
            "nticks": 3,
            "title": {"text": "gates", "standoff": 4},
            "anchor": "x",
        }
    layout["shapes"] = [
        {"type": "rect", "yref": "paper", "x0": first - 0.5, "x1": last + 0.5, "y0": 0, "y1": top}
        | {"fillcolor": colours.validation, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}
        for first, last in runs(np.zeros(0) if marks is None else marks)
    ]
    return _framed(lines, layout, read, body, 44, title, alt, dark)


def runs(marks: np.ndarray) -> list[tuple[int, int]]:
    """First and last place of each run of marks."""
    edges = np.diff(np.concatenate([[0], marks.astype(int), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(end) - 1) for start, end in zip(starts, ends, strict=True)]


def _framed(
    data: list[Parts], layout: Parts, read: Read, body: int, below: int, title: str, alt: str, dark: bool
) -> go.Figure:
    """Draw what is read above the places, and name them; all parts share one axis of places.

    Args:
        data, layout: Of what is below it.
        read: What is read.
        body: Screen pixels for what is below it.
        below: Screen pixels below all.
        title, alt, dark: As in `drawn`.
    """
    count, inner = len(read.places), read.above + body
    longest = max(map(len, read.places), default=1) if read.words else 1
    upright = longest > 2
    top = 62 + (7 * min(longest, LONGEST) if upright else 16)
    every = max(1, -(-count // (24 if upright else 32))) if read.words else max(1, round(count / 8))
    shown, columns = range(0, count, every), read.columns
    layout["yaxis"].setdefault("domain", [0, (body - (_GAP if read.above else 0)) / inner])
    if read.above:
        data = [*data, *_above(read, count, dark)]
        layout["yaxis3"] = {"domain": [body / inner, 1], "fixedrange": True, "visible": False, "anchor": "x"}
        if read.picture is not None:
            layout["yaxis3"]["autorange"] = "reversed"
    layout["xaxis"] = quiet(dark) | {
        "domain": [0, ACROSS],
        "type": "category" if read.words else "linear",
        "range": [-0.5, count - 0.5],
        "tickvals": [columns[n] for n in shown],
        "ticktext": [as_text(read.places[n], LONGEST) for n in shown],
        "tickangle": -90 if upright else 0,
        "side": "top",
        "anchor": "y3" if read.above else "y",
        "showgrid": False,
        "title": {"text": "what is read" if read.words else "place", "standoff": 4, "font": {"size": 12}},
    }
    height = top + inner + below
    layout |= {
        "margin": {"l": _LEFT, "r": 8, "t": top, "b": below},
        "title": {"y": 1 - 10 / height, "yanchor": "top"},
    }
    return drawn(data, layout, title, alt, dark, height)


def _above(read: Read, count: int, dark: bool) -> list[Parts]:
    """A series or an image on an axis of its own, stretched over the places if it is finer or coarser than they are."""
    colours, over = palette(dark), {"yaxis": "y3", "hovertemplate": "what is read: %{y:.3g}<extra></extra>"}
    if read.series is not None:
        step = count / read.series.shape[1]
        at = (np.arange(read.series.shape[1]) + 0.5) * step - 0.5
        inks = [colours.ink, *[colours.muted] * (len(read.series) - 1)]
        return [
            {"type": "scatter", "x": at, "y": channel, "mode": "lines", "line": {"color": ink, "width": 1.5}}
            | {"showlegend": False}
            | over
            for channel, ink in zip(read.series, inks, strict=True)
        ]
    step = count / read.picture.shape[1]
    picture = {"type": "heatmap", "z": read.picture.astype(np.float32), "x0": -0.5 + step / 2, "dx": step}
    scale = {"colorscale": GREY, "zmin": 0, "zmax": 1, "showscale": False}
    return [picture | scale | over | {"hovertemplate": "what is read: %{z:.2g}<extra></extra>"}]
