"""Colours of single values, for what is not drawn by Plotly: words of a text, and pictures that are files."""

from __future__ import annotations

import numpy as np

from explorer.figures.theme import palette, symmetric

SIGNS = ("signed", "for", "against", "strength")
"""Which side of signed values is shown: both, one of them, or how strong they are."""


def side(values: np.ndarray, sign: str) -> np.ndarray:
    """Values with only one side of them kept, of the same shape; ``strength`` drops their sign."""
    if sign == "for":
        return values.clip(min=0)
    if sign == "against":
        return values.clip(max=0)
    return np.abs(values) if sign == "strength" else values


def shades(values: np.ndarray, limit: float, strength: bool = False, dark: bool = False) -> np.ndarray:
    """The colour of each value, as Plotly would draw it.

    Args:
        values: Any shape.
        limit: End of the scale.
        strength: Whether it goes up from zero; else it is centred at zero.
        dark: Whether the page is dark.

    Returns:
        (…, 3) red, green and blue, 0 to 255, as integers.
    """
    colours = palette(dark)
    low, high = (0.0, limit or 1.0) if strength else symmetric(limit)
    scale = colours.sequential if strength else colours.diverging
    at = (np.asarray(values, float).clip(low, high) - low) / (high - low)
    stops = [place for place, _ in scale]
    channels = np.array([[int(colour[n : n + 2], 16) for n in (1, 3, 5)] for _, colour in scale])
    return np.stack([np.interp(at, stops, channels[:, n]) for n in range(3)], axis=-1).round().astype(int)


def ink(background: np.ndarray) -> str:
    """Black or white, whichever is read better on a colour (3,): by its luminance (WCAG 2)."""
    part = background / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return "#111111" if float(linear @ [0.2126, 0.7152, 0.0722]) > 0.179 else "#ffffff"


def hexadecimal(colour: np.ndarray) -> str:
    """A colour (3,) as ``#rrggbb``."""
    return "#" + "".join(f"{int(value):02x}" for value in colour)
