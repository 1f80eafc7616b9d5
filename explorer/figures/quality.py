"""How sure answers are and how right, and the curves over thresholds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette, quiet

LONGEST = 14
"""Letters of a class that are written at an axis."""


def reliability(table: pd.DataFrame, error: float, dark: bool = False) -> go.Figure:
    """How often answers are right that are equally sure, and how many those are.

    Args:
        table: As from `calibration`.
        error: The expected calibration error, 0 to 1.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    some = table[table["examples"] > 0]
    middle, share = (table["low"] + table["high"]) / 2, table["examples"] / table["examples"].sum()
    stretch = np.stack([table["low"], table["high"], table["examples"]], axis=1)
    figure = go.Figure(
        [
            go.Bar(
                x=middle,
                y=share,
                width=table["high"] - table["low"],
                name="examples",
                customdata=stretch,
                marker={"color": colours.grid, "line": {"color": colours.muted, "width": 1}},
                hovertemplate="%{customdata[0]:.0%} to %{customdata[1]:.0%} sure: %{customdata[2]} examples"
                "<extra></extra>",
            ),
            go.Scatter(
                x=[0, 1],
                y=[0, 1],
                name="ideal",
                mode="lines",
                line={"color": colours.muted, "width": 1.5, "dash": "dash"},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=some["sure"],
                y=some["right"],
                name="right answers",
                mode="lines+markers",
                customdata=some["examples"],
                line={"color": colours.validation, "width": 2},
                marker={"size": 9, "symbol": "diamond"},
                hovertemplate="%{x:.1%} sure on average<br>%{y:.1%} of %{customdata} examples are right<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title="how sure the answer is", range=[0, 1.02], tickformat=".0%", **quiet(dark))
    figure.update_yaxes(title="share", range=[0, 1.05], tickformat=".0%", **quiet(dark))
    alt = (
        f"Share of right answers against how sure they are, in {len(some)} groups; expected calibration error "
        f"{error:.1%}."
    )
    return _with_legend(finish(figure, "Is it right as often as it is sure?", alt, dark, height=380))


def roc(curve: pd.DataFrame, used: Mapping[str, float], auc: float, name: str, dark: bool = False) -> go.Figure:
    """True against false positive rate over all thresholds.

    Args:
        curve: ``threshold``, ``false_positive_rate``, ``true_positive_rate``, as from `trade_offs`.
        used: Where the model stands as it answers.
        auc: The area under it.
        name: The class in question.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    figure = go.Figure(
        [
            _guess([0, 1], [0, 1], dark),
            _curve(
                curve["false_positive_rate"],
                curve["true_positive_rate"],
                curve["threshold"],
                "false positive rate %{x:.1%}<br>true positive rate %{y:.1%}",
                colours.train,
            ),
            _used(used, "false_positive_rate", "recall", colours.validation),
        ]
    )
    figure.update_xaxes(title=f"others taken for {short(name)}", range=[-0.02, 1.02], tickformat=".0%", **quiet(dark))
    figure.update_yaxes(title=f"{short(name)} found", range=[-0.02, 1.04], tickformat=".0%", **quiet(dark))
    alt = f"ROC curve of {name}, area under it {auc:.3f}."
    return _with_legend(finish(figure, f"ROC curve: area {auc:.3f}", alt, dark, height=380))


def precision_recall(
    curve: pd.DataFrame, used: Mapping[str, float], average: float, share: float, name: str, dark: bool = False
) -> go.Figure:
    """Precision against recall over all thresholds.

    Args:
        curve: ``threshold``, ``recall``, ``precision``, as from `trade_offs`.
        used: Where the model stands as it answers.
        average: Average precision.
        share: Share of the examples that are of the class: the precision of guessing.
        name: The class in question.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    figure = go.Figure(
        [
            _guess([0, 1], [share, share], dark),
            _curve(
                curve["recall"],
                curve["precision"],
                curve["threshold"],
                "recall %{x:.1%}<br>precision %{y:.1%}",
                colours.train,
            ),
            _used(used, "recall", "precision", colours.validation),
        ]
    )
    figure.update_xaxes(title=f"{short(name)} found (recall)", range=[-0.02, 1.02], tickformat=".0%", **quiet(dark))
    figure.update_yaxes(title="right among found (precision)", range=[-0.02, 1.04], tickformat=".0%", **quiet(dark))
    alt = f"Precision-recall curve of {name}, average precision {average:.3f}."
    return _with_legend(finish(figure, f"Precision and recall: average {average:.3f}", alt, dark, height=380))


def short(name: str) -> str:
    """A name that fits beside an axis."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _curve(x: pd.Series, y: pd.Series, threshold: pd.Series, hover: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=y,
        customdata=threshold,
        name="the model",
        mode="lines",
        line={"color": colour, "width": 2.5},
        hovertemplate=f"from probability %{{customdata:.3f}}<br>{hover}<extra></extra>",
    )


def _used(used: Mapping[str, float], x: str, y: str, colour: str) -> go.Scatter:
    """Where the model stands as it answers: the more probable of two classes."""
    return go.Scatter(
        x=[used[x]],
        y=[used[y]],
        name="as it answers",
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": "diamond"},
        hovertemplate="as it answers<br>%{x:.1%}, %{y:.1%}<extra></extra>",
    )


def _guess(x: list[float], y: list[float], dark: bool) -> go.Scatter:
    line = {"color": palette(dark).muted, "width": 1.5, "dash": "dash"}
    return go.Scatter(x=x, y=y, name="guessing", mode="lines", line=line, hoverinfo="skip")


def _with_legend(figure: go.Figure) -> go.Figure:
    """The legend below the title, in a line."""
    figure.update_layout(
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        margin={"t": 84},  # on a phone the legend takes two lines
        title={"y": 0.97, "yanchor": "top"},
    )
    return figure
