"""Gradient through time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette

VANISHED = 1e-5
"""Share of the largest gradient below which next to nothing is left to learn from."""
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class Line:
    """The gradient of one recurrent layer.

    Attributes:
        name: What it is called, such as ``LSTM, lstm1``.
        shares: (T,) norms as shares of the largest.
        norms: (T,) the norms themselves.
        run: Lines of one run have one colour.
    """

    name: str
    shares: np.ndarray
    norms: np.ndarray
    run: int = 0

    @property
    def smallest(self) -> float:
        """The smallest share that is not zero; of none, 1."""
        return float(self.shares[self.shares > 0].min(initial=1.0))


def through_time(lines: list[Line], dark: bool = False, smallest: float = 1.0) -> go.Figure:
    """One line for each layer over the steps that were read, on a logarithmic axis, with the band of vanishing.

    Args:
        lines: What is drawn, the run that is looked at first.
        dark: Whether the page is dark.
        smallest: A share that the axis has room for in any case. Give it to compare figures.
    """
    colours = palette(dark)
    hues = [colours.train, colours.validation, colours.roles["bend"], colours.roles["other"]]
    figure, of_run = go.Figure(), dict.fromkeys((line.run for line in lines), 0)
    smallest = min(smallest, *(line.smallest for line in lines), 1.0)
    for line in lines:
        there = line.shares > 0
        figure.add_trace(
            go.Scatter(
                x=np.flatnonzero(there) + 1,
                y=line.shares[there],
                customdata=line.norms[there],
                name=line.name,
                mode="lines" if there.sum() > 1 else "markers",
                line={
                    "color": hues[line.run % len(hues)],
                    "width": 3,
                    "dash": _DASHES[of_run[line.run] % len(_DASHES)],
                },
                hovertemplate="step %{x}<br>share %{y:.1e}<br>norm %{customdata:.1e}<extra>%{fullData.name}</extra>",
            )
        )
        of_run[line.run] += 1
    lowest = min(smallest, 0.02) / 2
    if smallest < VANISHED * 100:
        lowest = min(smallest, VANISHED) / 100
        figure.add_hrect(
            y0=lowest,
            y1=VANISHED,
            fillcolor=colours.validation,
            opacity=0.12,
            line_width=0,
        )
        figure.add_annotation(
            text="vanished",
            x=1,
            xref="paper",
            xanchor="right",
            y=math.log10(lowest),  # annotations know nothing of logarithmic axes
            yanchor="bottom",
            showarrow=False,
            font={"color": colours.muted, "size": 12},
        )
    bottom, top = math.log10(lowest), 0.3
    figure.update_xaxes(title="step of the sequence, as it is read", gridcolor=colours.grid, zeroline=False)
    figure.update_yaxes(
        type="log",
        title="share of the largest",
        gridcolor=colours.grid,
        exponentformat="power",
        range=[bottom, top],
        dtick=max(1, math.ceil((top - bottom) / 7)),  # whole powers of ten
    )
    figure.update_layout(
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
        showlegend=True,
        xaxis_fixedrange=True,
        yaxis_fixedrange=True,
    )
    said = "; ".join(f"{line.name}: {line.shares[0]:.1e} of the largest is left at step 1" for line in lines)
    return finish(
        figure,
        "What is left of the gradient at each step",
        f"Norm of the gradient of each hidden state. {said}.",
        dark,
        380,
    )
