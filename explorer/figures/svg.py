"""Attributions as SVG: pictures that are files of their own and need nothing else."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from html import escape
from unicodedata import east_asian_width

import numpy as np

from explorer.figures.shades import hexadecimal, ink, shades

WIDTH = 480
"""Width of a picture."""
LETTER = 8.5
"""Width of a letter of the monospaced font, at 14 pixels."""
_FONT = 'font-family="monospace" font-size="14"'
LABEL = 26
"""Most letters of a feature's name."""


def pixels(
    image: np.ndarray,
    values: np.ndarray,
    title: str,
    opacity: float = 0.8,
    strength: bool = False,
    limit: float | None = None,
) -> str:
    """Attributions (H, W) over an image (C, H, W) with values 0 to 1.

    Here and below `limit` is the end of the scale; the largest magnitude if None.
    """
    limit = _limit(values, limit)
    under = 255.0 * np.stack([image[n % len(image)] for n in range(3)], axis=2).clip(0, 1)
    mixed = (1 - opacity) * under + opacity * shades(values, limit, strength)
    side = 320
    tall = round(side * values.shape[0] / values.shape[1])
    return _whole(title, [_image(mixed, side, tall), _bar(limit, strength, tall + 42)], tall + 80)


def cells(
    values: np.ndarray,
    title: str,
    strength: bool = False,
    labels: Sequence[tuple[int, int, str]] = (),
    limit: float | None = None,
) -> str:
    """Values (H, W) as colours, white where there is none; labels stand above the cells (row, column) they name."""
    limit, side = _limit(values, limit), WIDTH - 16
    tall = round(min(side * values.shape[0] / values.shape[1], 2 * side))
    colours = shades(np.nan_to_num(values), limit, strength)
    parts = [_image(np.where(np.isnan(values)[:, :, None], 255, colours), side, tall)]
    high, wide = tall / values.shape[0], side / values.shape[1]
    parts += [
        f'<text x="{8 + left * wide:.1f}" y="{27 + top * high:.1f}" font-family="sans-serif" font-size="9" '
        f'fill="#5c6b7a">{escape(label)}</text>'
        for top, left, label in labels
    ]
    return _whole(title, [*parts, _bar(limit, strength, tall + 42)], tall + 80)


def columns(values: np.ndarray, title: str, strength: bool = False, limit: float | None = None) -> str:
    """Values (L,) of the steps of a series, or of units, as columns from a line at zero."""
    limit = _limit(values, limit)
    wide, half = (WIDTH - 16) / max(1, len(values)), 90
    colours = shades(values, limit, strength)
    parts = []
    for place, (value, colour) in enumerate(zip(values.tolist(), colours, strict=True)):
        size = half * abs(value) / (limit or 1.0)
        top = 130 - size if value > 0 else 130
        parts.append(
            f'<rect x="{8 + place * wide:.1f}" y="{top:.1f}" width="{max(0.5, wide - 0.5):.1f}" height="{size:.1f}" '
            f'fill="{hexadecimal(colour)}" stroke="#999" stroke-width="0.3"><title>{place}: {value:.4g}</title></rect>'
        )
    parts.append(f'<line x1="8" x2="{WIDTH - 8}" y1="130" y2="130" stroke="#666"/>')
    return _whole(title, [*parts, _bar(limit, strength, 236)], 276)


def rows(
    values: np.ndarray, names: Sequence[str], title: str, strength: bool = False, limit: float | None = None
) -> str:
    """Values (D,) of named features, as bars from a line at zero, with their numbers."""
    limit = _limit(values, limit)
    left, half = LABEL * LETTER * 0.86, 90
    middle = left + half + 10
    parts = []
    for place, (name, value) in enumerate(zip(names, values.tolist(), strict=True)):
        y, size = 30 + 20 * place, half * abs(value) / (limit or 1.0)
        fill = "#D55E00" if value >= 0 else "#0072B2"
        short = name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"
        parts += [
            f'<text x="{left:.0f}" y="{y + 13}" text-anchor="end" font-family="monospace" font-size="12" '
            f'fill="#1d2733">{escape(short)}</text>',
            f'<rect x="{middle - (size if value < 0 else 0):.1f}" y="{y}" width="{size:.1f}" height="15" '
            f'fill="{fill}"/>',
            f'<text x="{middle + half + 6:.0f}" y="{y + 13}" font-family="monospace" font-size="12" '
            f'fill="#1d2733">{value:{"" if strength else "+"}.3g}</text>',
        ]
    bottom = 30 + 20 * len(names)
    parts.append(f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="28" y2="{bottom}" stroke="#666"/>')
    return _whole(title, parts, bottom + 12)


def words(
    said: Sequence[str], values: np.ndarray, title: str, strength: bool = False, limit: float | None = None
) -> str:
    """Words of a text on the colours of their values, with the numbers under them, wrapped."""
    limit = _limit(values, limit)
    x, y, parts = 8.0, 30, []
    for word, value, colour in zip(said, values.tolist(), shades(values, limit, strength), strict=True):
        number = f"{value:.2g}" if strength else f"{value:+.2g}"
        wide = max(LETTER * _letters(word), 6.2 * len(number)) + 8
        if x + wide > WIDTH - 8 and x > 8:
            x, y = 8.0, y + 40
        middle, dark = x + wide / 2, ink(colour)
        parts += [
            f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="36" rx="4" fill="{hexadecimal(colour)}"/>',
            f'<text x="{middle:.1f}" y="{y + 16}" text-anchor="middle" {_FONT} fill="{dark}">{escape(word)}</text>',
            f'<text x="{middle:.1f}" y="{y + 30}" text-anchor="middle" font-family="monospace" font-size="10" '
            f'fill="{dark}">{number}</text>',
        ]
        x += wide + 3
    return _whole(title, [*parts, _bar(limit, strength, y + 48)], y + 84)


def together(pictures: Sequence[str], title: str, columns: int = 2) -> str:
    """Pictures made here, in rows under one title."""
    sizes = [int(re.search(r'height="(\d+)"', picture).group(1)) for picture in pictures]
    columns = max(1, min(columns, len(pictures)))
    parts, y = [], 30
    for first in range(0, len(pictures), columns):
        row = slice(first, first + columns)
        parts += [
            picture.replace("<svg ", f'<svg x="{WIDTH * n}" y="{y}" ', 1) for n, picture in enumerate(pictures[row])
        ]
        y += max(sizes[row])
    return _whole(title, parts, y, WIDTH * columns)


def _limit(values: np.ndarray, limit: float | None) -> float:
    return float(np.nanmax(np.abs(values), initial=0.0)) if limit is None else limit


def _image(colours: np.ndarray, wide: int, tall: int) -> str:
    """Colours (H, W, 3), 0 to 255, as squares that stay sharp."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(colours.round().astype(np.uint8)).save(content, "PNG")
    url = base64.b64encode(content.getvalue()).decode()
    return (
        f'<image x="8" y="30" width="{wide}" height="{tall}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{url}"/>'
    )


def _letters(word: str) -> int:
    """Width of a word in letters: Chinese ones are two wide."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in word)


def _bar(limit: float, strength: bool, y: float) -> str:
    """The scale under a picture."""
    places = np.linspace(0 if strength else -1, 1, 41)
    boxes = [
        f'<rect x="{8 + 4 * n}" y="{y}" width="4" height="8" fill="{hexadecimal(colour)}"/>'
        for n, colour in enumerate(shades(places, 1.0, strength))
    ]
    ends = ((8, "start", f"{0 if strength else -limit:.3g}"), (172, "end", f"{limit:.3g}"))
    marks = [
        f'<text x="{x}" y="{y + 21}" text-anchor="{at}" font-family="sans-serif" font-size="11" '
        f'fill="#5c6b7a">{text}</text>'
        for x, at, text in ends
    ]
    return "".join(boxes + marks)


def _whole(title: str, parts: Sequence[str], height: float, width: float = WIDTH) -> str:
    head = (
        f'<text x="8" y="18" font-family="sans-serif" font-size="14" font-weight="600" fill="#1d2733">'
        f"{escape(title)}</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}" '
        f'viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{head}{"".join(parts)}</svg>'
    )
