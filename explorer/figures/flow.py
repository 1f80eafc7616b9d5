"""Gradient flow: how strongly training moves each layer."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from explorer.figures.lines import thin
from explorer.figures.theme import drawn, palette

_TITLES = {
    "gradient": ("Gradient of each layer", "norm of the gradient"),
    "weight": ("Weights of each layer", "norm of the weights"),
    "update": ("Update of each layer", "share of the weights"),
}
VANISHING, EXPLODING = 1e-5, 1e2
"""Gradient norms below and above which training usually stalls or breaks."""
SMALL, LARGE = 1e-4, 1e-2
"""Updates a tenth of and ten times what is usual, about 1e-3 of the weights (Karpathy, notes for Stanford's CS231n,
"Neural networks part 3", https://cs231n.github.io/neural-networks-3/)."""
_BANDS = {
    "gradient": (VANISHING, "vanishing", EXPLODING, "exploding", 10.0),
    "update": (SMALL, "hardly moves", LARGE, "moves far", 1.0),
}
"""Two bounds with what lies below the first and above the second, and within how many times them a band is drawn."""


def gradient_flow(flow: pd.DataFrame, what: str, total_steps: int, dark: bool = False) -> go.Figure:
    """One line for each layer over the steps, from input (light) to output (dark), on a logarithmic axis; zeros, for
    which it has no place, lie at its lower end.

    Args:
        flow: As from `RunStore.flow`.
        what: ``gradient``, ``weight`` or ``update``.
        total_steps: Planned steps.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    layers = list(dict.fromkeys(flow["layer"]))
    shades = sample_colorscale(
        [list(stop) for stop in colours.sequential],
        [0.3 + 0.7 * n / max(1, len(layers) - 1) for n in range(len(layers))],
    )
    traces = []
    some = flow[what][flow[what] > 0]
    least = min([_BANDS[what][0] if what in _BANDS else 1.0, *some])
    floor = least / 10 if (flow[what] <= 0).any() else 0.0
    for layer, shade in zip(layers, shades, strict=True):
        mine = flow[flow["layer"] == layer]
        steps, seen = mine["step"].to_numpy(float), mine[what].to_numpy(float)
        values = seen.clip(floor)
        shown = thin(steps, np.log(values))
        traces.append(
            {
                "type": "scatter",
                "x": steps[shown],
                "y": values[shown],
                "customdata": seen[shown],
                "name": layer,
                "mode": "lines",
                "line": {"color": shade, "width": 2},
                "hovertemplate": f"{layer}<br>step %{{x}}<br>%{{customdata:.2e}}<extra></extra>",
            }
        )
    title, axis = _TITLES[what]
    quiet = {"gridcolor": colours.grid, "fixedrange": True}
    layout = {
        "xaxis": {"title": {"text": "optimiser step"}, "range": [0, max(total_steps, 1)], **quiet},
        "yaxis": {"type": "log", "title": {"text": axis}, "exponentformat": "power", "nticks": 6, **quiet},
        "showlegend": len(layers) <= 8,
        "legend": {"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0},
    }
    last = flow.groupby("layer", sort=False)[what].last() if len(flow) else {}
    said = "; ".join(f"{layer} {value:.1e}" for layer, value in dict(last).items())
    alt = f"{title} over the steps. Now: {said}." if said else f"{title}: nothing yet."
    figure = drawn(traces, layout, title, alt, dark, height=320)
    if what in _BANDS and len(flow):
        low, little, high, much, near = _BANDS[what]
        lowest, highest = floor or some.min(), flow[what].max()
        if lowest <= low * near:
            _band(figure, low, min(lowest, low) / 10, little, dark)
        if highest >= high / near:
            _band(figure, high, max(highest, high) * 10, much, dark)
    return figure


def _band(figure: go.Figure, bound: float, end: float, word: str, dark: bool) -> None:
    """Mark what lies between a bound and a value above or below it, with a word beside the bound."""
    colours = palette(dark)
    figure.add_hrect(y0=min(bound, end), y1=max(bound, end), fillcolor=colours.validation, opacity=0.12, line_width=0)
    figure.add_annotation(
        text=word,
        x=0,
        xref="paper",
        xanchor="left",
        y=math.log10(bound),  # annotations know nothing of logarithmic axes
        yanchor="top" if end < bound else "bottom",
        showarrow=False,
        font={"color": colours.muted, "size": 12},
    )
