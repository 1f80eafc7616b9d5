"""The table of trust as small charts, and the curves behind one of its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import Parts, as_text, drawn, palette, quiet

ROW, HEAD, GAP = 25, 62, 26
"""Height of a row, of the titles above and of the scale below, in screen pixels."""
ACROSS = 7
"""Most checks beside each other."""
NUMBERS = 0.7
"""Width of the column of numbers beside each chart, as a share of the chart's."""
State = Literal["held", "doubtful", "none", "broken", "waiting"]
SIGNS: dict[State, str] = {"held": "", "doubtful": " !", "none": "–", "broken": "×", "waiting": "·"}
"""What stands beside a number, or in place of one."""


@dataclass(frozen=True)
class Column:
    """A check: its scale, and which way is better."""

    name: str
    title: str
    better: Literal["higher", "lower"]
    span: tuple[float, float]


@dataclass(frozen=True)
class Entry:
    """A method under a check.

    Attributes:
        score, control: On the check's scale; None if there is none.
        words: What it means.
    """

    state: State
    score: float | None = None
    control: float | None = None
    words: str = ""


def table(
    methods: Sequence[tuple[str, str]],
    columns: Sequence[Column],
    entries: Sequence[Sequence[Entry]],
    title: str,
    dark: bool = False,
    across: int = ACROSS,
) -> go.Figure:
    """Methods × checks: a bar for each score, a tick for its control, and the number.

    Args:
        methods: Name and title of each, from top to bottom.
        columns: The checks.
        entries: For each method one for each check.
        title: What is seen.
        dark: Whether the page is dark.
        across: Most checks beside each other; more go below.
    """
    banks = -(-len(columns) // across)
    wide = -(-len(columns) // banks)
    bank = HEAD + ROW * len(methods) + GAP
    traces: list[Parts] = []
    layout: Parts = {"annotations": [], "showlegend": False, "barmode": "overlay", "bargap": 0.35}
    for number, column in enumerate(columns):
        down, right = divmod(number, wide)
        top = 1 - (down * bank + HEAD) / (banks * bank)
        bottom = top - ROW * len(methods) / (banks * bank)
        place = _Place(number, right / wide, (right + 0.9) / wide, bottom, top)
        mine = [row[number] for row in entries]
        traces += _bars(column, methods, mine, place, dark)
        layout |= _axes(column, methods, place, right == 0, dark)
        layout["annotations"].append(_head(column, place, dark))
    alt = f"{title}. " + " ".join(
        f"{column.title}, {column.better} is better: "
        + ", ".join(f"{name} {_said(row[number])}" for (_, name), row in zip(methods, entries, strict=True))
        + "."
        for number, column in enumerate(columns)
    )
    return drawn(traces, layout, title, alt, dark, height=48 + banks * bank)


@dataclass(frozen=True)
class _Place:
    number: int
    left: float
    right: float
    bottom: float
    top: float

    @property
    def suffix(self) -> str:
        return str(self.number + 1) if self.number else ""

    @property
    def axes(self) -> Parts:
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


def _bars(
    column: Column, methods: Sequence[tuple[str, str]], entries: Sequence[Entry], place: _Place, dark: bool
) -> list[Parts]:
    colours, (low, high) = palette(dark), column.span
    rows = list(range(len(methods)))
    keys = [[name, column.name] for name, _ in methods]
    scores = [entry.score for entry in entries]
    hover = [
        f"{title}: {_said(entry)}<br>{_lines(entry.words)}" for (_, title), entry in zip(methods, entries, strict=True)
    ]
    doubtful = [entry.state == "doubtful" for entry in entries]
    common = {**place.axes, "customdata": keys, "hovertext": hover, "hoverinfo": "text"}
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [None if score is None else min(max(score, low), high) for score in scores],
        "y": rows,
        "marker": {
            "color": [colours.validation if bad else colours.accent for bad in doubtful],
            "pattern": {
                "shape": ["/" if bad else "" for bad in doubtful],
                "fgcolor": colours.ink,
                "fgopacity": 0.6,
                "fillmode": "overlay",
                "size": 6,
            },
        },
        **common,
    }
    controls = [(row, entry.control) for row, entry in enumerate(entries) if entry.control is not None]
    ticks = {
        "type": "scatter",
        "mode": "markers",
        "x": [min(max(value, low), high) for _, value in controls],
        "y": [row for row, _ in controls],
        "marker": {"symbol": "line-ns", "size": 15, "line": {"width": 2.5, "color": colours.ink}},
        "hoverinfo": "skip",
        **place.axes,
    }
    numbers = {
        "type": "scatter",
        "mode": "text",
        "x": [high + (high - low) * 0.08] * len(rows),
        "y": rows,
        "text": [
            f"<b>{_number(entry)}</b>" if entry.state in ("doubtful", "broken") else _number(entry) for entry in entries
        ],
        "textposition": "middle right",
        "textfont": {
            "size": 12,
            "color": [colours.muted if entry.score is None else colours.ink for entry in entries],
        },
        "cliponaxis": False,
        "unselected": {"textfont": {"color": colours.ink}},
        **common,
    }
    return [bars, ticks, numbers]


def _axes(column: Column, methods: Sequence[tuple[str, str]], place: _Place, first: bool, dark: bool) -> Parts:
    low, high = column.span
    marks = sorted({low if low <= -0.5 else 0.0, 0.0, high})  # one just below zero would touch it
    across = {
        **quiet(dark),
        "domain": [place.left, place.right],
        "anchor": f"y{place.suffix}",
        "range": [low, high + (high - low) * NUMBERS],
        "tickvals": marks,
        "tickangle": 0,
        "ticktext": [f"{mark:g}" for mark in marks],
        "tickfont": {"size": 11, "color": palette(dark).muted},
    }
    down = {
        **quiet(dark),
        "domain": [place.bottom, place.top],
        "anchor": f"x{place.suffix}",
        "range": [len(methods) - 0.5, -0.5],
        "tickvals": list(range(len(methods))),
        "ticktext": [as_text(title, 24) for _, title in methods],
        "showticklabels": first,
        "showgrid": False,
        "automargin": True,
        "tickfont": {"size": 13},
    }
    return {f"xaxis{place.suffix}": across, f"yaxis{place.suffix}": down}


def _head(column: Column, place: _Place, dark: bool) -> Parts:
    muted = palette(dark).muted
    better = "better →" if column.better == "higher" else "← better"
    return {
        "text": f"<b>{_lines(column.title, 13)}</b><br><span style='color:{muted}'>{better}</span>",
        "xref": "paper",
        "yref": "paper",
        "x": place.left,
        "y": place.top,
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12},
    }


def _number(entry: Entry) -> str:
    return SIGNS[entry.state] if entry.score is None else f"{entry.score:.2f}{SIGNS[entry.state]}"


def _said(entry: Entry) -> str:
    if entry.score is None:
        return {"waiting": "not worked out yet", "broken": "could not be worked out"}.get(entry.state, "does not apply")
    control = "" if entry.control is None else f" (control {entry.control:.2f})"
    return f"{entry.score:.2f}{control}{', doubtful' if entry.state == 'doubtful' else ''}"


def _lines(words: str, width: int = 48) -> str:
    """Words broken into lines of about a width."""
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(map(as_text, lines))


# -- one cell ---------------------------------------------------------------------------------------------------------


def curves(
    lines: dict[str, Sequence[tuple[float, float]]],
    title: str,
    across: str,
    up: str,
    dark: bool = False,
) -> go.Figure:
    """The lines behind a cell, its control's dashed and with other marks.

    Args:
        lines: By what they are called, each as (x, y) points.
        title, across, up: What is seen, and the names of the axes.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    traces = []
    for number, (name, points) in enumerate(lines.items()):
        control = number > 0
        values = np.array(points, dtype=float).reshape(-1, 2)
        colour = colours.muted if control else colours.accent
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": as_text(name),
                "x": values[:, 0],
                "y": values[:, 1],
                "line": {"color": colour, "dash": "dash" if control else "solid", "width": 2},
                "marker": {"symbol": "x" if control else "circle", "size": 5},
            }
        )
    layout = {
        "xaxis": {**quiet(dark), "title": {"text": across}, "range": [-0.02, 1.02], "automargin": True},
        "yaxis": {**quiet(dark), "title": {"text": up}, "automargin": True},
        "showlegend": len(lines) > 1,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 8, "t": 64 if len(lines) > 1 else 40, "b": 8},
    }
    ends = "; ".join(f"{name} from {points[0][1]:.2f} to {points[-1][1]:.2f}" for name, points in lines.items())
    return drawn(traces, layout, title, f"{title}: {ends}.", dark, height=280)


def rivals(values: dict[str, float], title: str, across: str, dark: bool = False) -> go.Figure:
    """One bar for each other method.

    Args:
        values: By the method's title, from -1 to 1.
        title, across: What is seen, and the name of the axis.
        dark: Whether the page is dark.
    """
    names = list(values)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": list(values.values()),
        "y": list(range(len(names))),
        "text": [f"{value:.2f}" for value in values.values()],
        "marker": {"color": palette(dark).accent},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {**quiet(dark), "title": {"text": across}, "range": [min(-0.3, *values.values()) - 0.1, 1.1]},
        "yaxis": {
            **quiet(dark),
            "tickvals": list(range(len(names))),
            "ticktext": [as_text(name) for name in names],
            "range": [len(names) - 0.5, -0.5],
            "automargin": True,
        },
    }
    alt = f"{title}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()) + "."
    return drawn([bars], layout, title, alt, dark, height=110 + 26 * len(names))
