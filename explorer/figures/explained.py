"""Attributions over what they explain: images under them, series along them; and many of them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from explorer.figures.mosaic import FOOT, HEAD, axes, gaps, grid, headings
from explorer.figures.theme import BAR, Scale, as_text, finish, following_width, palette, symmetric

LETTERS = 28
"""Most letters of a name along an axis."""
_WORDS = {"tickvals": [-0.8, 0, 0.9], "ticktext": ["against", "0", "for"]}
TITLE = 36
"""Letters of a title in one line."""
HEIGHT = 380
"""Screen pixels of one picture."""


def overlay(
    images: np.ndarray,
    values: np.ndarray,
    labels: Sequence[str],
    title: str,
    alt: str,
    *,
    opacity: float = 0.8,
    strength: bool = False,
    limit: float | None = None,
    columns: int = 1,
    height: int = HEIGHT,
    dark: bool = False,
) -> go.Figure:
    """Attributions over their images, all on one scale.

    Args:
        images: (N, C, H, W), values 0 to 1, grey or red-green-blue.
        values: (N, H, W).
        labels: What is written above each; empty for nothing.
        title: What is seen.
        alt: The same for those who cannot see it.
        opacity: Of the attributions over the images, 0 to 1.
        strength: Whether they have no sign.
        limit: End of the scale; the largest magnitude if None.
        columns: Images in a row.
        height: Most screen pixels an image is high.
        dark: Whether the page is dark.
    """
    tall, wide = values.shape[1:]
    room = gaps(tall, wide) if any(labels) else (0, 0)
    over, places = grid(values, columns, *room)
    under = [grid(images[:, n % images.shape[1]], columns, *room)[0] for n in range(3)]
    seen = np.stack([*under, 1.0 - np.isnan(under[0])], axis=2)
    scale, low, high = _scale(values, limit, strength, dark)
    figure = go.Figure(
        [
            go.Image(z=np.nan_to_num(seen * [255, 255, 255, 1]).round(2), colormodel="rgba", hoverinfo="skip"),
            go.Heatmap(
                z=over,
                opacity=opacity,
                colorscale=scale,
                zmin=low,
                zmax=high,
                colorbar=BAR,
                hoverongaps=False,
                customdata=under[0],
                hovertemplate="row %{y}, column %{x}<br>value %{z:.4g}<br>input %{customdata:.3g}<extra></extra>"
                if len(images) == 1
                else "value %{z:.4g}<extra></extra>",
            ),
        ]
    )
    high, across = over.shape
    most = round(height * high / tall)
    finish(figure, title, alt, dark, height=HEAD + FOOT + most)
    return figure.update_layout(
        annotations=headings(places, [as_text(label) for label in labels], 12, palette(dark).ink),
        **axes(high, across),
        **following_width(alt, HEAD + FOOT, high / across, most),
    )


def coloured_series(
    x: np.ndarray,
    values: np.ndarray,
    title: str,
    alt: str,
    *,
    strength: bool = False,
    limit: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """A series (C, L) as lines whose points have the colours of their attributions (C, L)."""
    colours = palette(dark)
    scale, low, high = _scale(values, limit, strength, dark)
    figure = go.Figure(
        [
            go.Scatter(
                y=line,
                name=f"channel {number}",
                mode="lines+markers",
                line={"color": colours.muted, "width": 1},
                customdata=values[number],
                marker={
                    "color": values[number],
                    "colorscale": scale,
                    "cmin": low,
                    "cmax": high,
                    "size": 9,
                    "line": {"width": 0.5, "color": colours.muted},
                    "showscale": number == 0,
                    "colorbar": BAR | {"y": -0.28},
                },
                hovertemplate="step %{x}<br>input %{y:.3g}<br>value %{customdata:.4g}<extra></extra>",
            )
            for number, line in enumerate(x)
        ]
    )
    figure.update_xaxes(title="step", gridcolor=colours.grid, zeroline=False, fixedrange=True)
    figure.update_yaxes(title="input", gridcolor=colours.grid, zeroline=False, fixedrange=True)
    figure.update_layout(showlegend=False)
    return finish(figure, title, alt, dark, height=HEIGHT)


def crossed(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    alt: str,
    *,
    names: tuple[str, str] = ("", ""),
    relative: int | None = None,
    limit: float | None = None,
    strength: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Attributions as a table of colours: of several methods, steps or tokens, one in each row or column.

    Args:
        values: (rows, columns).
        rows, columns: What they are called.
        title: What is seen.
        alt: The same for those who cannot see it.
        names: What rows and columns are.
        relative: 0 draws each column, 1 each row relative to its own strongest value; None draws all on one scale.
        limit: End of that scale; the largest magnitude if None.
        strength: Whether they have no sign.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    shown, own = values, relative is not None
    if own:
        strongest = np.abs(values).max(axis=relative, initial=0.0, keepdims=True)
        shown = values / np.where(strongest > 0, strongest, 1.0)
    scale, low, high = _scale(shown, 1.0 if own else limit, strength, dark)
    figure = go.Figure(
        go.Heatmap(
            z=shown,
            colorscale=scale,
            zmin=low,
            zmax=high,
            xgap=1,
            ygap=1,
            colorbar=BAR | (_WORDS if own else {}),
            customdata=_named(rows, columns, values),
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>value %{customdata[2]:.4g}<extra></extra>",
        )
    )
    every = max(1, len(columns) // (10 if all(map(str.isdecimal, columns)) else 26))
    shown_at = list(range(0, len(columns), every))
    words = [as_text(columns[n], LETTERS) for n in shown_at]
    longest = max(map(len, words), default=1)
    figure.update_xaxes(
        tickvals=shown_at,
        ticktext=words,
        tickangle=-90 if longest > 2 else 0,
        side="top",
        ticks="",
        title=names[1],
        fixedrange=True,
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[as_text(row, LETTERS) for row in rows],
        autorange="reversed",
        automargin=True,
        title=names[0],
        fixedrange=True,
    )
    top = 48 + (26 if longest <= 2 else round(7.2 * longest) + 8) + (18 if names[1] else 0)
    height = top + 64 + min(900, max(60, 24 * len(rows)))
    finish(figure, title, alt, dark, height=height)
    figure.update_layout(margin={"t": top}, title={"y": 1 - 10 / height, "yanchor": "top"}, plot_bgcolor=colours.grid)
    return figure


def wrapped(figure: go.Figure) -> go.Figure:
    """A figure with its title on as many lines as a phone needs, beside the camera in the corner."""
    lines = wrap(figure.layout.title.text, TITLE) or [""]
    more = 18 * (len(lines) - 1)
    meta = {
        name: said.replace("calc(", f"calc({more}px + ", 1) if name == "height" else said
        for name, said in figure.layout.meta.items()
    }
    return figure.update_layout(
        title_text="<br>".join(map(as_text, lines)),
        margin_t=figure.layout.margin.t + more,
        height=figure.layout.height + more,
        meta=meta,
    )


def _named(rows: Sequence[str], columns: Sequence[str], values: np.ndarray) -> np.ndarray:
    """Row, column and value of each place, (rows, columns, 3)."""
    names = np.meshgrid(
        np.array([*map(as_text, rows)], object), np.array([*map(as_text, columns)], object), indexing="ij"
    )
    return np.stack([*names, values.astype(object)], axis=2)


def _scale(values: np.ndarray, limit: float | None, strength: bool, dark: bool) -> tuple[Scale, float, float]:
    colours = palette(dark)
    limit = float(np.nanmax(np.abs(values), initial=0.0)) if limit is None else limit
    return (colours.sequential, 0.0, limit or 1.0) if strength else (colours.diverging, *symmetric(limit))
