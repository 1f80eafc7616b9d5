"""Images, feature maps, filters and attributions: everything that is drawn as pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import GREY, Scale, finish, palette, symmetric

TILE = 64
"""About how many screen pixels a tile of a mosaic is high."""


_BAR = {
    "orientation": "h",
    "thickness": 8,
    "len": 0.6,
    "x": 0,
    "xanchor": "left",
    "y": 0,
    "yanchor": "top",
    "ypad": 6,
    "outlinewidth": 0,
    "tickformat": ".2~g",
    "nticks": 5,
}
"""The colour scale lies under the picture: beside it, it would take a phone's width."""


_SIGNED = _BAR | {"tickvals": [-1, 0, 1], "ticktext": ["against", "no effect", "for"]}


def mosaic(
    tiles: np.ndarray,
    labels: Sequence[str],
    title: str,
    alt: str,
    *,
    scale: str = "auto",
    columns: int = 8,
    limit: float | None = None,
    tile: int = TILE,
    bar: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Many small images in one grid, all on one colour scale.

    Args:
        tiles: (N, H, W).
        labels: One short text for each, written above it.
        title: What is seen.
        alt: The same for those who cannot see it.
        scale: ``grey`` (black 0 to white 1), ``signed`` (diverging, centred at zero), ``positive`` (sequential from
            zero), or ``auto``: signed if any value is negative.
        columns: Most tiles in a row.
        limit: End of the scale; the largest magnitude if None. Give it to compare figures.
        tile: Height of a tile in screen pixels.
        bar: Whether to draw the colour scale.
        dark: Whether the page is dark.
    """
    count, height, width = tiles.shape
    columns = max(1, min(columns, count))
    rows = math.ceil(count / columns)
    gap_x, gap_y = max(1, round(width * 0.12)), max(1, round(height * 0.28))  # room for the label
    canvas = np.full((rows * (height + gap_y), columns * (width + gap_x) - gap_x), np.nan)
    hover = np.full(canvas.shape, "", dtype=object)
    places = []
    for index, (image, label) in enumerate(zip(tiles, labels, strict=True)):
        top, left = (index // columns) * (height + gap_y) + gap_y, (index % columns) * (width + gap_x)
        canvas[top : top + height, left : left + width] = image
        hover[top : top + height, left : left + width] = label
        places.append((left, top, label))
    colours, low, high = _scale(scale, tiles, limit, dark)
    figure = go.Figure(
        go.Heatmap(
            z=canvas,
            text=hover,
            colorscale=colours,
            zmin=low,
            zmax=high,
            hoverongaps=False,
            showscale=bar,
            colorbar=_BAR,
            hovertemplate="%{text}<br>value %{z:.4g}<extra></extra>",
        )
    )
    ink = palette(dark).muted
    figure.update_layout(
        annotations=[
            {
                "x": left - 0.5,
                "y": top - 0.5,
                "text": label,
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 11, "color": ink},
                "borderpad": 0,
            }
            for left, top, label in places
            if label
        ]
    )
    figure.update_xaxes(
        visible=False, fixedrange=True, constrain="domain", constraintoward="left", range=[-0.5, canvas.shape[1] - 0.5]
    )
    figure.update_yaxes(
        visible=False,
        fixedrange=True,
        scaleanchor="x",
        constrain="domain",
        constraintoward="top",
        range=[canvas.shape[0] - 0.5, -0.5],
    )
    return finish(figure, title, alt, dark, height=48 + rows * round(tile * 1.28) + (44 if bar else 0))


def attributions(
    panels: Sequence[tuple[str, np.ndarray | None]], title: str, alt: str, columns: int = 2, dark: bool = False
) -> go.Figure:
    """Explanations of one answer beside each other, on one diverging scale centred at zero.

    Each is drawn relative to its own strongest value, which its label names, since methods measure different things.

    Args:
        panels: Label and values (H, W) of each; None leaves its place empty, for a method that does not apply.
        title: What is seen.
        alt: The same for those who cannot see it.
        columns: Panels in a row.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    rows = -(-len(panels) // columns)
    figure = go.Figure()
    notes = []
    layout: dict[str, object] = {
        "coloraxis": {"colorscale": colours.diverging, "cmin": -1, "cmax": 1, "colorbar": _SIGNED}
    }
    gap, head = 0.04, 0.3 / (1 + rows)
    for index, (label, values) in enumerate(panels):
        row, column = divmod(index, columns)
        left, right = (column + gap * (column > 0)) / columns, (column + 1 - gap * (column + 1 < columns)) / columns
        top, bottom = 1 - row / rows - head, 1 - (row + 1) / rows
        axis = "" if index == 0 else str(index + 1)
        hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
        layout[f"xaxis{axis}"] = {**hidden, "domain": [left, right], "anchor": f"y{axis}", "constraintoward": "left"}
        layout[f"yaxis{axis}"] = {
            **hidden,
            "domain": [bottom, top],
            "anchor": f"x{axis}",
            "scaleanchor": f"x{axis}",
            "autorange": "reversed",
            "constraintoward": "top",
        }
        strongest = 0.0 if values is None else float(np.abs(values).max())
        note = "does not apply" if values is None else f"strongest {strongest:.2g}"
        notes.append(
            {
                "text": f"<b>{label}</b><br>{note}",
                "x": left,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "showarrow": False,
                "align": "left",
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 12, "color": colours.ink},
            }
        )
        figure.add_trace(
            go.Heatmap(
                z=[[None]] if values is None else values / (strongest or 1.0),
                customdata=values,
                coloraxis="coloraxis",
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                name=label,
                hovertemplate="row %{y}, column %{x}<br>value %{customdata:.4g}<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_layout(layout, annotations=notes)
    return finish(figure, title, alt, dark, height=80 + 265 * rows)


def enlarged(image: np.ndarray, side: int = 240) -> np.ndarray:
    """An image (C, H, W) with values 0 to 1 as bytes (H', W') or (H', W', 3), its pixels enlarged to squares."""
    factor = max(1, side // max(image.shape[1:]))
    pixels = (image.clip(0, 1) * 255).round().astype(np.uint8).repeat(factor, axis=1).repeat(factor, axis=2)
    return pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)


def units(values: np.ndarray, title: str, alt: str, dark: bool = False) -> go.Figure:
    """Values of plain units, (D,), as one bar each."""
    colours = palette(dark)
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(values)),
            y=values,
            marker={"color": np.where(values < 0, colours.validation, colours.train), "line": {"width": 0}},
            hovertemplate="unit %{x}<br>value %{y:.4g}<extra></extra>",
        )
    )
    figure.update_xaxes(title="unit", fixedrange=True, gridcolor=colours.grid)
    figure.update_yaxes(title="value", fixedrange=True, gridcolor=colours.grid, zerolinecolor=colours.muted)
    figure.update_layout(bargap=0.1)
    return finish(figure, title, alt, dark, height=320)


def _scale(scale: str, values: np.ndarray, limit: float | None, dark: bool) -> tuple[Scale, float, float]:
    colours = palette(dark)
    if scale == "grey":
        return GREY, 0.0, 1.0
    limit = float(np.abs(values).max(initial=0.0)) if limit is None else limit
    if scale == "signed" or (scale == "auto" and values.min(initial=0.0) < 0):
        return colours.diverging, *symmetric(limit)
    return colours.sequential, 0.0, limit or 1.0
