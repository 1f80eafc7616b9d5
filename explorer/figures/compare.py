"""Several runs in one picture: their curves over each other, and what they cost against what they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.axes import beside, log_axis
from explorer.figures.theme import as_text, finish, palette

LABELLED = 12
"""Most runs that get a colour and a name of their own; more are drawn muted."""
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
POINTS = 400
"""Most points drawn of one line."""
SHORT, NEAR = 42, 22
"""Longest name in a legend, and beside a point."""

AXES = {"step": "optimiser step", "epoch": "epoch", "seconds": "seconds of training", "flops": "operations of training"}
"""What may be drawn along the bottom, and what the axis is called."""
QUALITIES = {
    "loss": ("Loss", "mean loss"),
    "accuracy": ("Accuracy", "share right"),
    "token_accuracy": ("Token accuracy", "share of next tokens right"),
    "mae": ("Mean absolute error", "error"),
}
"""Title and axis of what is compared."""
SHARES = ("accuracy", "token_accuracy")
"""Qualities from 0 to 1, written in per cent."""
COSTS = {
    "parameters": "trainable weights",
    "macs": "multiply-adds for one example",
    "flops": "operations of training",
    "seconds": "seconds of training",
    "memory": "most memory taken (MB)",
    "energy": "energy, estimated (Wh)",
}
"""Costs, and what their axis is called."""


@dataclass(frozen=True)
class Line:
    """One run's curve.

    Attributes:
        name: The run in words.
        x, y: (N,) places along the bottom, and validation values.
        train_x, train_y: The same of the training examples; empty if they are not drawn.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    train_x: np.ndarray
    train_y: np.ndarray


@dataclass(frozen=True)
class Mark:
    """How a run looks, in every picture: a colour and a shape, so that neither is needed to tell it."""

    colour: str
    symbol: str
    dash: str


def mark(number: int, dark: bool) -> Mark:
    """The look of the run at a place in the list, from 0; those beyond `LABELLED` look alike."""
    colours = palette(dark)
    if number >= LABELLED:
        return Mark(colours.muted, "circle", "solid")
    again, place = divmod(number, len(colours.lines))
    return Mark(colours.lines[place], SYMBOLS[place] + "-open" * again, "dash" if again else "solid")


def curves(
    lines: Sequence[Line],
    quality: str = "loss",
    x: str = "epoch",
    dark: bool = False,
    log: bool = False,
    called: str = "",
) -> go.Figure:
    """Validation curves of several runs over each other, and those of the training examples, thin, if they are given.

    Args:
        lines: The runs, the most important first.
        quality: One of `QUALITIES`.
        x: One of `AXES`.
        dark: Whether the page is dark.
        log: Whether values have a logarithmic axis.
        called: What the names are, over the legend.
    """
    figure, colours = go.Figure(), palette(dark)
    for number in reversed(range(len(lines))):  # muted ones lie below
        line, look, named = lines[number], mark(number, dark), number < LABELLED
        place, value = _thin(line.x, line.y)
        hover = f"{as_text(line.name)}<br>{AXES[x]} %{{x:.4~g}}<br>%{{y:.4~g}}<extra></extra>"
        figure.add_trace(
            go.Scatter(
                x=place,
                y=value,
                name=as_text(line.name, SHORT),
                mode="lines+markers" if named else "lines",
                line={"color": look.colour, "width": 2.5 if named else 1, "dash": look.dash},
                marker={"symbol": look.symbol, "size": 8, "maxdisplayed": 8},
                opacity=1 if named else 0.45,
                showlegend=named,
                legendrank=number,
                legendgroup=str(number),
                hovertemplate=hover,
            )
        )
        if len(line.train_y):
            place, value = _thin(line.train_x, line.train_y)
            figure.add_trace(
                go.Scatter(
                    x=place,
                    y=value,
                    mode="lines",
                    line={"color": look.colour, "width": 1, "dash": "dot"},
                    opacity=0.8 if named else 0.3,
                    showlegend=False,
                    legendgroup=str(number),
                    hovertemplate=f"training: {hover}",
                )
            )
    title, axis = QUALITIES[quality]
    grid = {"gridcolor": colours.grid, "zeroline": False, "fixedrange": True}
    figure.update_xaxes(title=AXES[x], rangemode="tozero", exponentformat="power", **grid)
    figure.update_yaxes(title=axis, **grid)
    seen = np.concatenate([np.empty(0), *(part for line in lines for part in (line.y, line.train_y))])
    if quality == "loss" and log and (seen > 0).any():
        figure.update_yaxes(**log_axis(seen[seen > 0]))
    elif quality in SHARES:
        figure.update_yaxes(tickformat=".1~%")
    rest = len(lines) - LABELLED
    more = f", {LABELLED} of {len(lines)} named" if rest > 0 else ""
    ends = "; ".join(f"{line.name} {line.y[-1]:.3f}" for line in lines[:LABELLED] if len(line.y))
    alt = f"{title} on the validation examples of {len(lines)} runs over {AXES[x]}. Last: {ends or 'nothing yet'}."
    below = 21 * (min(len(lines), LABELLED) + bool(called))  # the legend stands under the plot, one run a line
    finish(figure, f"{title} on the validation examples{more}", alt, dark, height=320 + below)
    place = {"x": 0, "xanchor": "left", "yref": "container", "y": 0, "yanchor": "bottom", "maxheight": below + 20}
    name = {"title": {"text": as_text(called), "font": {"color": colours.muted}}} if called else {}
    figure.update_layout(showlegend=True, legend={"itemwidth": 40, "tracegroupgap": 0, **place, **name})
    return figure


def cost_against_quality(
    names: Sequence[str],
    ids: Sequence[str],
    cost: np.ndarray,
    quality: np.ndarray,
    what: tuple[str, str],
    up: bool,
    chosen: str = "",
    dark: bool = False,
) -> go.Figure:
    """Each run as a point: what it costs along the bottom, on a logarithmic axis, and what it reaches.

    Runs that no other beats in both are joined by a line.

    Args:
        names, ids: The runs in words, and what a click on their points gives (in ``customdata``).
        cost, quality: (N,) values; runs without one, or whose cost is not above zero, are left out.
        what: One of `COSTS` and one of `QUALITIES`.
        up: Whether more quality is better.
        chosen: The id of the run that is looked at, which gets a ring.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    cost, quality = np.asarray(cost, float), np.asarray(quality, float)
    shown = [n for n in range(len(names)) if np.isfinite(cost[n]) and cost[n] > 0 and np.isfinite(quality[n])]
    looks = [mark(n, dark) for n in shown]
    title, axis = QUALITIES[what[1]]
    best = _frontier(cost, quality if up else -quality, shown)
    bottom, side = log_axis(cost[shown], 0.12), _roomy(quality[shown], what[1])
    texts = [as_text(names[n], NEAR) if n < LABELLED else "" for n in shown]
    places = beside(_within(np.log10(cost[shown]), bottom.get("range")), _within(quality[shown], side), texts)
    figure = go.Figure(
        [
            go.Scatter(
                x=cost[best],
                y=quality[best],
                mode="lines",
                line={"color": colours.muted, "width": 1, "dash": "dot"},
                hoverinfo="skip",
                showlegend=False,
            ),
            go.Scatter(
                x=cost[shown],
                y=quality[shown],
                customdata=[[ids[n], as_text(names[n])] for n in shown],
                mode="markers+text",
                text=[f"\u00a0{text}\u00a0" if place else "" for text, place in zip(texts, places, strict=True)],
                textposition=[place or "top center" for place in places],
                textfont={"size": 12, "color": colours.ink},
                marker={
                    "color": [look.colour for look in looks],
                    "symbol": [look.symbol for look in looks],
                    "size": 13,
                    "line": {
                        "width": [3 if ids[n] == chosen else 1 for n in shown],
                        "color": [
                            colours.ink if ids[n] == chosen else look.colour
                            for n, look in zip(shown, looks, strict=True)
                        ],
                    },
                },
                hovertemplate="%{customdata[1]}<br>" + f"{COSTS[what[0]]} %{{x:.4~g}}<br>{axis} %{{y:.4~g}}"
                "<extra></extra>",
                showlegend=False,
            ),
        ]
    )
    grid = {"gridcolor": colours.grid, "zeroline": False, "fixedrange": True}
    figure.update_xaxes(title=COSTS[what[0]], **bottom, **grid)
    figure.update_yaxes(title=axis, range=side, **grid)
    if what[1] in SHARES:
        figure.update_yaxes(tickformat=".1~%")
    said = "; ".join(f"{names[n]}: {cost[n]:.3g}, {quality[n]:.3g}" for n in shown[:LABELLED])
    alt = f"{title} of {len(shown)} runs against {COSTS[what[0]]}. {said or 'Nothing yet'}."
    return finish(figure, f"{title} against {COSTS[what[0]]}", alt, dark, height=400)


def _frontier(cost: np.ndarray, quality: np.ndarray, shown: list[int]) -> list[int]:
    """Runs that no other beats in both, from cheap to dear; more quality is better."""
    found: list[int] = []
    for n in sorted(shown, key=lambda n: (cost[n], -quality[n])):
        if not found or quality[n] > quality[found[-1]]:
            found.append(n)
    return found


def _within(values: np.ndarray, ends: list[float] | None) -> np.ndarray:
    return (values - ends[0]) / (ends[1] - ends[0]) if ends else values


def _roomy(values: np.ndarray, what: str) -> list[float] | None:
    """Ends of the upright axis, with room for names."""
    if not len(values):
        return None
    room = 0.15 * (np.ptp(values) or 0.1 * abs(values[0]) or 1.0)
    return [values.min() - room, min(values.max() + room, 1.09 if what in SHARES else np.inf)]


def _thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced points of a long line, the last one always."""
    if len(x) <= POINTS:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, POINTS).round().astype(int))
    return x[kept], y[kept]
