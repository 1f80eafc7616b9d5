"""Inputs before and after a change, and answers as attacks grow stronger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import BAR, GREY, Parts, drawn, palette, quiet, symmetric

THIRDS = ((0.0, 0.31), (0.345, 0.655), (0.69, 1.0))
"""Where three pictures lie beside each other, as shares of the width."""
_LABEL = {
    "y": 1,
    "xref": "paper",
    "yref": "paper",
    "showarrow": False,
    "align": "left",
    "font": {"size": 12},
    "xanchor": "left",
    "yanchor": "bottom",
    "borderpad": 0,
}
_LEGEND = {
    "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    "margin": {"l": 8, "r": 8, "t": 64, "b": 8},
    "title": {"y": 0.97, "yanchor": "top"},
}


def images(
    before: np.ndarray, after: np.ndarray, labels: Sequence[str], title: str, alt: str, dark: bool = False
) -> go.Figure:
    """An image, what was added to it, and the result.

    The images are drawn from black 0 to white 1; what was added on a scale of its own, centred at zero, which ends at
    its strongest value; of colours it is the mean.

    Args:
        before, after: (C, H, W), 0 to 1.
        labels: What is written above the three.
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    added = (after - before).mean(axis=0)  # (H, W)
    low, high = symmetric(float(np.abs(added).max()))
    change = {
        "type": "heatmap",
        "z": added,
        "colorscale": colours.diverging,
        "zmin": low,
        "zmax": high,
        "colorbar": BAR | {"x": THIRDS[1][0], "len": THIRDS[1][1] - THIRDS[1][0], "tickvals": [low, 0, high]},
        "hovertemplate": "changed by %{z:.3g}<extra></extra>",
    }
    data, layout = [], {"margin": {"l": 8, "r": 8, "t": 84, "b": 8}, "annotations": []}
    traces = (_picture(before), change, _picture(after))
    for place, trace, label, domain in zip(("", "2", "3"), traces, labels, THIRDS, strict=True):
        data.append(trace | {"xaxis": f"x{place}", "yaxis": f"y{place}"})
        layout |= _axes(place, domain, *added.shape)
        layout["annotations"].append(_LABEL | {"x": domain[0], "text": label})
    return drawn(data, layout, title, alt, dark, height=284)


def _axes(place: str, domain: tuple[float, float], height: int, width: int) -> Parts:
    """Axes of one of the pictures: square pixels, the first row on top."""
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    across = {"domain": list(domain), "constraintoward": "left", "range": [-0.5, width - 0.5]}
    down = {"scaleanchor": f"x{place}", "constraintoward": "top", "range": [height - 0.5, -0.5]}
    return {
        f"xaxis{place}": hidden | across | {"anchor": f"y{place}"},
        f"yaxis{place}": hidden | down | {"anchor": f"x{place}"},
    }


def _picture(image: np.ndarray) -> Parts:
    if len(image) > 1:
        pixels = (image.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
        return {"type": "image", "z": pixels.tolist(), "hoverinfo": "skip"}
    return {
        "type": "heatmap",
        "z": image[0],
        "colorscale": GREY,
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hovertemplate": "brightness %{z:.3g}<extra></extra>",
    }


def series(before: np.ndarray, after: np.ndarray, title: str, alt: str, dark: bool = False) -> go.Figure:
    """A series (C, L) and its changed copy over each other; below, on a scale of its own, what was added."""
    colours = palette(dark)
    number = [f" {channel}" if len(before) > 1 else "" for channel in range(len(before))]
    data: list[Parts] = [
        {
            "type": "scatter",
            "y": line,
            "name": f"{name}{number[channel]}",
            "mode": "lines",
            "line": {"color": shade, "width": 2, "dash": dash},
            "hovertemplate": "step %{x}<br>value %{y:.3g}<extra></extra>",
        }
        for values, name, shade, dash in (
            (before, "original", colours.muted, "dot"),
            (after, "changed", colours.accent, "solid"),
        )
        for channel, line in enumerate(values)
    ]
    data += [
        {
            "type": "bar",
            "y": added,
            "name": f"added{number[channel]}",
            "yaxis": "y2",
            "marker": {"color": list(colours.signed(added)), "line": {"width": 0}},
            "showlegend": False,
            "hovertemplate": "step %{x}<br>changed by %{y:.3g}<extra></extra>",
        }
        for channel, added in enumerate(after - before)
    ]
    zero = {"zeroline": True, "zerolinecolor": colours.muted}
    layout = _LEGEND | {
        "xaxis": quiet(dark) | {"title": {"text": "step"}, "anchor": "y2"},
        "yaxis": quiet(dark) | {"title": {"text": "value"}, "domain": [0.42, 1]},
        "yaxis2": quiet(dark) | {"title": {"text": "added"}, "domain": [0, 0.34]} | zero,
    }
    return drawn(data, layout, title, alt, dark, height=380)


def strengths(
    values: Sequence[float],
    lines: Mapping[str, np.ndarray],
    chosen: float,
    title: str,
    axes: tuple[str, str],
    alt: str,
    dark: bool = False,
) -> go.Figure:
    """Shares, 0 to 1, as an attack grows stronger; the chosen strength is marked.

    Args:
        values: (K,) strengths.
        lines: (K,) shares by name.
        chosen: One of the strengths.
        title: What is seen.
        axes: What the two axes are.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    dashes = ("solid", "dot", "dash")
    data = [
        {
            "type": "scatter",
            "x": list(values),
            "y": shares,
            "name": name,
            "mode": "lines+markers",
            "marker": {"size": 5},
            "line": {"color": colours.lines[number], "width": 2, "dash": dashes[number % 3]},
            "hovertemplate": "strength %{x:.3g}<br>%{y:.1%}",
        }
        for number, (name, shares) in enumerate(lines.items())
    ]
    mark = {"type": "line", "x0": chosen, "x1": chosen, "y0": 0, "y1": 1, "yref": "paper"}
    most = max(values)
    layout = _LEGEND | {
        "showlegend": True,
        "shapes": [mark | {"line": {"color": colours.muted, "width": 1, "dash": "dash"}}],
        "xaxis": quiet(dark) | {"title": {"text": axes[0]}, "range": [-0.02 * most, 1.02 * most]},
        "yaxis": quiet(dark) | {"title": {"text": axes[1]}, "range": [-0.03, 1.03], "tickformat": ".0%"},
    }
    return drawn(data, layout, title, alt, dark, height=300)
