"""One batch, learned by heart or not."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

_TITLES = {
    "loss": ("Loss of the one batch", "loss"),
    "accuracy": ("Answers in the batch that are right", "share right"),
    "token_accuracy": ("Tokens in the batch that are right", "share right"),
    "r2": ("Variance in the batch that is explained", "R²"),
}


def batch_curve(
    values: np.ndarray, name: str, known: float | None, most: int, learned: bool, dark: bool = False
) -> go.Figure:
    """One metric of the batch over the steps, and the value from which on it counts as learned.

    Args:
        values: (steps,) array.
        name: ``loss``, which has a logarithmic axis, ``accuracy``, ``token_accuracy`` or ``r2``.
        known: The value at which the batch is known by heart, or None if this metric does not decide.
        most: Most steps.
        learned: Whether the last value is that of a batch that is known by heart.
        dark: Whether the page is dark.
    """
    colours, steps = palette(dark), np.arange(1, len(values) + 1)
    title, axis = _TITLES[name]
    figure = go.Figure(
        go.Scatter(
            x=steps,
            y=values,
            name=name,
            mode="lines",
            line={"color": colours.train, "width": 2.5},
            hovertemplate="step %{x}<br>%{y:.4g}<extra></extra>",
        )
    )
    if learned:
        figure.add_trace(
            go.Scatter(
                x=steps[-1:],
                y=values[-1:],
                mode="markers",
                marker={"color": colours.validation, "size": 14, "symbol": "star"},
                hovertemplate="learned at step %{x}<extra></extra>",
            )
        )
    if known is not None:
        figure.add_hline(y=known, line={"color": colours.muted, "width": 1.5, "dash": "dash"})
        figure.add_annotation(
            text="learned",
            x=0,
            xanchor="left",
            y=math.log10(known) if name == "loss" else known,  # annotations know nothing of logarithmic axes
            yanchor="bottom" if name == "loss" else "top",
            showarrow=False,
            font={"color": colours.muted, "size": 12},
        )
    shown = max(20, len(values)) if learned else most
    figure.update_xaxes(title="optimiser step", range=[0, shown * 1.04], gridcolor=colours.grid, zeroline=False)
    figure.update_yaxes(title=axis, gridcolor=colours.grid, zeroline=False)
    if name == "loss":
        top = float(values.max(initial=1.0))
        bottom = min(float(values.min(initial=top)), known or top, top / 20)
        figure.update_yaxes(
            type="log", range=[math.log10(bottom / 1.6), math.log10(top * 1.3)], dtick=1, tickformat="~g"
        )
    elif name == "r2":
        figure.update_yaxes(range=[min(0.0, max(-1.0, float(values.min(initial=0.0)))), 1.04])
    else:
        figure.update_yaxes(range=[0, 1.04], tickformat=".0%")
    figure.update_layout(showlegend=False, xaxis_fixedrange=True, yaxis_fixedrange=True)
    said = f"Now {values[-1]:.3g} after {len(values)} steps{', learned' if learned else ''}." if len(values) else ""
    return finish(figure, title, f"{title}. {said}", dark, 300)
