"""Learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

POINTS = 400
"""Most points drawn of one line; longer ones are averaged in equal stretches."""
WORSE = 1.1
"""Validation loss over its best from which on the gap is named."""
HARDLY = 0.9
"""Share of the first loss that must be left for a run to count as hardly learning."""

_TITLES = {
    "loss": ("Loss: how wrong the answers are", "mean loss"),
    "accuracy": ("Accuracy: how many answers are right", "share right"),
    "token_accuracy": ("Token accuracy: next tokens that are right", "share right"),
    "mae": ("Mean absolute error: how far off the answers are", "error"),
}
"""Title and axis of each metric."""


AXES = {"step": "Steps", "epoch": "Epochs", "seconds": "Seconds"}
"""What may be drawn along the bottom."""


@dataclass(frozen=True)
class Look:
    """How curves are drawn.

    Attributes:
        x: One of `AXES`.
        smoothing: Share of the line before that each point of the training batches keeps, 0 to 1.
        log: Whether the loss has a logarithmic axis.
    """

    x: str = "step"
    smoothing: float = 0.0
    log: bool = False


def learning_curve(
    metrics: pd.DataFrame,
    name: str,
    total_steps: int,
    dark: bool = False,
    look: Look | None = None,
    marks: Mapping[int, str] | None = None,
    best: int | None = None,
) -> go.Figure:
    """One metric over the steps: every batch, and the validation examples after each epoch.

    Args:
        metrics: As from `RunStore.metrics`.
        name: ``loss``, ``accuracy`` or ``mae``.
        total_steps: Planned steps; the axis shows them all from the start.
        dark: Whether the page is dark.
        look: How it is drawn.
        marks: What was changed after which step.
        best: The step with the smallest validation loss.
    """
    colours, look = palette(dark), look or Look()
    mine = metrics[metrics["name"] == name]
    batch, validation = (mine[mine["split"] == split] for split in ("batch", "validation"))
    x = _along(batch, look.x)
    values = batch["value"].to_numpy(float)
    if look.smoothing:
        values = _smooth(values, look.smoothing)
    shown, values = _thin(x, values)
    where = AXES[look.x].lower()[:-1]
    figure = go.Figure(
        [
            go.Scatter(
                x=shown,
                y=values,
                name="training batches",
                mode="lines",
                line={"color": colours.train, "width": 1.5},
                hovertemplate=f"{where} %{{x:.4~g}}<br>training %{{y:.3f}}<extra></extra>",
            ),
            go.Scatter(
                x=_along(validation, look.x),
                y=validation["value"],
                name="validation",
                mode="lines+markers",
                line={"color": colours.validation, "width": 3, "dash": "dot"},
                marker={
                    "size": [13 if step == best else 6 for step in validation["step"]],
                    "symbol": ["star" if step == best else "diamond" for step in validation["step"]],
                },
                hovertemplate=f"{where} %{{x:.4~g}}<br>validation %{{y:.3f}}<extra></extra>",
            ),
        ]
    )
    _bottom(figure, look, total_steps, dark)
    figure.update_yaxes(
        title=_TITLES[name][1], gridcolor=colours.grid, zeroline=False, fixedrange=True, rangemode="tozero"
    )
    if name in ("accuracy", "token_accuracy"):
        figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    elif name == "loss" and look.log:
        figure.update_yaxes(type="log", exponentformat="power", nticks=6)
    for step, what in (marks or {}).items():
        at = _along(batch[batch["step"] > step].head(1), look.x)
        if len(at):
            figure.add_vline(x=float(at[0]), line={"color": colours.muted, "width": 1, "dash": "dash"})
            figure.add_annotation(
                x=float(at[0]),
                y=1,
                yref="paper",
                text="changed",
                hovertext=f"After step {step}: {what}",
                showarrow=False,
                xanchor="left",
                yanchor="top",
                font={"size": 11, "color": colours.muted},
            )
    last = "" if validation.empty else f" Validation now {validation['value'].iloc[-1]:.3f}."
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"})
    alt = f"{name.capitalize()} of training batches and of the validation examples over {len(batch)} steps.{last}"
    finish(figure, _TITLES[name][0], alt, dark, height=300)
    figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    return figure


def rate_curve(metrics: pd.DataFrame, total_steps: int, dark: bool = False, look: Look | None = None) -> go.Figure:
    """The learning rate of every step."""
    colours, look = palette(dark), look or Look()
    mine = metrics[(metrics["name"] == "learning_rate") & (metrics["split"] == "batch")]
    x, rates = _thin(_along(mine, look.x), mine["value"].to_numpy(float))
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=rates,
            mode="lines",
            line={"color": colours.accent, "width": 2},
            hovertemplate="learning rate %{y:.3g}<extra></extra>",
        )
    )
    _bottom(figure, look, total_steps, dark)
    figure.update_yaxes(gridcolor=colours.grid, fixedrange=True, rangemode="tozero", exponentformat="power")
    said = f" Now {rates[-1]:.3g}." if len(rates) else ""
    return finish(figure, "Learning rate", f"Learning rate over the steps.{said}", dark, height=220)


def diagnose(metrics: pd.DataFrame) -> str:
    """What the two losses say of how it learns, and what to try; empty while it is too early or all is well."""
    losses = metrics[metrics["name"] == "loss"]
    train, validation = (losses[losses["split"] == split]["value"].to_numpy(float) for split in ("train", "validation"))
    epochs = min(len(train), len(validation))
    if epochs < 4:
        return ""
    best = int(validation.argmin())
    since = epochs - 1 - best
    if since >= 2 and validation[epochs - 1] > WORSE * validation[best] and train[epochs - 1] < train[best]:
        return (
            f"The gap between training and validation has been opening since epoch {best + 1}: it learns by heart "
            "(overfitting). Try dropout, weight decay, changed images, more data, or stop at the starred epoch."
        )
    if train[epochs - 1] > HARDLY * train[0] and validation[epochs - 1] > HARDLY * validation[0]:
        return (
            "Neither loss has fallen much: it hardly learns (underfitting). Try another learning rate, a larger model "
            "or more epochs."
        )
    return ""


def _along(rows: pd.DataFrame, x: str) -> np.ndarray:
    """Where rows lie along the bottom; batches within an epoch lie between its ends."""
    if x != "epoch" or rows.empty:
        return rows[x].to_numpy(float)
    epochs, steps = rows["epoch"].to_numpy(float), rows["step"].to_numpy(float)
    ends = {0.0: 0.0} | dict(zip(epochs, steps, strict=True))  # the last step of each epoch
    each = max(np.diff([0.0, *[ends[n] for n in sorted(ends) if n]]), default=1.0)
    start = np.array([ends.get(n - 1, steps[0] - 1) for n in epochs])
    length = np.array([max(ends[n] - ends.get(n - 1, steps[0] - 1), each if n == epochs[-1] else 1) for n in epochs])
    return epochs - 1 + (steps - start) / length


def _bottom(figure: go.Figure, look: Look, total_steps: int, dark: bool) -> None:
    title = {"step": "optimiser step", "epoch": "epoch", "seconds": "seconds of training"}[look.x]
    ends = {"range": [0, max(total_steps, 1)]} if look.x == "step" else {"rangemode": "tozero"}
    figure.update_xaxes(title=title, gridcolor=palette(dark).grid, zeroline=False, fixedrange=True, **ends)


def _smooth(values: np.ndarray, share: float) -> np.ndarray:
    """Exponential moving average, without the pull of its start (as in Adam)."""
    return pd.Series(values).ewm(alpha=1 - share).mean().to_numpy()


def _thin(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(steps) <= POINTS:
        return steps, values
    stretch = -(-len(steps) // POINTS)  # ceiling
    starts = np.arange(0, len(steps), stretch)
    counts = np.diff(np.append(starts, len(steps)))
    return steps[np.minimum(starts + stretch - 1, len(steps) - 1)], np.add.reduceat(values, starts) / counts
