"""Gradient flow: how strongly training moves each layer."""

from __future__ import annotations

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


def gradient_flow(flow: pd.DataFrame, what: str, total_steps: int, dark: bool = False) -> go.Figure:
    """One line for each layer over the steps, from input (light) to output (dark), on a logarithmic axis.

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
    for layer, shade in zip(layers, shades, strict=True):
        mine = flow[(flow["layer"] == layer) & (flow[what] > 0)]
        steps, values = mine["step"].to_numpy(float), mine[what].to_numpy(float)
        shown = thin(steps, np.log(values))
        traces.append(
            {
                "type": "scatter",
                "x": steps[shown],
                "y": values[shown],
                "name": layer,
                "mode": "lines",
                "line": {"color": shade, "width": 2},
                "hovertemplate": f"{layer}<br>step %{{x}}<br>%{{y:.2e}}<extra></extra>",
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
    if what == "gradient" and len(flow):
        _band(figure, VANISHING, flow[what][flow[what] > 0].min(), "vanishing", dark)
        _band(figure, EXPLODING, flow[what].max(), "exploding", dark)
    return figure


def _band(figure: go.Figure, bound: float, reached: float, word: str, dark: bool) -> None:
    """Mark where gradients vanish or explode, once some come near."""
    colours = palette(dark)
    below = bound < 1
    if (reached > bound * 10) if below else (reached < bound / 10):
        return
    ends = {"y0": min(reached, bound) / 10, "y1": bound} if below else {"y0": bound, "y1": max(reached, bound) * 10}
    figure.add_hrect(
        **ends,
        fillcolor=colours.validation,
        opacity=0.12,
        line_width=0,
        annotation={"text": word, "font": {"color": colours.muted, "size": 12}},
        annotation_position="bottom left" if below else "top left",
    )
