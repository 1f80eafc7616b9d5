"""A picture that one draws on.

A component of our own rather than a package: it shows the data's own pixels, erases, works with mouse, finger and pen,
and stands in the page itself, so that its colours follow the theme.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from explorer.views import page

KEY, HEARD = "drawing-pad", "drawing-heard"
_HTML = """<div class="pad"><canvas role="img" aria-label="The picture: draw on it"></canvas><div class="tools">
<button type="button" data-tool="pen" aria-pressed="true">Draw</button>
<button type="button" data-tool="eraser" aria-pressed="false">Erase</button>
<button type="button" data-clear>Clear</button></div></div>"""
_pad = st.components.v2.component(
    "drawing",
    html=_HTML,
    css=(page.ASSETS / "drawing.css").read_text(encoding="utf-8"),
    js=(page.ASSETS / "drawing.js").read_text(encoding="utf-8"),
)


def pad(image: np.ndarray, paper: float, of: str, drawn: Callable[[np.ndarray], None]) -> None:
    """Draw a picture that can be drawn on.

    Args:
        image: (1, H, W) with values 0 to 1.
        paper: What erasing leaves; one draws with the opposite.
        of: What the picture is of: a stroke on another one, which came late, counts for nothing.
        drawn: Hears the whole picture, (1, H, W), after each stroke, before the page is drawn again.
    """
    _, height, width = image.shape
    data = {
        "width": width,
        "height": height,
        "pixels": base64.b64encode(np.round(image * 255).astype(np.uint8).tobytes()).decode(),
        "paper": round(255 * paper),
        "ink": round(255 * (1 - paper)),
        "pen": 0.5 + max(height, width) / 12,  # as wide as the strokes of handwritten digits of 8 and of 28 pixels
        "of": of,
        "heard": st.session_state.get(HEARD, ""),
    }

    @page.calm
    def heard() -> None:
        said = st.session_state[KEY].get("drawn")
        if (found := read(said, of, (height, width))) is not None:
            st.session_state[HEARD] = said["name"][:40]
            drawn(found)

    _pad(key=KEY, data=data, on_drawn_change=heard)


def read(said: Any, of: str, size: tuple[int, int]) -> np.ndarray | None:
    """The picture that a browser says was drawn, (1, H, W); None if it is none, or of something else."""
    if not isinstance(said, dict) or said.get("of") != of or not isinstance(said.get("name"), str):
        return None
    try:
        content = base64.b64decode(str(said.get("pixels"))[: 2 * size[0] * size[1] + 4], validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(content) != size[0] * size[1]:
        return None
    return (np.frombuffer(content, np.uint8) / 255).astype(np.float32).reshape(1, *size)
