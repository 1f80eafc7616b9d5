"""Words of a text on the colours of their values: HTML, so that they wrap as the text does."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from explorer.figures.shades import hexadecimal, ink, shades

_BOX = "display:inline-block;padding:2px 4px;border-radius:4px;text-align:center;line-height:1.15;min-width:1.2em"
_ALL = "display:flex;flex-wrap:wrap;gap:4px 3px;align-items:flex-start;margin:2px 0 6px"


def words(
    said: Sequence[str],
    values: np.ndarray,
    alt: str,
    *,
    limit: float | None = None,
    strength: bool = False,
    dark: bool = False,
) -> str:
    """Every word on the colour of its value, with the number under it; all that people gave is escaped.

    Args:
        said: The words, or characters.
        values: (L,) one for each.
        alt: What is seen, for those who cannot see it.
        limit: End of the scale; the largest magnitude if None. Give it to compare texts.
        strength: Whether values have no sign.
        dark: Whether the page is dark.
    """
    limit = float(np.abs(values).max(initial=0.0)) if limit is None else limit
    spans = []
    for word, value, colour in zip(said, values.tolist(), shades(values, limit, strength, dark), strict=True):
        number = f"{value:.2g}" if strength else f"{value:+.2g}"
        style = f"{_BOX};background:{hexadecimal(colour)};color:{ink(colour)}"
        text = escape(word).strip() or "&nbsp;"
        spans.append(
            f'<span style="{style}" title="{escape(word)}: {number}">{text}<br>'
            f'<span style="font-size:0.72em">{number}</span></span>'
        )
    return f'<div style="{_ALL}" role="img" aria-label="{escape(alt)}">{"".join(spans)}</div>'


def joined(characters: Sequence[str], values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Characters as the words they make, each with the sum of its values; spaces end words and are left out."""
    said: list[str] = []
    sums: list[float] = []
    begins = True
    for character, value in zip(characters, values.tolist(), strict=True):
        if not character.strip():
            begins = True
        elif begins:
            said.append(character)
            sums.append(value)
            begins = False
        else:
            said[-1] += character
            sums[-1] += value
    return said, np.array(sums)
