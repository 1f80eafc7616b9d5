"""A model as a picture: one bar for each layer, from input to output."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from explorer.figures.theme import finish, palette
from explorer.models.plan import Plan
from explorer.specs import Shape


def architecture(plan: Plan, shape: Shape, dark: bool = False, written: Shape | None = None) -> go.Figure:
    """Layers from top to bottom; a bar is as wide as its output is large (logarithmic).

    Args:
        plan: The model, or as much of it as works.
        shape: Shape of one input.
        dark: Whether the page is dark.
        written: For a translator, the shape of what is written so far, from which its decoder starts.
    """
    colours = palette(dark)
    bars = [_given("source" if written else "input", shape, colours.muted)]
    for place, layer in enumerate(plan.layers):
        if written and place == plan.encoder:
            bars.append(_given("written so far", written, colours.muted))
        hover = (
            f"{layer.name} ({layer.title})<br>{layer.given} → {layer.output}<br>{layer.parameters:,} parameters"
            f"<br>{layer.macs:,} multiply-adds"
        )
        bars.append((layer.name, layer.output, colours.roles[layer.role], hover))
    names, shapes, roles, hover = (list(column) for column in zip(*bars, strict=True))
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


def _given(name: str, shape: Shape, colour: str) -> tuple[str, Shape, str, str]:
    what = "tokens" if shape.kind == "tokens" else "values"
    return name, shape, colour, f"{name}<br>{shape} {what}"
