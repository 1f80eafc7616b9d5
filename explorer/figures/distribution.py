"""How values are spread, at every kept step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import drawn, palette, quiet

HEIGHT = 420


def over_steps(
    edges: np.ndarray,
    shares: np.ndarray,
    steps: Sequence[int],
    now: int,
    title: str,
    alt: str,
    axis: str = "value",
    dark: bool = False,
) -> go.Figure:
    """Histograms of several steps as columns of colour, and that of one step as bars beside them.

    Each column is coloured relative to its own fullest bin.

    Args:
        edges: (B + 1,) where the bins end.
        shares: (S, B) share of the values of each step that is in each bin.
        steps: (S,) the steps.
        now: The step whose bars are drawn; one of `steps`.
        title: What is seen.
        alt: The same for those who cannot see it.
        axis: What the values are.
        dark: Whether the page is dark.
    """
    colours, middle = palette(dark), (edges[:-1] + edges[1:]) / 2
    place, fullest = list(steps).index(now), np.maximum(shares.max(axis=1, keepdims=True), 1e-12)
    every = max(1, -(-len(steps) // 6))
    ticks = list(range(0, len(steps), every))
    heat = {
        "type": "heatmap",
        "z": (shares / fullest).T.tolist(),
        "y": middle,
        "customdata": [
            [[step, float(share)] for step, share in zip(steps, row, strict=True)] for row in shares.T.round(5).tolist()
        ],
        "colorscale": [list(stop) for stop in colours.sequential],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hovertemplate": "step %{customdata[0]}<br>about %{y:.3g}: %{customdata[1]:.1%} of them<extra></extra>",
    }
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": shares[place],
        "y": middle,
        "width": float(edges[1] - edges[0]),
        "xaxis": "x2",
        "marker": {"color": colours.train, "line": {"width": 0}},
        "hovertemplate": f"step {now}<br>about %{{y:.3g}}: %{{x:.1%}}<extra></extra>",
    }
    line = {"type": "rect", "x0": place - 0.5, "x1": place + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    still = quiet(dark)
    layout = {
        "xaxis": {
            "domain": [0, 0.66],
            "title": {"text": "optimiser step"},
            "tickvals": ticks,
            "ticktext": [f"{steps[n]:,}" for n in ticks],
            **still,
            "showgrid": False,
        },
        "xaxis2": {"domain": [0.7, 1], "title": {"text": f"share at step {now}"}, "tickformat": ".0%", "nticks": 3}
        | still
        | {"rangemode": "tozero"},
        "yaxis": {"title": {"text": axis}, "range": [float(edges[0]), float(edges[-1])], "automargin": True} | still,
        "shapes": [line | {"line": {"color": colours.validation, "width": 2}}],
        "showlegend": False,
        "bargap": 0,
    }
    return drawn([heat, bars], layout, title, alt, dark, HEIGHT)
