"""One number over the steps of a training, and figures above each other."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

GAP = 88
"""Screen pixels between two figures above each other: axis title, title."""


def course(
    steps: Sequence[int],
    values: Sequence[float],
    now: int,
    title: str,
    axis: str,
    *,
    last: int = 0,
    truth: float | None = None,
    share: bool = True,
    dark: bool = False,
    height: int = 200,
) -> go.Figure:
    """A number at several steps as a line that grows, with a mark at the step that is seen.

    Args:
        steps: Optimiser steps, in order.
        values: One for each.
        now: The step that is seen.
        title: What is seen.
        axis: What the number is, with its unit.
        last: End of the axis of steps; the last of them if it is smaller.
        truth: What the number should be: drawn as a dotted line.
        share: Whether it is a share, 0 to 1.
        dark: Whether the page is dark.
        height: In screen pixels.
    """
    colours = palette(dark)
    text = "%{y:.1%}" if share else "%{y:.4g}"
    figure = go.Figure(
        go.Scatter(
            x=list(steps),
            y=list(values),
            mode="lines+markers",
            line={"color": colours.train, "width": 2},
            marker={
                "color": [colours.validation if step == now else colours.train for step in steps],
                "size": [11 if step == now else 4 for step in steps],
            },
            hovertemplate=f"step %{{x}}<br>{text}<extra></extra>",
            showlegend=False,
        )
    )
    if truth is not None:
        figure.add_hline(y=truth, line={"color": colours.muted, "width": 2, "dash": "dot"})
    figure.update_xaxes(
        title="optimiser step",
        range=[0, max([last, *steps, 1])],
        gridcolor=colours.grid,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(title=axis, gridcolor=colours.grid, zeroline=False, fixedrange=True)
    if share:
        figure.update_yaxes(range=[-0.04, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%")
    known = dict(zip(steps, values, strict=True))
    said = f" At step {now} it is {known[now]:.3g}." if now in known else ""
    return finish(figure, title, f"{title}: {len(steps)} steps.{said}", dark, height)


def above(top: go.Figure, bottom: go.Figure, dark: bool = False) -> go.Figure:
    """Two figures, each with one pair of axes, as one figure: the browser draws one sooner than two."""
    height = top.layout.height + bottom.layout.height
    margin = 48  # above and below what is drawn
    inside = height - margin
    part = (bottom.layout.height - margin) / inside  # of the lower figure
    figure = go.Figure(top)
    figure.update_yaxes(domain=[part + GAP / inside, 1])
    figure.update_xaxes(title_standoff=4)
    for trace in bottom.data:
        figure.add_trace(go.Figure(trace).data[0].update(xaxis="x2", yaxis="y2"))
    figure.update_layout(
        xaxis2=bottom.layout.xaxis.to_plotly_json() | {"anchor": "y2"},
        yaxis2=bottom.layout.yaxis.to_plotly_json() | {"anchor": "x2", "domain": [0, part]},
    )
    for shape in bottom.layout.shapes:
        figure.add_shape(shape.to_plotly_json() | {"xref": "x2 domain", "yref": "y2"})
    figure.add_annotation(
        text=f"<b>{bottom.layout.title.text}</b>",
        x=0,
        y=part,
        xref="paper",
        yref="paper",
        xanchor="left",
        yanchor="bottom",
        xshift=-40,
        yshift=6,
        showarrow=False,
        font={"size": 15, "color": palette(dark).ink},
    )
    figure.update_layout(showlegend=False)
    alt = f"{top.layout.meta['alt']} {bottom.layout.meta['alt']}"
    return finish(figure, top.layout.title.text, alt, dark, height)
