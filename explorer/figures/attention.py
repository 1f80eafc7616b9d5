"""Where attention heads look: all of them small, and one as lines between places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import BAR, Parts, Scale, as_text, drawn, palette
from explorer.figures.thumbnails import painted

SIDE = 64
"""Most cells along a side of a small map; of larger ones the strongest of neighbouring cells is seen."""
TILE, ROOM = 74, 24
"""Height of a small map and of the line above it, in screen pixels."""
ACROSS, FEWEST = 8, 6
"""Most small maps in a row, and how many there is room for at least."""
SHADES = 254
"""Steps of colour of small maps, of one byte each."""
LETTERS = 12
"""Letters of a word that are written beside its place."""
FAINTEST, LEVELS = 0.02, 6
"""Lines of smaller weights, as a share of the strongest, are not drawn; widths that lines may have."""


def grid(
    maps: Sequence[np.ndarray],
    names: Sequence[str],
    chosen: tuple[int, int] | None = None,
    limit: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Every head of every layer as a small map, all on one scale; rows of a map look at its columns.

    Over each lies a bar that cannot be seen, since bars can be clicked; its ``customdata`` is (layer, head), from 0.

    Args:
        maps: For each layer the weights of its heads, (heads, L, S).
        names: Of the layers.
        chosen: Layer and head that are outlined.
        limit: End of the scale; the largest weight if None.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    limit = limit or max(float(weights.max()) for weights in maps) or 1.0
    height, width = (max(min(weights.shape[axis], SIDE) for weights in maps) for axis in (1, 2))
    above, gap = max(1, round(height * ROOM / TILE)), max(1, round(width * 0.12))
    rows = [
        (layer, first) for layer, weights in enumerate(maps) for first in range(0, len(weights), ACROSS)
    ]  # the layer, and its first head in the row
    columns = max(FEWEST, *(min(len(weights), ACROSS) for weights in maps))
    canvas = np.zeros((len(rows) * (height + above), columns * (width + gap) - gap), dtype=np.uint8)
    tiles = []
    for row, (layer, first) in enumerate(rows):
        top = row * (height + above) + above
        for column, seen in enumerate(maps[layer][first : first + ACROSS]):
            left = column * (width + gap)
            small = _sized(_sized(seen, height, 0), width, 1)
            canvas[top : top + height, left : left + width] = 1 + np.round(SHADES * (small / limit).clip(0, 1))
            tiles.append((layer, first + column, top, left))
    scale = {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {
            "color": [0],
            "cmin": 0,
            "cmax": limit,
            "colorscale": colours.sequential,
            "showscale": True,
            "colorbar": BAR | {"nticks": 3},
        },
    }
    picture = {
        "source": painted(canvas, _shades(colours.sequential), max(1, 2 * TILE // max(height, width))),
        "xref": "x",
        "yref": "y",
        "x": -0.5,
        "y": -0.5,
        "sizex": canvas.shape[1],
        "sizey": canvas.shape[0],
        "sizing": "stretch",
        "layer": "below",
    }
    picked = [(layer, head) == chosen for layer, head, _, _ in tiles]
    bars = {
        "type": "bar",
        "x": [left + width / 2 - 0.5 for _, _, _, left in tiles],
        "y": [height] * len(tiles),
        "base": [top - 0.5 for _, _, top, _ in tiles],
        "width": width,
        "customdata": [[layer, head] for layer, head, _, _ in tiles],
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"color": colours.validation, "width": 3},
            "opacity": [float(one) for one in picked],
        },
        "hovertext": [f"{as_text(names[layer])}, head {head + 1}" for layer, head, _, _ in tiles],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},  # a click outlines a map at once, and without a new figure
        "unselected": {"marker": {"opacity": 0}},
    }
    notes = [
        {
            "x": -0.5,
            "y": row * (height + above) + above - 0.5,
            "text": f"{as_text(names[layer])}: {_heads(first, len(maps[layer]))}",
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "bottom",
            "borderpad": 2,
            "font": {"size": 12, "color": colours.muted},
        }
        for row, (layer, first) in enumerate(rows)
    ]
    hidden = {"visible": False, "fixedrange": True}
    layout = {
        "xaxis": hidden | {"range": [-0.5, canvas.shape[1] - 0.5]},
        "yaxis": hidden | {"range": [canvas.shape[0] - 0.5, -0.5]},
        "annotations": notes,
        "images": [picture],
        "showlegend": False,
    }
    count = sum(map(len, maps))
    title = f"{count} {'heads' if count > 1 else 'head'} of {len(maps)} {'layers' if len(maps) > 1 else 'layer'}"
    alt = f"Small maps of attention weights: {title}, from {names[0]} to {names[-1]}; the largest is {limit:.2g}."
    return drawn([scale, bars], layout, f"{title}, one scale", alt, dark, 48 + len(rows) * (TILE + ROOM) + 44)


def lines(
    weights: np.ndarray,
    looking: Sequence[str],
    seen: Sequence[str],
    title: str,
    place: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Each place on the left joined to those on the right that it looks at; the stronger, the wider (Vig, 2019).

    Places on the left can be clicked: their ``customdata`` is their number.

    Args:
        weights: (L, S).
        looking, seen: Names of the places that look and of those that are looked at.
        title: What is seen.
        place: Only the lines of this place; those of all if None.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    shown = weights if place is None else np.where(np.arange(len(weights))[:, None] == place, weights, 0.0)
    left, right = np.linspace(0, 1, len(looking) + 2)[1:-1], np.linspace(0, 1, len(seen) + 2)[1:-1]
    traces = _bundles(shown, left, right, colours.accent)
    marks = [colours.validation if n == place else colours.muted for n in range(len(looking))]
    taken = None if place is None else weights[place]
    traces += [
        _column(0, left, looking, "middle left", marks, colours.ink)
        | {"customdata": [[n] for n in range(len(looking))], "hovertemplate": "%{hovertext} looks<extra></extra>"},
        _column(1, right, seen, "middle right", colours.muted, colours.ink)
        | {
            "hovertext": _told(seen, taken),
            "hovertemplate": "%{hovertext}<extra></extra>",
        },
    ]
    hidden = {"visible": False, "fixedrange": True}
    longest = max(min(len(name), LETTERS) for name in [*looking, *seen])
    room = 0.12 + 0.035 * longest  # words beside the places, also on a phone
    layout = {
        "xaxis": hidden | {"range": [-room, 1 + room]},
        "yaxis": hidden | {"range": [1, 0]},
        "showlegend": False,
        "margin": {"l": 8, "r": 8, "t": 64, "b": 8},
        "annotations": [
            {"x": x, "y": 0, "text": text, "showarrow": False, "yanchor": "bottom", "font": {"color": colours.muted}}
            for x, text in ((0, "looks"), (1, "is looked at"))
        ],
    }
    best = np.unravel_index(int(shown.argmax()), shown.shape)
    alt = (
        f"{title}: {len(looking)} places joined to {len(seen)}. The widest line, {shown[best]:.2g}, goes from "
        f"{looking[best[0]]} to {seen[best[1]]}."
    )
    most = max(len(looking), len(seen))
    return drawn(traces, layout, title, alt, dark, 80 + most * (24 if most <= 24 else 15))


def _bundles(weights: np.ndarray, left: np.ndarray, right: np.ndarray, colour: str) -> list[Parts]:
    """The lines, those of about one weight as one trace."""
    strongest = float(weights.max()) or 1.0
    level = np.ceil(weights / strongest * LEVELS).astype(int)
    level[weights < FAINTEST * strongest] = 0
    traces = []
    for number in range(1, LEVELS + 1):
        start, end = np.nonzero(level == number)
        if not len(start):
            continue
        count, share = len(start), number / LEVELS
        x = np.tile([0.0, 1.0, np.nan], count)
        y = np.stack([left[start], right[end], np.full(count, np.nan)], axis=1).ravel()
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "lines",
                "opacity": 0.15 + 0.75 * share,
                "line": {"color": colour, "width": 0.5 + 5 * share},
                "hoverinfo": "skip",
            }
        )
    return traces


def _column(x: float, y: np.ndarray, names: Sequence[str], side: str, colour: str | list[str], ink: str) -> Parts:
    """The places of one side, from top to bottom."""
    return {
        "type": "scatter",
        "x": np.full(len(names), float(x)),
        "y": y,
        "mode": "markers+text",
        "marker": {"color": colour, "size": 9},
        "text": [as_text(name, LETTERS) for name in names],
        "textposition": side,
        "textfont": {"color": ink, "size": 12 if len(names) <= 24 else 10},
        "hovertext": [as_text(name) for name in names],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "cliponaxis": False,
    }


def _told(names: Sequence[str], weights: np.ndarray | None) -> list[str]:
    if weights is None:
        return [as_text(name) for name in names]
    return [f"{as_text(name)}: {weight:.3f}" for name, weight in zip(names, weights, strict=True)]


def _heads(first: int, heads: int) -> str:
    """What the heads of one row are called."""
    last = min(first + ACROSS, heads)
    return "one head" if heads == 1 else f"heads {first + 1} to {last}"


def _sized(values: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Values with so many cells along an axis: repeated, or the largest of neighbours."""
    count = values.shape[axis]
    if count <= size:
        return values.take(np.arange(size) * count // size, axis)
    return np.maximum.reduceat(values, np.arange(size) * count // size, axis)


def _shades(scale: Scale) -> np.ndarray:
    """(256, 3) red, green and blue of each byte: 0 is nothing, 1 to 255 are the scale."""
    at, colours = zip(*scale, strict=True)
    stops = np.array([[int(colour[n : n + 2], 16) for n in (1, 3, 5)] for colour in colours])
    along = np.linspace(0, 1, SHADES + 1)
    shades = np.stack([np.interp(along, at, channel) for channel in stops.T], axis=1).round()
    return np.concatenate([np.zeros((1, 3)), shades])
