"""Many small pictures in one grid: feature maps, filters, examples."""

from __future__ import annotations

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
Place = tuple[float, float]
"""Top and left end of a tile, in pixels of the tiles."""
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
    places = _places(tiles.shape, columns)
    shown = tiles / np.maximum(_strongest(tiles), 1e-12)[:, None, None] if each else tiles
    colours, low, high = _scale(scale, shown, 1.0 if each else limit, dark)
    x, y, z = _canvas(shown, places, columns)
    heatmap = {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": z,
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
        "annotations": _labels(places, labels, palette(dark).muted),
        "xaxis": _axis(x[-1], "left"),
        "yaxis": _axis(y[-1], "top") | {"range": [y[-1], 0], "scaleanchor": "x"},
        "bargap": 0,
    } | ({"shapes": outlines(places, boxes, dark)} if boxes else {})
    fixed, most = HEAD + (FOOT if bar else 0), round(tile * y[-1] / tiles.shape[1])
    return drawn(data, layout | following_width(alt, fixed, y[-1] / x[-1], most), title, alt, dark, height=fixed + most)


def outlines(
    places: Sequence[Place], boxes: Sequence[Box | None], dark: bool, edge: float = 0.0
) -> list[dict[str, Any]]:
    """Rectangles around parts of tiles.

    Args:
        places: Top and left end of each tile.
        boxes: The part of each, or None.
        dark: Whether the page is dark.
        edge: Where the first pixel of a figure begins.
    """
    line = {"color": palette(dark).validation, "width": 2}
    return [
        {
            "type": "rect",
            "x0": left + across[0] + edge,
            "x1": left + across[1] + edge,
            "y0": top + down[0] + edge,
            "y1": top + down[1] + edge,
            "line": line,
        }
        for (top, left), box in zip(places, boxes, strict=False)
        if box
        for down, across in [box]
    ]


def _places(shape: tuple[int, ...], columns: int) -> list[Place]:
    count, height, width = shape
    down, across = height * (1 + GAP), width * (1 + BETWEEN)
    return [(n // columns * down + height * GAP, n % columns * across) for n in range(count)]


def _canvas(tiles: np.ndarray, places: list[Place], columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges of all pixels along x and y, and their values; between the tiles there are none."""
    count, height, width = tiles.shape
    columns = min(columns, count)
    rows = -(-count // columns)
    values = np.full((rows, height + 1, columns, width + 1), np.nan, np.float32)  # a gap above, and one on the right
    for n, tile in enumerate(tiles):
        values[n // columns, 1:, n % columns, :-1] = tile
    tops, lefts = (sorted({place[side] for place in places}) for side in (0, 1))
    x = np.concatenate([left + np.arange(width + 1) for left in lefts])  # the last edge of a tile begins the gap
    y = np.concatenate([[0.0], *(top + np.arange(height + 1) for top in tops)])
    return x, y, values.reshape(rows * (height + 1), columns * (width + 1))[:, :-1]


def _over(tiles: np.ndarray, places: list[Place], labels: Sequence[str], chosen: int | None, dark: bool) -> dict:
    """A bar over each tile, which can be clicked, and of which only the outline of the chosen one is seen."""
    height, width = tiles.shape[1:]
    low, high = tiles.min(axis=(1, 2)), tiles.max(axis=(1, 2))
    return {
        "type": "bar",
        "x": [left + width / 2 for _, left in places],
        "base": [top for top, _ in places],
        "y": [height] * len(places),
        "width": width,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {
                "color": palette(dark).validation,
                "width": [3 if n == chosen else 0 for n in range(len(places))],
            },
        },
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "customdata": [[label] for label in labels],
        "text": [f"{label}: {least:.3g} to {most:.3g}" for label, least, most in zip(labels, low, high, strict=True)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _labels(places: list[Place], labels: Sequence[str], ink: str) -> list[dict[str, Any]]:
    return [
        {
            "x": left,
            "y": top,
            "text": label,
            "showarrow": False,
            "align": "left",
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 11, "color": ink},
            "borderpad": 0,
        }
        for (top, left), label in zip(places, labels, strict=True)
        if label
    ]


def _axis(end: float, toward: str) -> dict[str, Any]:
    return {
        "visible": False,
        "fixedrange": True,
        "constrain": "domain",
        "constraintoward": toward,
        "range": [0, end],
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
