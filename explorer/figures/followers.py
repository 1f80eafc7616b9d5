"""Units that follow a pattern, from the one that follows it most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import drawn, palette, quiet


def followers(
    units: Sequence[int],
    many: np.ndarray,
    here: np.ndarray | None,
    chance: float,
    title: str,
    alt: str,
    *,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Correlations of units as bars, with the most that chance reached as lines.

    Args:
        units: Numbers of the units, from top to bottom.
        many: (units,) correlation over many examples: the bars.
        here: (units,) correlation over one example: marks on the bars; None where the pattern is not in it.
        chance: Largest magnitude that a random pattern reaches.
        title: What is seen.
        alt: The same for those who cannot see it.
        chosen: The unit that is marked.
        dark: Whether the page is dark.
    """
    colours, rows = palette(dark), [f"unit {unit}" for unit in units]
    numbers = [[int(unit)] for unit in units]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": many,
            "y": rows,
            "name": "many examples",
            "customdata": numbers,
            "marker": {
                "color": colours.signed(many).tolist(),
                "line": {"width": [2 if unit == chosen else 0 for unit in units], "color": colours.ink},
            },
            "hovertemplate": "%{y}<br>r = %{x:.3f} over many examples<extra></extra>",
        }
    ]
    if here is not None:
        data.append(
            {
                "type": "scatter",
                "x": here,
                "y": rows,
                "mode": "markers",
                "name": "this example",
                "customdata": numbers,
                "marker": {"symbol": "diamond-open", "size": 8, "color": colours.ink, "line": {"width": 1.5}},
                "hovertemplate": "%{y}<br>r = %{x:.3f} in this example<extra></extra>",
            }
        )
    edge = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}
    edge["line"] = {"color": colours.muted, "width": 1.5, "dash": "dash"}
    said = {"x": chance, "y": 1, "yref": "paper", "yanchor": "bottom", "text": "chance", "showarrow": False}
    layout = {
        "xaxis": quiet(dark)
        | {"zeroline": True, "zerolinecolor": colours.muted, "range": [-1.05, 1.05]}
        | {"title": {"text": "correlation with the pattern, r"}},
        "yaxis": quiet(dark) | {"type": "category", "autorange": "reversed", "automargin": True, "showgrid": False},
        "shapes": [edge | {"x0": side, "x1": side} for side in (-chance, chance)],
        "annotations": [said | {"font": {"color": colours.muted, "size": 12}}],
        "bargap": 0.25,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
        "margin": {"l": 8, "r": 8, "t": 60, "b": 8},
    }
    return drawn(data, layout, title, alt, dark, height=150 + 20 * len(rows))
