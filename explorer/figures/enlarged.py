"""One channel, large, beside what it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.figures.mosaic import FOOT, Box
from explorer.figures.theme import BAR, GREY, Parts, drawn, following_width, palette, symmetric

LARGE = 320
"""Most screen pixels a picture is high."""
HEAD = 66
"""Pixels that the title takes, with those of the pictures."""
SPACE = 0.04
"""Room between two pictures, as a share of the width of the figure."""
CLICKABLE = 1024
"""Most values of a map that can each be clicked: more would make the page slow."""
ROW = 110
"""Screen pixels one line of a series is high."""


@dataclass(frozen=True)
class Panel:
    """One picture or line.

    Attributes:
        title: What it is; a line break is ``<br>``.
        values: (H, W), or (3, H, W) in colour with values 0 to 1; or (L,) of a series.
        limit: End of its colour scale; None for an image, black 0 to white 1.
        box: What is outlined.
        dots: (N, 2) or (N, 1) places that are dotted.
        clickable: Whether its values can be clicked; their ``customdata`` is their place.
    """

    title: str
    values: np.ndarray
    limit: float | None = None
    box: Box | None = None
    dots: np.ndarray | None = None
    clickable: bool = False


def pictures(panels: Sequence[Panel], title: str, alt: str, dark: bool = False) -> go.Figure:
    """Pictures beside each other, each with its title. The height of the figure follows its width.

    Args:
        panels: Of images and maps; the last scale is drawn.
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    count, colours = len(panels), palette(dark)
    wide = (1 - SPACE * (count - 1)) / count
    data: list[Parts] = []
    layout: Parts = {
        "shapes": [],
        "annotations": [],
        "bargap": 0,
        "margin": {"l": 8, "r": 8, "t": HEAD, "b": 8},
        "title": {"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12}},
    }
    for n, panel in enumerate(panels):
        x, y = (axis + (str(n + 1) if n else "") for axis in "xy")
        left = n * (wide + SPACE)
        data += _picture(panel, x, y, dark)
        layout |= _axes(panel, n, (left, left + wide))
        layout["annotations"].append(_heading(panel.title, left, colours.muted))
        if panel.box:
            (top, bottom), (first, end) = panel.box
            ends = {"x0": first - 0.5, "x1": end - 0.5, "y0": top - 0.5, "y1": bottom - 0.5}
            for colour, thick in ((colours.blank, 5), (colours.validation, 3)):  # seen on any picture
                line = {"color": colour, "width": thick}
                layout["shapes"].append({"type": "rect", "xref": x, "yref": y, **ends, "line": line})
    scaled = [trace for trace in data if trace.get("showscale")]
    for trace in scaled[:-1]:
        trace["showscale"] = False
    if scaled:
        scaled[-1]["colorbar"] = BAR | {"x": (count - 1) * (wide + SPACE), "len": wide}
    share = max(wide * height / width for height, width in (panel.values.shape[-2:] for panel in panels))
    fixed = HEAD + (FOOT if scaled else 8)
    return drawn(data, layout | following_width(alt, fixed, share, LARGE), title, alt, dark, height=LARGE)


def _picture(panel: Panel, x: str, y: str, dark: bool) -> list[Parts]:
    colours, values, on = palette(dark), panel.values, {"xaxis": x, "yaxis": y}
    if values.ndim == 3:
        bytes_ = (np.moveaxis(values, 0, -1).clip(0, 1) * 255).round().astype(int).tolist()
        return [{"type": "image", "z": bytes_, "hoverinfo": "skip", **on}]
    signed = panel.limit is not None and bool((values < 0).any())
    low, high = symmetric(panel.limit) if signed else (0.0, 1.0 if panel.limit is None else panel.limit or 1.0)
    scale = GREY if panel.limit is None else colours.diverging if signed else colours.sequential
    data: list[Parts] = [
        {
            "type": "heatmap",
            "z": values.astype(np.float32),
            "colorscale": [list(stop) for stop in scale],
            "zmin": low,
            "zmax": high,
            "showscale": panel.limit is not None,
            "hovertemplate": "row %{y}, column %{x}<br>value %{z:.4g}<extra></extra>",
            **on,
        }
    ]
    if panel.clickable and values.size <= CLICKABLE:
        data.append(_cells(values) | on)
    if panel.dots is not None:
        data.append(
            {
                "type": "scatter",
                "x": panel.dots[:, 1],
                "y": panel.dots[:, 0],
                "mode": "markers",
                "marker": {"size": 7, "color": colours.validation, "line": {"width": 1, "color": colours.blank}},
                "hoverinfo": "skip",
                "showlegend": False,
                **on,
            }
        )
    return data


def _cells(values: np.ndarray) -> Parts:
    """A bar over each value, which is not seen but can be clicked."""
    rows, columns = (index.ravel() for index in np.indices(values.shape))
    return {
        "type": "bar",
        "x": columns.astype(float),
        "base": rows - 0.5,
        "y": np.ones(values.size),
        "width": 1,
        "marker": {"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "customdata": np.stack([rows, columns], axis=1).tolist(),
        "text": [f"row {row}, column {column}: {values[row, column]:.4g}" for row, column in np.ndindex(values.shape)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _axes(panel: Panel, number: int, domain: tuple[float, float]) -> Parts:
    """Square pixels, the first row on top, from the left edge of the picture's share, never zoomed."""
    height, width = panel.values.shape[-2:]
    name = str(number + 1) if number else ""
    same = {"visible": False, "fixedrange": True, "constrain": "domain"}
    return {
        f"xaxis{name}": same
        | {
            "domain": list(domain),
            "constraintoward": "left",
            "range": [-0.5, width - 0.5],
            "anchor": f"y{name}",
        },
        f"yaxis{name}": same
        | {
            "scaleanchor": f"x{name}",
            "constraintoward": "top",
            "range": [height - 0.5, -0.5],
            "anchor": f"x{name}",
        },
    }


def _heading(text: str, left: float, ink: str) -> dict[str, Any]:
    return {
        "text": text,
        "x": left,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "align": "left",
        "showarrow": False,
        "font": {"size": 12, "color": ink},
    }


def lines(panels: Sequence[Panel], title: str, alt: str, dark: bool = False) -> go.Figure:
    """Series one under the other, each with its title.

    Args:
        panels: Of (L,); what is outlined is shaded.
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    count, colours = len(panels), palette(dark)
    height = 48 + count * (ROW + 52) + 30
    data: list[Parts] = []
    layout: Parts = {"shapes": [], "annotations": [], "margin": {"l": 8, "r": 8, "t": 48, "b": 30}}
    for n, panel in enumerate(panels):
        x, y = (axis + (str(n + 1) if n else "") for axis in "xy")
        end = 1 - (n + (24 / (ROW + 52))) / count  # the title stands above it
        low = 1 - (n + 1) / count + (28 / (ROW + 52)) / count
        quiet = {"fixedrange": True, "gridcolor": colours.grid, "zerolinecolor": colours.muted}
        number = str(n + 1) if n else ""
        layout[f"xaxis{number}"] = (
            quiet | {"anchor": y, "zeroline": False} | ({"title": "step"} if n == count - 1 else {})
        )
        layout[f"yaxis{number}"] = quiet | {"anchor": x, "domain": [low, end], "nticks": 4, "automargin": True}
        layout["annotations"].append(_heading(panel.title, 0, colours.muted) | {"y": end})
        data.append(_line(panel, x, y, dark))
        if panel.dots is not None:
            at = panel.dots[:, 0]
            dots = {"type": "scatter", "x": at, "y": panel.values[at], "mode": "markers", "hoverinfo": "skip"}
            marker = {"size": 8, "color": colours.validation}
            data.append(dots | {"marker": marker, "xaxis": x, "yaxis": y, "showlegend": False})
        if panel.box:
            ((first, last),) = panel.box
            ends = {"x0": first - 0.5, "x1": last - 0.5, "y0": 0, "y1": 1, "xref": x, "yref": f"{y} domain"}
            fill = {"fillcolor": colours.validation, "opacity": 0.25, "line": {"width": 0}, "layer": "below"}
            layout["shapes"].append({"type": "rect", **ends, **fill})
    return drawn(data, layout, title, alt, dark, height=height)


def _line(panel: Panel, x: str, y: str, dark: bool) -> Parts:
    colours = palette(dark)
    click = panel.clickable and len(panel.values) <= CLICKABLE
    return {
        "type": "scatter",
        "y": panel.values.astype(np.float32),
        "mode": "lines+markers" if click else "lines",
        "line": {"color": colours.train, "width": 2},
        "marker": {"size": 6},
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
        "customdata": [[step] for step in range(len(panel.values))],
        "hovertemplate": "step %{x}<br>value %{y:.4g}<extra></extra>",
        "xaxis": x,
        "yaxis": y,
        "showlegend": False,
    }
