"""A model as a picture: one bar for each layer, from input to output."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from explorer.figures.theme import finish, palette
from explorer.models.plan import Plan
from explorer.specs import Shape


def architecture(plan: Plan, shape: Shape, dark: bool = False) -> go.Figure:
    """Layers from top to bottom; a bar is as wide as its output is large (logarithmic).

    Args:
        plan: The model, or as much of it as works.
        shape: Shape of one input.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    names = ["input", *(layer.name for layer in plan.layers)]
    shapes = [shape, *(layer.output for layer in plan.layers)]
    roles = [colours.muted, *(colours.roles[layer.role] for layer in plan.layers)]
    hover = [f"input<br>{shape} values"]
    for layer in plan.layers:
        hover.append(
            f"{layer.name} ({layer.title})<br>{layer.given} → {layer.output}<br>{layer.parameters:,} parameters"
            f"<br>{layer.macs:,} multiply-adds"
        )
    largest = max(math.log2(1 + s.values) for s in shapes)
    widths = [max(0.3, math.log2(1 + s.values) / largest) for s in shapes]
    figure = go.Figure(
        go.Bar(
            x=widths,
            base=[-w / 2 for w in widths],
            y=names,
            orientation="h",
            marker={"color": roles, "line": {"width": 0}, "cornerradius": 4},
            text=[str(s) for s in shapes],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            textfont={"color": "#ffffff", "size": 12},
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.update_xaxes(visible=False, range=[-0.52, 0.52], fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticks="", automargin=True)
    figure.update_layout(bargap=0.22, showlegend=False)
    alt = "Layers from input to output: " + ", ".join(f"{n} {s}" for n, s in zip(names, shapes, strict=True))
    return finish(figure, "From input to output: width is how many values", alt, dark, height=64 + 30 * len(names))
