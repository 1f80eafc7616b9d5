"""Answers that are numbers: predicted against true, and what is left."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette, quiet

MOST = 2000
"""Most points drawn; of more examples every so many are left out."""


def predicted_against_true(truth: np.ndarray, predicted: np.ndarray, unit: str, dark: bool = False) -> go.Figure:
    """One point for each example, (N,) values in `unit`; on the dashed line they are exactly right."""
    colours = palette(dark)
    rows = _some(len(truth))
    low = float(min(truth.min(), predicted.min()))
    high = float(max(truth.max(), predicted.max()))
    room = 0.03 * (high - low) or 1.0
    ends = [low - room, high + room]
    figure = go.Figure(
        [
            go.Scatter(
                x=ends,
                y=ends,
                mode="lines",
                line={"color": colours.muted, "width": 1.5, "dash": "dash"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=truth[rows],
                y=predicted[rows],
                customdata=rows,
                mode="markers",
                marker={"color": colours.train, "size": 7, "opacity": 0.65},
                hovertemplate="example %{customdata}<br>truly %{x:.4g}<br>answered %{y:.4g}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title=f"true value ({unit})" if unit else "true value", range=ends, **quiet(dark))
    figure.update_yaxes(title="answered", range=ends, **quiet(dark))
    figure.update_layout(showlegend=False)
    alt = f"Answered against true value of {len(truth)} examples, in {unit or 'units of the data'}."
    return finish(figure, "Answers against the truth; dashed: exactly right", alt, dark, height=380)


def residuals(truth: np.ndarray, predicted: np.ndarray, unit: str, dark: bool = False) -> go.Figure:
    """How far each answer is off, predicted less true, by what was answered; (N,) values in `unit`."""
    colours = palette(dark)
    rows, off = _some(len(truth)), predicted - truth
    limit = 1.1 * float(np.abs(off).max(initial=0.0)) or 1.0
    figure = go.Figure(
        go.Scatter(
            x=predicted[rows],
            y=off[rows],
            customdata=rows,
            mode="markers",
            marker={"color": colours.signed(off[rows]), "size": 7, "opacity": 0.65},
            hovertemplate="example %{customdata}<br>answered %{x:.4g}<br>off by %{y:+.4g}<extra></extra>",
        )
    )
    figure.add_hline(y=0, line={"color": colours.muted, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(title=f"answered ({unit})" if unit else "answered", **quiet(dark))
    figure.update_yaxes(title="too high by", range=[-limit, limit], **quiet(dark))
    alt = f"How far each of {len(truth)} answers is off, from {off.min():.4g} to {off.max():.4g} {unit}.".strip()
    return finish(figure, "How far off: above the line too high, below too low", alt, dark, height=380)


def _some(count: int) -> np.ndarray:
    return np.arange(0, count, max(1, -(-count // MOST)))
