"""Learning curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.figures.lines import AXES, NOTHING, Line, Lines, lines, smooth, thin
from explorer.figures.theme import Palette, Parts, drawn, palette

WORSE = 1.1
"""Validation loss over its best from which on the gap is named."""
HARDLY = 0.9
"""Share of the loss of a constant answer that must be left for a run to count as hardly learning."""
NEAR, FAR = 0.1, 0.25
"""Shares of the same: below the first the training loss is near 0, and a gap above the second is wide."""
STILL = 0.95
"""Share of the validation loss of three epochs before that must be left for it to count as standing still."""

DIAMOND, STAR = 2, 17
"""Plotly's numbers of symbols: as an array they travel faster than as words."""

_TITLES = {
    "loss": ("Loss: how wrong the answers are", "mean loss"),
    "accuracy": ("Accuracy: how many answers are right", "share right"),
    "token_accuracy": ("Token accuracy: next tokens that are right", "share right"),
    "mae": ("Mean absolute error: how far off the answers are", "error"),
}
"""Title and axis of each metric."""


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
    metrics: pd.DataFrame | Lines,
    name: str,
    total_steps: int,
    dark: bool = False,
    look: Look | None = None,
    marks: Mapping[int, str] | None = None,
    best: int | None = None,
    seen: int | None = None,
) -> go.Figure:
    """One metric over the steps: every batch, and the validation examples after each epoch.

    Args:
        metrics: As from `RunStore.metrics`, or its lines.
        name: ``loss``, ``accuracy`` or ``mae``.
        total_steps: Planned steps; the axis shows them all from the start.
        dark: Whether the page is dark.
        look: How it is drawn.
        marks: What was changed after which step.
        best: The step with the smallest validation loss.
        seen: The step that is looked at elsewhere.
    """
    colours, look = palette(dark), look or Look()
    found = _lines(metrics)
    batch, validation = (found.get((split, name), NOTHING) for split in ("batch", "validation"))
    x = batch.along(look.x)
    last = f" Validation now {validation.value[-1]:.3f}." if len(validation) else ""
    layout = {
        "xaxis": _bottom(look, total_steps, colours),
        "yaxis": _side(name, look, colours),
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "margin": {"l": 8, "r": 8, "t": 64, "b": 8},
        "title": {"y": 0.97, "yanchor": "top"},
    }
    return drawn(
        [_batches(x, batch, look, colours), _validation(validation, look, best, colours)],
        layout | _marked(x, batch, marks or {}, seen, colours),
        _TITLES[name][0],
        f"{name.capitalize()} of training batches and of the validation examples over {len(batch)} steps.{last}",
        dark,
        height=300,
    )


def _lines(metrics: pd.DataFrame | Lines) -> Lines:
    return lines(metrics) if isinstance(metrics, pd.DataFrame) else metrics


def _batches(x: np.ndarray, batch: Line, look: Look, colours: Palette) -> Parts:
    values = smooth(batch.value, look.smoothing)
    shown = thin(x, values)
    return {
        "type": "scatter",
        "x": x[shown],
        "y": values[shown],
        "name": "training batches",
        "mode": "lines",
        "line": {"color": colours.train, "width": 1.5},
        "hovertemplate": f"{_one(look)} %{{x:.4~g}}<br>training %{{y:.3f}}<extra></extra>",
    }


def _validation(validation: Line, look: Look, best: int | None, colours: Palette) -> Parts:
    x, star = validation.along(look.x), np.flatnonzero(validation.step == best)
    shown = thin(x, validation.value, int(star[0]) if len(star) else None)
    starred = np.isin(shown, star)
    return {
        "type": "scatter",
        "x": x[shown],
        "y": validation.value[shown],
        "name": "validation",
        "mode": "lines+markers",
        "line": {"color": colours.validation, "width": 3, "dash": "dot"},
        "marker": {
            "size": np.where(starred, 13, 6),
            "symbol": np.where(starred, STAR, DIAMOND),
            "line": {"width": 0},  # plotly takes markers of several sizes for bubbles, which it outlines
        },
        "hovertemplate": f"{_one(look)} %{{x:.4~g}}<br>validation %{{y:.3f}}<extra></extra>",
    }


def _marked(x: np.ndarray, batch: Line, marks: Mapping[int, str], seen: int | None, colours: Palette) -> Parts:
    """A dashed line and a word where settings were changed; a solid one, its word below, at the step that is seen."""
    rules, words = [], []
    for step, what in marks.items():
        following = int(np.searchsorted(batch.step, step, side="right"))
        if following < len(batch):
            at = float(x[following])
            rules.append(_rule(at, colours.muted, "dash"))
            words.append(_word(at, "changed", "top", colours.muted) | {"hovertext": f"After step {step}: {what}"})
    if seen is not None:
        done = int(np.searchsorted(batch.step, seen, side="right"))
        at = float(x[done - 1]) if done else 0.0
        rules.append(_rule(at, colours.ink, "solid"))
        words.append(_word(at, f"step {seen}", "bottom", colours.ink))
    return {"shapes": rules, "annotations": words} if rules else {}


def _rule(at: float, colour: str, dash: str) -> Parts:
    line = {"color": colour, "width": 1, "dash": dash}
    return {"type": "line", "x0": at, "x1": at, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def _word(at: float, text: str, side: str, colour: str) -> Parts:
    place = {"x": at, "y": int(side == "top"), "yref": "paper", "xanchor": "left", "yanchor": side}
    return place | {"text": text, "showarrow": False, "font": {"size": 11, "color": colour}}


def rate_curve(
    metrics: pd.DataFrame | Lines, total_steps: int, dark: bool = False, look: Look | None = None, height: int = 220
) -> go.Figure:
    """The learning rate of every step."""
    colours, look = palette(dark), look or Look()
    mine = _lines(metrics).get(("batch", "learning_rate"), NOTHING)
    x, rates = mine.along(look.x), mine.value
    shown = thin(x, rates)
    line = {
        "type": "scatter",
        "x": x[shown],
        "y": rates[shown],
        "mode": "lines",
        "line": {"color": colours.accent, "width": 2},
        "hovertemplate": "learning rate %{y:.3g}<extra></extra>",
    }
    layout = {
        "xaxis": _bottom(look, total_steps, colours),
        "yaxis": {"gridcolor": colours.grid, "fixedrange": True, "rangemode": "tozero", "exponentformat": "power"},
    }
    said = f" Now {rates[-1]:.3g}." if len(rates) else ""
    return drawn([line], layout, "Learning rate", f"Learning rate over the steps.{said}", dark, height)


def diagnose(metrics: pd.DataFrame | Lines, constant: float) -> str:
    """What the two losses say of how it learns, and what to try; empty while it is too early or all is well.

    Args:
        metrics: As from `RunStore.metrics`, or its lines.
        constant: The loss of the best answer that is the same for all examples: what is reached without learning.
    """
    found = _lines(metrics)
    train, validation = (found.get((split, "loss"), NOTHING).value for split in ("train", "validation"))
    epochs = min(len(train), len(validation))
    if epochs < 4:
        return ""
    best = int(validation.argmin())
    since = epochs - 1 - best
    now, unseen = train[epochs - 1], validation[epochs - 1]
    if since >= 2 and unseen > WORSE * validation[best] and now < train[best]:
        return (
            f"The gap between training and validation has been opening since epoch {best + 1}: it learns by heart "
            "(overfitting). Try dropout, weight decay, changed images, more data, or stop at the starred epoch."
        )
    if now < NEAR * constant and unseen - now > FAR * constant and unseen > STILL * validation[epochs - 4]:
        return (
            f"The training loss is near 0, and the validation loss stands still at {unseen:.2g}: it has learned by "
            "heart (overfitting), and more epochs will not help. Try dropout, weight decay, changed images or more "
            "data."
        )
    if min(now, unseen) > HARDLY * constant:
        return (
            f"Neither loss is much below {constant:.2g}, that of giving all examples the same answer: it hardly learns "
            "(underfitting). Try another learning rate, a larger model or more epochs."
        )
    return ""


def _one(look: Look) -> str:
    return AXES[look.x].lower()[:-1]


def _bottom(look: Look, total_steps: int, colours: Palette) -> Parts:
    title = {"step": "optimiser step", "epoch": "epoch", "seconds": "seconds of training"}[look.x]
    ends = {"range": [0, max(total_steps, 1)]} if look.x == "step" else {"rangemode": "tozero"}
    return {"title": {"text": title}, "gridcolor": colours.grid, "zeroline": False, "fixedrange": True, **ends}


def _side(name: str, look: Look, colours: Palette) -> Parts:
    axis = {
        "title": {"text": _TITLES[name][1]},
        "gridcolor": colours.grid,
        "zeroline": False,
        "fixedrange": True,
        "rangemode": "tozero",
    }
    if name in ("accuracy", "token_accuracy"):
        axis |= {"range": [0, 1.02], "tickformat": ".0%"}
    elif name == "loss" and look.log:
        axis |= {"type": "log", "exponentformat": "power", "nticks": 6}
    return axis
