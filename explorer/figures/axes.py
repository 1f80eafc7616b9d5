"""Logarithmic axes whose ends and ticks people can read, and names beside points that do not cover each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

RATIOS = 8
"""Positive values that spread this many times are better shown on a logarithmic axis."""
TICKS = 7
"""About the most ticks of one axis."""
PLOT = (280, 280)
"""Pixels of the inside of a figure on a phone, for which names are placed: elsewhere there is only more room."""
LETTER, LINE = 6.5, 16
"""Pixels a letter and a line of a name take."""
_SUPER = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def spreads(values: np.ndarray) -> bool:
    """Whether values (N,) are all positive and far enough apart for a logarithmic axis."""
    return len(values) > 0 and values.min() > 0 and values.max() / values.min() >= RATIOS


def log_axis(values: np.ndarray, room: float = 0.05) -> dict[str, Any]:
    """A logarithmic axis around positive values (N,): its type, range and ticks.

    Args:
        values: What lies along it.
        room: Space at either end, as a share of the whole.
    """
    if not len(values):
        return {"type": "log"}
    low, high = math.log10(values.min()), math.log10(values.max())
    more = max(room * (high - low), 0.02)
    low, high = low - more, high + more
    every = max(1, math.ceil((high - low) / TICKS))
    decades = range(math.floor(low), math.ceil(high) + 1)
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    if high - low < 0.5:
        steps = tuple(np.arange(1, 10, 0.5 if high - low < 0.15 else 1))
    ticks = [step * 10.0**decade for decade in decades if decade % every == 0 for step in steps]
    shown = [tick for tick in ticks if low <= math.log10(tick) <= high]
    if len(shown) < 2:
        shown = sorted({float(values.min()), float(values.max())})
    return {"type": "log", "range": [low, high], "tickvals": shown, "ticktext": [number(tick) for tick in shown]}


def number(value: float) -> str:
    """A number on a tick: ``0.003``, ``2,000``, ``5·10⁶``."""
    if 1e-4 <= value < 1e5:
        return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    power = math.floor(math.log10(value) + 1e-9)
    first = value / 10.0**power
    return f"{'' if round(first, 3) == 1 else f'{first:.3g}·'}10{str(power).translate(_SUPER)}"


def beside(x: np.ndarray, y: np.ndarray, names: Sequence[str]) -> list[str]:
    """Where the name of each point can stand without covering a point or a name before it.

    Args:
        x, y: (N,) places within the figure, 0 to 1.
        names: The names, the most important first.

    Returns:
        Plotly's words for the place, such as ``top center``; empty where there is no room for the name.
    """
    points = np.stack([np.asarray(x, float) * PLOT[0], np.asarray(y, float) * PLOT[1]], axis=1)
    taken: list[tuple[float, float, float, float]] = [(px - 6, py - 6, px + 6, py + 6) for px, py in points]
    found = []
    for (px, py), name in zip(points, names, strict=True):
        wide = LETTER * len(name)
        for place, (left, low) in _boxes(px, py, wide).items():
            box = (left, low, left + wide, low + LINE)
            within = left >= 0 and low >= 0 and box[2] <= PLOT[0] and box[3] <= PLOT[1]
            if within and not any(_meet(box, other) for other in taken):
                taken.append(box)
                found.append(place)
                break
        else:
            found.append("")
    return found


def _boxes(x: float, y: float, wide: float) -> dict[str, tuple[float, float]]:
    """Left and lower end of a name at each place beside a point."""
    gap = 8
    return {
        "top center": (x - wide / 2, y + gap),
        "bottom center": (x - wide / 2, y - gap - LINE),
        "middle right": (x + gap, y - LINE / 2),
        "middle left": (x - gap - wide, y - LINE / 2),
        "top right": (x, y + gap),
        "top left": (x - wide, y + gap),
        "bottom right": (x, y - gap - LINE),
        "bottom left": (x - wide, y - gap - LINE),
    }


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
