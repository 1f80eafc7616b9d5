"""How much each place of an example counts: words, steps of a series, patches of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import Parts, as_text, drawn, palette, quiet

LETTERS = 18
"""Letters of a word that are written beside its bar."""
SIDE = 340
"""Height of an image in screen pixels."""


def over_words(
    values: np.ndarray, names: Sequence[str], title: str, axis: str, chosen: int | None = None, dark: bool = False
) -> go.Figure:
    """One bar for each word, from top to bottom. Bars can be clicked: their ``customdata`` is their number.

    Args:
        values: (L,), none negative.
        names: The words.
        title: What is seen.
        axis: What the values are.
        chosen: A place that is marked.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    places = list(range(len(names)))
    bars = _bars(values, names, chosen, dark) | {"x": values, "y": places, "orientation": "h"}
    layout = {
        "xaxis": {"title": {"text": axis}, "range": [0, _end(values)], "nticks": 5, **quiet(dark)},
        "yaxis": {
            "tickvals": places,
            "ticktext": [as_text(name, LETTERS) for name in names],
            "range": [len(names) - 0.5, -0.5],
            "automargin": True,
            "tickfont": {"color": colours.ink, "size": 13 if len(names) <= 32 else 11},
            **quiet(dark),
        },
        "bargap": 0.2,
        "showlegend": False,
    }
    height = 96 + len(names) * (22 if len(names) <= 32 else 15)
    return drawn([bars], layout, title, _alt(title, values, names), dark, height)


def over_steps(
    values: np.ndarray,
    names: Sequence[str],
    series: np.ndarray | None,
    title: str,
    axis: str,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """One bar for each step or row, and the series they belong to as a line above them.

    Args:
        values, names, title, axis, chosen, dark: As for `over_words`.
        series: (L,) what the model reads at each step; None where that is no single number.
    """
    colours = palette(dark)
    places = list(range(len(names)))
    traces = [_bars(values, names, chosen, dark) | {"x": places, "y": values}]
    layout: Parts = {
        "xaxis": {"title": {"text": "step"}, "nticks": 9, "anchor": "y", **quiet(dark)},
        "yaxis": {"title": {"text": axis}, "range": [0, _end(values)], "nticks": 5, **quiet(dark)},
        "bargap": 0.15,
        "showlegend": False,
    }
    if series is not None:
        traces.append(
            {
                "type": "scatter",
                "x": list(range(len(names)))[-len(series) :],
                "y": series,
                "yaxis": "y2",
                "mode": "lines",
                "line": {"color": colours.muted, "width": 2},
                "hovertemplate": "step %{x}<br>input %{y:.3g}<extra></extra>",
            }
        )
        layout["yaxis"]["domain"] = [0, 0.6]
        layout["yaxis2"] = {"title": {"text": "input"}, "domain": [0.66, 1], "nticks": 4, "anchor": "x", **quiet(dark)}
    return drawn(traces, layout, title, _alt(title, values, names), dark, 300 if series is None else 380)


def over_image(
    values: np.ndarray,
    names: Sequence[str],
    image: np.ndarray,
    title: str,
    axis: str,
    chosen: int | None = None,
    limit: float | None = None,
    note: str = "",
    first: int = 0,
    dark: bool = False,
) -> go.Figure:
    """Patches laid over the image they are of: the more a patch counts, the less is seen through it.

    The image is drawn in grey, whatever its colours, so that what lies over it can be told from it. Patches can be
    clicked: their ``customdata`` is their number.

    Args:
        values: (rows, columns) of the patches, none negative.
        names: Of the patches, row by row.
        image: (C, H, W), values 0 to 1, of one channel or three.
        title, axis, dark: As for `over_words`.
        chosen: Number of a patch among the places, which is outlined.
        limit: End of the scale; the largest value if None.
        note: What else is to be said, under the image.
        first: Number of the first patch among the places.
    """
    colours = palette(dark)
    (rows, columns), (height, width) = values.shape, image.shape[1:]
    high, wide = height / rows, width / columns
    limit = limit or float(values.max()) or 1.0
    grey = (image.clip(0, 1).mean(0) * 255).round().astype(np.uint8)
    pixels = np.repeat(grey[:, :, None], 3, axis=2)  # (H, W, 3)
    row, column = np.divmod(np.arange(rows * columns), columns)
    share = (values.ravel() / limit).clip(0, 1)
    bars = {
        "type": "bar",
        "x": (column + 0.5) * wide - 0.5,
        "y": np.full(len(row), high),
        "base": row * high - 0.5,
        "width": wide,
        "customdata": [[n + first] for n in range(len(row))],
        "marker": {
            "color": [f"rgba(240,110,20,{0.9 * one:.3f})" for one in share],
            "line": {"color": colours.accent, "width": [4 if n + first == chosen else 0 for n in range(len(row))]},
        },
        "hovertext": [f"{name}: {value:.3g}" for name, value in zip(names, values.ravel(), strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout = {
        "xaxis": hidden | {"range": [-0.5, width - 0.5], "constraintoward": "left"},
        "yaxis": hidden | {"range": [height - 0.5, -0.5], "constraintoward": "top", "scaleanchor": "x"},
        "bargap": 0,
        "showlegend": False,
        "margin": {"l": 8, "r": 8, "t": 40, "b": 32},
        "annotations": [
            {
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": 0,
                "text": f"strongest {axis} {limit:.2g}" + (f", {note}" if note else ""),
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "top",
                "font": {"size": 12, "color": colours.muted},
            }
        ],
    }
    picture = {"type": "image", "z": pixels, "colormodel": "rgb", "hoverinfo": "skip", "zsmooth": False}
    return drawn([picture, bars], layout, title, _alt(title, values.ravel(), names), dark, 72 + SIDE)


def _bars(values: np.ndarray, names: Sequence[str], chosen: int | None, dark: bool) -> Parts:
    colours = palette(dark)
    return {
        "type": "bar",
        "customdata": [[n] for n in range(len(names))],
        "marker": {"color": [colours.validation if n == chosen else colours.accent for n in range(len(names))]},
        "hovertext": [f"{as_text(name)}: {value:.3g}" for name, value in zip(names, values, strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }


def _end(values: np.ndarray) -> float:
    return 1.05 * float(values.max(initial=0.0)) or 1.0


def _alt(title: str, values: np.ndarray, names: Sequence[str]) -> str:
    """The title, and the three places that count most."""
    best = np.argsort(-values, kind="stable")[:3]
    return f"{title}. Most: " + ", ".join(f"{names[n]} {values[n]:.2g}" for n in best) + "."
