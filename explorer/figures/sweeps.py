"""A sweep in one picture: every run across its settings to its result, or the result over the one that was varied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from explorer.figures.axes import log_axis, number, spreads
from explorer.figures.compare import QUALITIES, SHARES
from explorer.figures.theme import as_text, finish, palette

SHADES = 5
"""Groups of runs from worst to best that share a shade."""
TICKS = 6
"""Most values written along an axis; of more, the ends and the middle."""


def parallel(settings: pd.DataFrame, quality: np.ndarray, what: str, up: bool, dark: bool = False) -> go.Figure:
    """Parallel coordinates (Inselberg, 1985): one upright axis a setting, the last one the result, one line a run.

    Drawn with plain lines, so that it can be read on a phone, in the dark and by hovering over any point. Better runs
    are darker on a light page, brighter on a dark one; the best one is drawn thick.

    Args:
        settings: One row a run and one column a setting, named in words; at least one.
        quality: (N,) results; runs without one are left out.
        what: One of `figures.compare.QUALITIES`.
        up: Whether more is better.
        dark: Whether the page is dark.
    """
    colours, quality = palette(dark), np.asarray(quality, float)
    there = np.isfinite(quality)
    settings, quality = settings[there].reset_index(drop=True), quality[there]
    percent = what in SHARES
    result = QUALITIES[what][0].lower()
    axes = [_Axis(settings[name]) for name in settings] + [_Axis(pd.Series(quality), percent)]
    heights = np.column_stack([one.heights for one in axes]) if len(quality) else np.empty((0, len(axes)))
    order = np.argsort(quality if up else -quality, kind="stable")  # worst first: better ones lie above
    words = [
        "<br>".join(
            [*(as_text(f"{name} {_word(row[name])}") for name in settings), f"{result} {_number(value, percent)}"]
        )
        for (_, row), value in zip(settings.iterrows(), quality, strict=True)
    ]
    figure = go.Figure()
    shades = sample_colorscale([list(stop) for stop in colours.sequential], np.linspace(0.35, 0.85, SHADES).tolist())
    for shade, group in zip(shades, np.array_split(order[:-1], SHADES), strict=True):
        figure.add_trace(_lines(heights, list(group), words, {"color": shade, "width": 1.5}, 5))
    if len(order):
        figure.add_trace(_lines(heights, [order[-1]], words, {"color": colours.validation, "width": 4}, 9))
    for place, one in enumerate(axes):
        figure.add_vline(x=place, line={"color": colours.muted, "width": 1})
        last = place == len(axes) - 1
        for height, text in one.ticks():
            figure.add_annotation(
                x=place,
                y=height,
                text=as_text(text),
                showarrow=False,
                xanchor="left" if last else "right",
                xshift=6 if last else -6,
                font={"size": 11, "color": colours.ink},
                bgcolor=colours.blank,  # lines pass behind it
                borderpad=1,
                opacity=0.9,
            )
    names = ["<br>".join(wrap(as_text(name), 14)) for name in (*settings, QUALITIES[what][0])]
    figure.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=names, range=[-0.45, len(axes) - 0.55], showgrid=False, zeroline=False
    )
    figure.update_xaxes(fixedrange=True, tickangle=0)
    figure.update_yaxes(visible=False, range=[-0.06, 1.06], fixedrange=True)
    figure.update_layout(showlegend=False)
    best = words[order[-1]].replace("<br>", ", ") if len(order) else "nothing yet"
    alt = f"{len(quality)} runs as lines across {', '.join(settings)} to {result}. Best: {best}."
    return finish(figure, f"Each line is a run; the thick one has the best {result}", alt, dark, height=380)


def scaling(
    n: np.ndarray,
    values: np.ndarray,
    names: Sequence[str],
    along: str,
    what: str,
    law: tuple[np.ndarray, np.ndarray, str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """A result over the one setting that was varied, with a law through the points where there is one.

    The bottom axis is logarithmic where the sizes spread enough, the other one where it shows a loss above zero.

    Args:
        n: (N,) sizes.
        values: (N,) results; runs without one are left out.
        names: The runs in words.
        along: What the sizes are.
        what: One of `figures.compare.QUALITIES`; of a loss the smallest of each run is meant.
        law: Sizes, values there, and the law in words.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    n, values = np.asarray(n, float), np.asarray(values, float)
    there = np.isfinite(n) & np.isfinite(values)
    n, values, names = n[there], values[there], [as_text(name) for name, yes in zip(names, there, strict=True) if yes]
    mean = pd.Series(values).groupby(n).mean()
    figure = go.Figure(
        [
            go.Scatter(
                x=mean.index,
                y=mean,
                mode="lines",
                line={"color": colours.train, "width": 2},
                name="mean" if len(mean) < len(n) else "runs",
                hoverinfo="skip",
                showlegend=False,
            ),
            go.Scatter(
                x=n,
                y=values,
                mode="markers",
                marker={"color": colours.train, "size": 10, "symbol": "diamond"},
                name="runs",
                customdata=names,
                hovertemplate="%{customdata}<br>%{y:.4~g}<extra></extra>",
            ),
        ]
    )
    if law:
        figure.add_trace(
            go.Scatter(
                x=law[0],
                y=law[1],
                mode="lines",
                line={"color": colours.validation, "width": 3, "dash": "dash"},
                name=re.sub(r"\^(-?[\d.]+)", r"<sup>\1</sup>", law[2]),
                hoverinfo="skip",
            )
        )
    title, axis = QUALITIES[what]
    shown = "smallest validation loss" if what == "loss" else f"validation {title.lower()}"
    grid = {"gridcolor": colours.grid, "zeroline": False, "fixedrange": True}
    figure.update_xaxes(title=along, **(log_axis(n) if spreads(n) else {}), **grid)
    sizes = np.unique(n)
    if 0 < len(sizes) <= TICKS:
        figure.update_xaxes(tickvals=sizes, ticktext=[number(size) for size in sizes])
    figure.update_yaxes(title=axis if what != "loss" else shown, **grid)
    if what == "loss":
        along_law = np.empty(0) if law is None else law[1]
        figure.update_yaxes(**log_axis(np.concatenate([values[values > 0], along_law])))
    elif what in SHARES:
        figure.update_yaxes(tickformat=".1~%")
    figure.update_layout(
        showlegend=law is not None,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )
    said = "; ".join(f"{size:g}: {value:.3g}" for size, value in mean.items())
    alt = (
        f"{shown.capitalize()} of {len(n)} runs over {along.lower()}. {said or 'Nothing yet'}. {law[2] if law else ''}"
    )
    finish(figure, f"{shown.capitalize()} over {along.lower()}", alt.strip(), dark, height=360)
    if law:
        figure.update_layout(margin={"t": 68}, title={"y": 0.97, "yanchor": "top"})
    return figure


class _Axis:
    """One upright axis: where its values stand, from 0 to 1, and what is written there."""

    def __init__(self, values: pd.Series, percent: bool = False) -> None:
        self.values, self.percent = values, percent
        self.numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
        if not self.numeric:
            self.order = list(dict.fromkeys(values))
            self.values = values.map({value: place for place, value in enumerate(self.order)})
        self.exact = self.values.to_numpy(float)
        self.scaled = np.log(self.exact) if self.numeric and spreads(self.exact) else self.exact
        self.heights = np.array([self._at(value) for value in self.scaled])

    def _at(self, scaled: float) -> float:
        low, high = self.scaled.min(), self.scaled.max()
        return float((scaled - low) / (high - low)) if high > low else 0.5

    def ticks(self) -> list[tuple[float, str]]:
        """Heights, and what is written there."""
        places = dict(zip(self.exact, self.heights, strict=True))
        kept = sorted(places)
        if self.numeric and len(kept) > TICKS:
            kept = [kept[0], min(kept, key=lambda value: abs(places[value] - 0.5)), kept[-1]]
        return [(places[value], self._said(value)) for value in kept]

    def _said(self, value: float) -> str:
        return _number(value, self.percent) if self.numeric else _word(self.order[int(value)])


def _lines(heights: np.ndarray, rows: list[int], words: list[str], line: dict[str, Any], size: int) -> go.Scatter:
    """Lines of some runs in one trace, with gaps between them."""
    width = heights.shape[1]
    y = np.full((len(rows), width + 1), np.nan)
    y[:, :width] = heights[rows]
    return go.Scatter(
        x=np.tile(np.append(np.arange(width, dtype=float), np.nan), len(rows)),
        y=y.ravel(),
        customdata=np.repeat([words[row] for row in rows], width + 1),
        mode="lines+markers",
        line=line,
        marker={"size": size, "color": line["color"]},
        hovertemplate="%{customdata}<extra></extra>",
    )


def _number(value: float, percent: bool = False) -> str:
    return f"{value:.1%}" if percent else f"{value:.4g}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(value) if isinstance(value, float) else str(value)
