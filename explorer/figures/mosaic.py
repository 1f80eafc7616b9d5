"""Many small pictures in one grid: feature maps, filters, examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import BAR, GREY, Scale, drawn, following_width, palette, symmetric

TILE = 72
"""Most screen pixels a tile of a mosaic is high."""
GAP, BETWEEN = 0.4, 0.12
"""Room above a tile for its label, and beside it, as shares of the tile: in a narrow column it is still a line high."""
HEAD, FOOT = 48, 44
"""Pixels that the title takes, and the colour scale."""
Place = tuple[int, int]
"""The top left pixel of a tile."""
Box = tuple[tuple[int, int], ...]
"""First row and the one past the last, first column and the one past the last."""
_EACH = BAR | {"tickvals": [-1, 0, 1], "ticktext": ["-strongest", "0", "strongest"]}


def mosaic(
    tiles: np.ndarray,
    labels: Sequence[str],
    title: str,
    alt: str,
    *,
    scale: str = "auto",
    columns: int = 8,
    limit: float | None = None,
    each: bool = False,
    tile: int = TILE,
    bar: bool = True,
    clickable: bool = False,
    chosen: int | None = None,
    boxes: Sequence[Box | None] = (),
    dark: bool = False,
) -> go.Figure:
    """Many small images in one grid, all on one colour scale. Its height follows its width.

    Args:
        tiles: (N, H, W).
        labels: One short text for each, written above it.
        title: What is seen.
        alt: The same for those who cannot see it.
        scale: ``grey`` (black 0 to white 1), ``signed`` (diverging, centred at zero), ``positive`` (sequential from
            zero), or ``auto``: signed if any value is negative.
        columns: Most tiles in a row.
        limit: End of the scale; the largest magnitude if None. Give it to compare figures.
        each: Whether each tile is drawn relative to its own largest magnitude instead.
        tile: Most screen pixels a tile is high.
        bar: Whether to draw the colour scale.
        clickable: Whether tiles can be clicked: bars that cannot be seen lie over them, since cells of a heatmap
            cannot be. Their ``customdata`` is (label,).
        chosen: Number of the tile that is outlined.
        boxes: What is outlined within each tile.
        dark: Whether the page is dark.
    """
    height, width = tiles.shape[1:]
    shown = tiles / np.maximum(_strongest(tiles), 1e-12)[:, None, None] if each else tiles
    colours, low, high = _scale(scale, shown, 1.0 if each else limit, dark)
    canvas, places = grid(shown.astype(np.float32), columns, *gaps(height, width))
    heatmap = {
        "type": "heatmap",
        "z": canvas,
        "colorscale": [list(stop) for stop in colours],
        "zmin": low,
        "zmax": high,
        "hoverongaps": False,
        "showscale": bar,
        "colorbar": _EACH if each else BAR,
        "hovertemplate": "value %{z:.4g}<extra></extra>",
    }
    data = [heatmap]
    if clickable or chosen is not None:
        data.append(_over(tiles, places, labels, chosen, dark))
    layout = {
        "annotations": headings(places, labels, 11, palette(dark).muted),
        **axes(*canvas.shape),
        "bargap": 0,
    } | ({"shapes": outlines(places, boxes, dark)} if boxes else {})
    high, wide = canvas.shape
    fixed, most = HEAD + (FOOT if bar else 0), round(tile * high / height)
    return drawn(data, layout | following_width(alt, fixed, high / wide, most), title, alt, dark, height=fixed + most)


def outlines(places: Sequence[Place], boxes: Sequence[Box | None], dark: bool) -> list[dict[str, Any]]:
    """Rectangles around the part of each tile that its box says, if it has one."""
    line = {"color": palette(dark).validation, "width": 2}
    return [
        {
            "type": "rect",
            "x0": left + across[0] - 0.5,
            "x1": left + across[1] - 0.5,
            "y0": top + down[0] - 0.5,
            "y1": top + down[1] - 0.5,
            "line": line,
        }
        for (top, left), box in zip(places, boxes, strict=False)
        if box
        for down, across in [box]
    ]


def gaps(height: int, width: int) -> tuple[int, int]:
    """Pixels of room above a tile and beside it."""
    return max(1, math.ceil(height * GAP)), max(1, round(width * BETWEEN))


def grid(tiles: np.ndarray, columns: int, gap_y: int, gap_x: int) -> tuple[np.ndarray, list[Place]]:
    """Tiles (N, H, W) in rows on one canvas, with room above and between them; also each tile's top left pixel."""
    count, height, width = tiles.shape
    columns = max(1, min(columns, count))
    rows = -(-count // columns)
    canvas = np.full((rows * (height + gap_y), columns * (width + gap_x) - gap_x), np.nan, tiles.dtype)
    places = [((n // columns) * (height + gap_y) + gap_y, (n % columns) * (width + gap_x)) for n in range(count)]
    for (top, left), tile in zip(places, tiles, strict=True):
        canvas[top : top + height, left : left + width] = tile
    return canvas, places


def _over(tiles: np.ndarray, places: list[Place], labels: Sequence[str], chosen: int | None, dark: bool) -> dict:
    """A bar over each tile, which can be clicked, and of which only the outline of the chosen one is seen."""
    height, width = tiles.shape[1:]
    low, high = tiles.min(axis=(1, 2)), tiles.max(axis=(1, 2))
    return {
        "type": "bar",
        "x": [left + (width - 1) / 2 for _, left in places],
        "base": [top - 0.5 for top, _ in places],
        "y": [height] * len(places),
        "width": width,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"color": palette(dark).validation, "width": 3},
            "opacity": 0 if chosen is None else [float(n == chosen) for n in range(len(places))],
        },
        "selected": {"marker": {"opacity": 1}},  # a click outlines a tile at once, and without a new figure
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [[label] for label in labels],
        "text": [f"{label}: {least:.3g} to {most:.3g}" for label, least, most in zip(labels, low, high, strict=True)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def headings(places: Sequence[Place], labels: Sequence[str], size: int, ink: str) -> list[dict[str, Any]]:
    """A label above each tile."""
    return [
        {
            "x": left - 0.5,
            "y": top - 0.5,
            "text": label,
            "showarrow": False,
            "align": "left",
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": size, "color": ink},
            "borderpad": 0,
        }
        for (top, left), label in zip(places, labels, strict=True)
        if label
    ]


def axes(height: int, width: int) -> dict[str, Any]:
    """Square pixels, the first row on top, from the left edge, never zoomed."""
    same = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return {
        "xaxis": same | {"constraintoward": "left", "range": [-0.5, width - 0.5]},
        "yaxis": same | {"constraintoward": "top", "range": [height - 0.5, -0.5], "scaleanchor": "x"},
    }


def _strongest(tiles: np.ndarray) -> np.ndarray:
    """Largest magnitude of each tile, (N,)."""
    return np.abs(tiles).max(axis=(1, 2), initial=0.0)


def _scale(scale: str, values: np.ndarray, limit: float | None, dark: bool) -> tuple[Scale, float, float]:
    colours = palette(dark)
    if scale == "grey":
        return GREY, 0.0, 1.0
    limit = float(np.abs(values).max(initial=0.0)) if limit is None else limit
    if scale == "signed" or (scale == "auto" and values.min(initial=0.0) < 0):
        return colours.diverging, *symmetric(limit)
    return colours.sequential, 0.0, limit or 1.0
