"""The one palette, and what every figure has: a title, an alternative text, quiet axes.

Colours are Okabe and Ito's, which colour-blind people can tell apart; signed values use one diverging scale centred at
zero, magnitudes one sequential scale.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

Scale = list[tuple[float, str]]
Parts = dict[str, Any]
"""A part of a figure, as Plotly's JSON has it."""


@dataclass(frozen=True)
class Palette:
    """Colours for one background."""

    ink: str
    muted: str
    grid: str
    train: str
    validation: str
    accent: str
    blank: str
    diverging: Scale
    sequential: Scale
    roles: dict[str, str]
    lines: tuple[str, ...]

    def signed(self, values: np.ndarray) -> np.ndarray:
        """A colour for each value, as the diverging scale has it: warm above zero, cool below."""
        return np.where(values < 0, self.train, self.validation)


GREY: Scale = [(0.0, "#000000"), (1.0, "#ffffff")]
"""Input images as they are: black is 0, white is 1."""

_ROLES = {
    "conv": "#0072B2",
    "linear": "#D55E00",
    "norm": "#8C8C8C",
    "bend": "#009E73",
    "pool": "#56B4E9",
    "recurrent": "#7B5EA7",
    "attention": "#B8860B",
    "other": "#CC79A7",
}

LIGHT = Palette(
    ink="#1d2733",
    muted="#5c6b7a",
    grid="#e3e8ee",
    train="#0072B2",
    validation="#D55E00",
    accent="#0072B2",
    blank="#ffffff",
    diverging=[(0.0, "#1f5a9e"), (0.25, "#7fb0d8"), (0.5, "#f7f7f7"), (0.75, "#f0a070"), (1.0, "#b23a0e")],
    sequential=[(0.0, "#f4f7fa"), (0.35, "#86bcdc"), (0.7, "#2b7bb0"), (1.0, "#0b2e52")],
    roles=_ROLES,
    lines=("#0072B2", "#D55E00", "#009E73", "#AA4499", "#8A6D00", "#3B3F46"),
)
DARK = Palette(
    ink="#e8edf2",
    muted="#9fb0c0",
    grid="#2b3644",
    train="#56B4E9",
    validation="#F0A24B",
    accent="#56B4E9",
    blank="#11171f",
    diverging=[(0.0, "#8ec5ff"), (0.25, "#3f78b5"), (0.5, "#1b222c"), (0.75, "#b8622c"), (1.0, "#ffb27a")],
    sequential=[(0.0, "#131a23"), (0.35, "#23618f"), (0.7, "#56a9dc"), (1.0, "#e6f3fc")],
    roles=_ROLES,
    lines=("#56B4E9", "#F0A24B", "#2FBF95", "#E39AC6", "#F0E442", "#E8EDF2"),
)


def palette(dark: bool) -> Palette:
    """The palette for a dark or a light page."""
    return DARK if dark else LIGHT


def finish(figure: go.Figure, title: str, alt: str, dark: bool, height: int) -> go.Figure:
    """Give a figure its title, its alternative text (in ``layout.meta["alt"]``), its size and its quiet look."""
    figure.update_layout(_dress(title, alt, dark, height))
    return figure


def following_width(alt: str, fixed: int, share: float, most: int) -> Parts:
    """What makes the height of a figure follow its width, for pictures whose parts keep their shape; for its layout.

    A page finds in ``layout.meta["height"]``, in the words of CSS, how high it is; ``cqw`` is a hundredth of the width.

    Args:
        alt: As in `finish`.
        fixed: Pixels above and below the picture.
        share: Height of the picture, as a share of its width.
        most: Most pixels the picture is high, however wide there is room.
    """
    height = f"calc({fixed}px + min({share:.4f} * (100cqw - 16px), {most}px))"
    return {"meta": {"alt": alt, "height": height}, "height": fixed + most}


def as_text(name: str, length: int = 0) -> str:
    """A name that people gave, without what plotly would read as markup; cut to a length, if one is given."""
    if length and len(name) > length:
        name = f"{name[: length - 1]}…"
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quiet(dark: bool) -> dict[str, Any]:
    """What most axes are like: thin lines, no zero line, never zoomed."""
    return {"gridcolor": palette(dark).grid, "zeroline": False, "fixedrange": True}


def drawn(data: list[Parts], layout: Parts, title: str, alt: str, dark: bool, height: int) -> go.Figure:
    """The same for a figure that is drawn several times a second.

    Plotly checks every value of a figure that is put together piece by piece, which takes 20 ms; here it takes the
    whole as it is, in a fraction of one. The tests let it check. Colours are all named, so that there is no template.

    Args:
        data: The traces.
        layout: What goes before the quiet look.
        title, alt, dark, height: As in `finish`.
    """
    dress = _dress(title, alt, dark, height)
    layout = {**layout, "title": dress["title"] | layout.get("title", {})}
    return _Ready.of({"data": data, "layout": dress | layout | {"template": {}}})


class _Ready(go.Figure):
    """A figure that can be sent as it is, as often as one likes; plotly makes it only if somebody looks inside."""

    @classmethod
    def of(cls, parts: Parts) -> _Ready:
        figure = cls.__new__(cls)
        figure.__dict__["_ready"] = _typed(parts)
        figure.__dict__["_parts"] = parts
        return figure

    def __getattr__(self, name: str) -> Any:
        if "_parts" not in self.__dict__ or name.startswith("__"):
            raise AttributeError(name)
        del self.__dict__["_ready"]
        super().__init__(self.__dict__.pop("_parts"), _validate=False)
        return getattr(self, name)

    def to_dict(self) -> Parts:
        return dict(self.__dict__.get("_ready") or super().to_dict())


def alt(figure: go.Figure) -> str:
    """The alternative text of a figure."""
    ready = figure.__dict__.get("_ready")
    return ready["layout"]["meta"]["alt"] if ready else figure.layout.meta["alt"]


def height(figure: go.Figure) -> str:
    """How high a figure is whose height follows its width, in the words of CSS; empty for all others."""
    ready = figure.__dict__.get("_ready")
    return (ready["layout"]["meta"] if ready else figure.layout.meta).get("height", "")


def _typed(part: Any) -> Any:
    """A part of a figure with its arrays as plotly.js takes them: base64 of their bytes."""
    if isinstance(part, dict):
        return {name: _typed(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_typed(value) for value in part] if part and isinstance(part[0], dict) else part
    if not isinstance(part, np.ndarray):
        return part
    if not part.size:
        return []
    kind = np.float64 if part.dtype.kind == "f" else np.int32
    kind = part.dtype if part.dtype in (np.float32, np.uint8) else kind
    array = np.ascontiguousarray(part, dtype=kind)
    typed = {"dtype": f"{array.dtype.kind}{array.itemsize}", "bdata": b64encode(array).decode()}
    return typed | ({"shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else {})


def _dress(title: str, alt: str, dark: bool, height: int) -> Parts:
    colours = palette(dark)
    return {
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 15, "color": colours.ink}},
        "meta": {"alt": alt},
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        "uirevision": "keep",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.ink, "size": 13},
        "dragmode": False,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colours.muted, "activecolor": colours.ink},
        "hoverlabel": {"font": {"size": 13}},
    }


def symmetric(limit: float) -> tuple[float, float]:
    """Ends of a scale centred at zero; never empty, so that all zeros are drawn as zero."""
    return (-limit, limit) if limit > 0 else (-1.0, 1.0)


BAR = {
    "orientation": "h",
    "thickness": 8,
    "len": 0.6,
    "x": 0,
    "xanchor": "left",
    "y": 0,
    "yanchor": "top",
    "ypad": 6,
    "outlinewidth": 0,
    "tickformat": ".2~g",
    "nticks": 5,
}
"""The colour scale lies under the picture: beside it, it would take a phone's width."""
