"""Small pictures of single examples, as data URLs that stand in a label or a table."""

from __future__ import annotations

import base64
import io

import numpy as np

from explorer.figures.images import enlarged

SIDE = 84
"""Width of a small picture in screen pixels."""


def thumbnail(image: np.ndarray) -> str:
    """An image (C, H, W) with values 0 to 1 as a PNG of at most `SIDE` pixels; smaller ones keep their own."""
    from PIL import Image

    picture = Image.fromarray(enlarged(image, 1))
    picture.thumbnail((SIDE, SIDE))
    content = io.BytesIO()
    picture.save(content, "PNG")
    return _url("image/png", content.getvalue())


def painted(shades: np.ndarray, colours: np.ndarray, factor: int = 1) -> str:
    """Numbers of colours (H, W), bytes, as a PNG.

    Plotly takes several times as long to draw as many cells of a heatmap.

    Args:
        shades: Numbers of the colours.
        colours: (256, 3) red, green and blue, 0 to 255, of each number from 1; 0 is see-through.
        factor: Side of the square that each becomes, in pixels: a browser blurs what it enlarges.
    """
    from PIL import Image

    picture = Image.fromarray(shades.repeat(factor, axis=0).repeat(factor, axis=1), "L")
    picture = picture.convert("P")
    picture.putpalette(colours.astype(np.uint8).tobytes())
    content = io.BytesIO()
    picture.save(content, "PNG", transparency=0, compress_level=1)  # 6 takes five times as long
    return _url("image/png", content.getvalue())


def sparkline(series: np.ndarray) -> str:
    """The first channel of a series (C, L) as a line (SVG)."""
    values = series[0]
    low, span = values.min(), np.ptp(values) or 1.0
    x, y = np.linspace(2, 98, len(values)), 58 - 56 * (values - low) / span
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in zip(x, y, strict=True))
    line = f'<polyline points="{points}" fill="none" stroke="#2b7bb0" stroke-width="2"/>'
    box = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60" width="{SIDE}" height="{SIDE * 6 // 10}">'
    return _url("image/svg+xml", f"{box}{line}</svg>".encode())


def _url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
