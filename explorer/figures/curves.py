"""Learning curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

POINTS = 400
"""Most points drawn of one line; longer ones are averaged in equal stretches."""

_TITLES = {
    "loss": ("Loss: how wrong the answers are", "mean loss"),
    "accuracy": ("Accuracy: how many answers are right", "share right"),
    "token_accuracy": ("Token accuracy: next tokens that are right", "share right"),
    "mae": ("Mean absolute error: how far off the answers are", "error"),
}
"""Title and axis of each metric."""


def learning_curve(metrics: pd.DataFrame, name: str, total_steps: int, dark: bool = False) -> go.Figure:
    """One metric over the steps: every batch, and the validation examples after each epoch.

    Args:
        metrics: As from `RunStore.metrics`.
        name: ``loss``, ``accuracy`` or ``mae``.
        total_steps: Planned steps; the axis shows them all from the start.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    mine = metrics[metrics["name"] == name]
    batch, validation = (mine[mine["split"] == split] for split in ("batch", "validation"))
    steps, values = _thin(batch["step"].to_numpy(), batch["value"].to_numpy(float))
    figure = go.Figure(
        [
            go.Scatter(
                x=steps,
                y=values,
                name="training batches",
                mode="lines",
                line={"color": colours.train, "width": 1.5},
                hovertemplate="step %{x}<br>training %{y:.3f}<extra></extra>",
            ),
            go.Scatter(
                x=validation["step"],
                y=validation["value"],
                name="validation",
                mode="lines+markers",
                line={"color": colours.validation, "width": 3, "dash": "dot"},
                marker={"size": 6, "symbol": "diamond"},
                hovertemplate="step %{x}<br>validation %{y:.3f}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(
        title="optimiser step", range=[0, max(total_steps, 1)], gridcolor=colours.grid, zeroline=False, fixedrange=True
    )
    figure.update_yaxes(
        title=_TITLES[name][1], gridcolor=colours.grid, zeroline=False, fixedrange=True, rangemode="tozero"
    )
    if name in ("accuracy", "token_accuracy"):
        figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    last = "" if validation.empty else f" Validation now {validation['value'].iloc[-1]:.3f}."
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"})
    alt = f"{name.capitalize()} of training batches and of the validation examples over {len(batch)} steps.{last}"
    finish(figure, _TITLES[name][0], alt, dark, height=300)
    figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    return figure


def _thin(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(steps) <= POINTS:
        return steps, values
    stretch = -(-len(steps) // POINTS)  # ceiling
    starts = np.arange(0, len(steps), stretch)
    counts = np.diff(np.append(starts, len(steps)))
    return steps[np.minimum(starts + stretch - 1, len(steps) - 1)], np.add.reduceat(values, starts) / counts
