"""Sums of products and windows as tables of coloured numbers, in HTML: they wrap on a phone and can be read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from plotly.colors import sample_colorscale

from explorer.figures.theme import palette

WRITTEN = 7
"""Longest side of a patch whose numbers are written into its cells."""
BAR_HEIGHT, BAR_WIDTH = 64, 14
"""Size of the bars of contributions, in pixels."""


def product(patch: np.ndarray, weights: np.ndarray, dark: bool = False) -> str:
    """patch × filter = products, beside each other; each (h, w), or (k,) of a series."""
    tables = [
        _table(values, caption, limit, dark)
        for values, caption, limit in (
            (patch, "what it lies on", np.abs(patch).max(initial=0.0)),
            (weights, "filter", np.abs(weights).max(initial=0.0)),
            (patch * weights, "products", np.abs(patch * weights).max(initial=0.0)),
        )
    ]
    signs = (
        '<span style="font-size:1.4rem" aria-label="times">×</span>',
        '<span style="font-size:1.4rem" aria-label="is">=</span>',
    )
    parts = [tables[0], signs[0], tables[1], signs[1], tables[2]]
    return f'<div style="display:flex;flex-wrap:wrap;align-items:center;gap:0.3rem">{"".join(parts)}</div>'


def window(values: np.ndarray, winner: tuple[int, ...], dark: bool = False) -> str:
    """One window of a max pool, (h, w) or (k,), with the value that is kept outlined."""
    return _table(values, "the window", np.abs(values).max(initial=0.0), dark, winner)


def contributions(values: np.ndarray, names: Sequence[str], dark: bool = False) -> str:
    """What each input channel adds to a sum, (C,): one bar each, upwards if it adds and downwards if it takes away."""
    colours = palette(dark)
    most = float(np.abs(values).max(initial=0.0)) or 1.0
    half = BAR_HEIGHT // 2
    bars = ""
    for value, name, colour in zip(values, names, colours.signed(values), strict=True):
        high = abs(value) / most * half
        top = half - high if value > 0 else half
        inner = f"margin-top:{top:.1f}px;height:{high:.1f}px;background:{colour}"
        outer = f"flex:0 1 {BAR_WIDTH}px;min-width:1px;height:{BAR_HEIGHT}px;overflow:hidden"
        bars += f'<div title="{escape(name)}: {value:+.4g}" style="{outer}"><div style="{inner}"></div></div>'
    best = int(np.abs(values).argmax())
    said = f"Contributions of {len(values)} input channels; the strongest is {names[best]}, {values[best]:+.3g}."
    line = f"linear-gradient({colours.muted},{colours.muted}) 0 {half}px/100% 1px no-repeat"
    return f'<div role="img" aria-label="{escape(said)}" style="display:flex;gap:1px;background:{line}">{bars}</div>'


def _table(values: np.ndarray, caption: str, limit: float, dark: bool, outlined: tuple[int, ...] | None = None) -> str:
    rows = np.atleast_2d(values)
    written = max(rows.shape) <= WRITTEN
    colours = palette(dark)
    shades = np.array(_shades(rows, limit, dark)).reshape(rows.shape)
    body = ""
    for row, line in enumerate(rows):
        cells = ""
        for column, value in enumerate(line):
            place = (row, column) if values.ndim == 2 else (column,)
            edge = f"box-shadow:inset 0 0 0 3px {colours.validation};font-weight:700;" if place == outlined else ""
            style = f"background:{shades[row, column]};color:{_ink(shades[row, column])};{edge}"
            style += (
                "padding:2px 3px;text-align:right;min-width:2.1rem;" if written else "width:8px;height:8px;padding:0;"
            )
            text = f"{value:.2f}".replace("-0.00", "0.00") if written else ""
            cells += f'<td title="{value:.4g}" style="border:0;{style}">{text}</td>'
        body += f"<tr>{cells}</tr>"
    about = (
        f'<caption style="caption-side:top;text-align:left;font-size:0.8rem;color:{colours.muted}">{caption}</caption>'
    )
    table = "border-collapse:collapse;font-size:0.75rem;font-variant-numeric:tabular-nums;margin:0;width:auto"
    return f'<table style="{table}">{about}{body}</table>'


def _shades(values: np.ndarray, limit: float, dark: bool) -> list[str]:
    shares = 0.5 + 0.5 * values.ravel() / (limit or 1.0)
    return sample_colorscale([list(stop) for stop in palette(dark).diverging], shares.clip(0, 1).tolist())


def _ink(shade: str) -> str:
    """Dark or light letters, whichever can be read better on a shade ``rgb(r, g, b)``."""
    shares = np.array([float(part) / 255 for part in shade[4:-1].split(",")])
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return "#000000" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "#ffffff"  # relative luminance, WCAG 2
