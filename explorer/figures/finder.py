"""The learning rate range test."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

ROOM = 1.6
"""How far above the loss at the beginning the axis goes: what explodes leaves it."""


def range_curve(
    rates: np.ndarray,
    losses: np.ndarray,
    averaged: np.ndarray,
    ends: tuple[float, float],
    suggested: tuple[float, float] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Loss over the learning rate, which rises from left to right: each batch, and averaged.

    Args:
        rates, losses, averaged: (steps,) arrays.
        ends: Lowest and highest rate of the test.
        suggested: The rate that is suggested, and the averaged loss there.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    figure = go.Figure(
        [
            go.Scatter(
                x=rates,
                y=losses,
                name="each batch",
                mode="markers",
                marker={"color": colours.muted, "size": 4, "opacity": 0.45},
                hovertemplate="learning rate %{x:.2g}<br>loss %{y:.3f}<extra></extra>",
            ),
            go.Scatter(
                x=rates,
                y=averaged,
                name="averaged",
                mode="lines",
                line={"color": colours.train, "width": 3},
                hovertemplate="learning rate %{x:.2g}<br>averaged loss %{y:.3f}<extra></extra>",
            ),
        ]
    )
    said = "No rate is suggested"
    if suggested:
        said = f"Suggested: {suggested[0]:.2g}"
        figure.add_trace(
            go.Scatter(
                x=suggested[:1],
                y=suggested[1:],
                name="suggested",
                mode="markers",
                marker={"color": colours.validation, "size": 14, "symbol": "star"},
                hovertemplate="suggested learning rate %{x:.2g}<extra></extra>",
            )
        )
        figure.add_vline(x=suggested[0], line={"color": colours.validation, "width": 1.5, "dash": "dash"})
    figure.update_xaxes(
        type="log",
        title="learning rate (each line is ten times the one before)",
        range=np.log10(ends).tolist(),
        dtick=1,
        exponentformat="power",
        gridcolor=colours.grid,
        zeroline=False,
        fixedrange=True,
    )
    top = ROOM * averaged[0] if len(averaged) else 1.0
    figure.update_yaxes(title="loss", range=[0, top], gridcolor=colours.grid, zeroline=False, fixedrange=True)
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"})
    alt = f"Loss of {len(rates)} batches while the learning rate rises from {ends[0]:g} to at most {ends[1]:g}. {said}."
    if len(averaged):
        lowest = int(averaged.argmin())
        alt += f" The averaged loss is smallest, {averaged[lowest]:.3g}, at {rates[lowest]:.2g}."
    finish(figure, "Loss while the learning rate rises", alt, dark, 360)
    figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    return figure
