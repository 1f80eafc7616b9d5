"""Values of several groups side by side: slices of a table, folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette, quiet

ROW = 34
"""Height of a group in screen pixels."""


def rates(
    names: Sequence[str],
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    totals: np.ndarray,
    small: np.ndarray,
    title: str,
    overall: float,
    dark: bool = False,
) -> go.Figure:
    """A rate of each group, with the interval in which it lies with 95 % confidence.

    Args:
        names: Of the groups, from top to bottom.
        values, low, high: (groups,) from 0 to 1; NaN where there are no examples.
        totals: (groups,) examples each is a share of.
        small: (groups,) whether those are too few to judge; such groups are hollow.
        title: What is seen.
        overall: The rate of all together, as a dashed line.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=list(range(len(names))),
            mode="markers",
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(high - values),
                "arrayminus": np.nan_to_num(values - low),
                "color": colours.muted,
                "thickness": 2,
            },
            marker={
                "color": [colours.muted if few else colours.accent for few in small],
                "symbol": ["circle-open" if few else "circle" for few in small],
                "size": 12,
                "line": {"width": 2},
            },
            customdata=np.stack([totals, low, high], axis=1),
            text=list(names),
            hovertemplate="%{text}<br>%{x:.1%} of %{customdata[0]} examples<br>95 % interval %{customdata[1]:.1%} to "
            "%{customdata[2]:.1%}<extra></extra>",
        )
    )
    if np.isfinite(overall):
        figure.add_vline(x=overall, line={"color": colours.muted, "width": 1.5, "dash": "dash"})
    words = [f"{name} (too few)" if few else name for name, few in zip(names, small, strict=True)]
    figure.update_xaxes(title="share", range=[-0.02, 1.02], tickformat=".0%", **quiet(dark))
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=words,
        range=[len(names) - 0.5, -0.5],
        automargin=True,
        **quiet(dark),
    )
    alt = f"{title}: " + "; ".join(_said(name, value) for name, value in zip(words, values, strict=True)) + "."
    return finish(figure, title, alt, dark, height=100 + ROW * len(names))


def strip(
    values: Sequence[float | None],
    mean: float,
    deviation: float,
    title: str,
    axis: str,
    percent: bool = False,
    dark: bool = False,
) -> go.Figure:
    """One dot for each fold, with the mean of all and a band of one standard deviation to each side.

    Args:
        values: One for each fold, in order; None where it has not finished.
        mean, deviation: Of those that have; NaN leaves line or band out.
        title: What is seen.
        axis: Name of the metric, with its unit.
        percent: Whether the values are shares.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    form = ".1%" if percent else ".4g"
    there = [(value, number) for number, value in enumerate(values, 1) if value is not None]
    figure = go.Figure(
        go.Scatter(
            x=[value for value, _ in there],
            y=[number for _, number in there],
            mode="markers",
            marker={"color": colours.validation, "size": 12, "symbol": "diamond"},
            hovertemplate=f"fold %{{y}}: %{{x:{form}}}<extra></extra>",
        )
    )
    if np.isfinite(deviation):
        band = {"x0": mean - deviation, "x1": mean + deviation, "fillcolor": colours.muted, "opacity": 0.18}
        figure.add_vrect(line_width=0, **band)
    if np.isfinite(mean):
        figure.add_vline(x=mean, line={"color": colours.muted, "width": 2})
    figure.update_xaxes(title=axis, tickformat=".1~%" if percent else ".4~g", nticks=6, **quiet(dark))
    if there:
        figure.update_xaxes(range=_around([value for value, _ in there], mean, deviation))
    figure.update_yaxes(
        title="fold", tickvals=list(range(1, len(values) + 1)), range=[len(values) + 0.6, 0.4], **quiet(dark)
    )
    alt = f"{title}: " + ", ".join(f"fold {number} {value:{form}}" for value, number in there)
    if np.isfinite(mean):
        alt += f"; mean {mean:{form}}"
    return finish(figure, title, alt + ".", dark, height=108 + 24 * len(values))


def _around(values: list[float], mean: float, deviation: float) -> list[float]:
    """Ends of an axis that holds all values and the band; never so narrow that the same looks different."""
    ends = [*values, *(mean + side * deviation for side in (-1, 1) if np.isfinite(deviation))]
    room = max(0.15 * (max(ends) - min(ends)), 0.01 * max(map(abs, ends)), 1e-6)
    return [min(ends) - room, max(ends) + room]


def _said(name: str, value: float) -> str:
    return f"{name} {value:.1%}" if np.isfinite(value) else f"{name} none"
