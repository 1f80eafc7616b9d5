"""What is taken for what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from explorer.figures.quality import short
from explorer.figures.theme import finish, palette, quiet

CELL = 36
"""Height of a cell of a confusion matrix in screen pixels, while there is room."""
HIGHEST = 640
ACROSS = 32
"""Letters that fit beside each other along the top on a phone; more of them stand upright."""
NUMBERED = 15
"""Most classes whose cells have their number written in them."""


def confusion(
    counts: np.ndarray, classes: Sequence[str], chosen: tuple[int, int] | None = None, dark: bool = False
) -> go.Figure:
    """How often each class was answered for each true one; only the mistakes are coloured, the more the stronger.

    Each cell that is not empty is a bar, since bars can be clicked; its ``customdata`` is (true, answered, count).

    Args:
        counts: (true, answered).
        classes: Names of the classes.
        chosen: The cell that is outlined.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    truth, answered = np.nonzero(counts)
    number, right = counts[truth, answered], truth == answered
    most = max(1, int(number[~right].max(initial=0)))
    share = np.where(right, 0, 0.25 + 0.75 * number / most).clip(0, 1)
    shades = np.array(sample_colorscale([list(stop) for stop in colours.sequential], share.tolist()), dtype=object)
    shades[right] = colours.grid
    light_ink = (share > 0.6) != dark  # the scale runs to dark colours on a light page, to light ones on a dark
    picked = [chosen == cell for cell in zip(truth.tolist(), answered.tolist(), strict=True)]
    of_class = counts.sum(1)[truth]
    figure = go.Figure(
        go.Bar(
            x=answered,
            y=np.full(len(truth), 0.94),
            base=truth - 0.47,
            width=0.94,
            customdata=np.stack([truth, answered, number], axis=1).tolist(),  # of an array, clicks tell no list
            marker={
                "color": shades,
                "line": {"color": colours.validation, "width": [4 if one else 0 for one in picked]},
            },
            text=number if len(classes) <= NUMBERED else None,
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            insidetextfont={
                "color": [
                    colours.ink if one else "#ffffff" if light else "#0b1017"
                    for one, light in zip(right, light_ink, strict=True)
                ]
            },
            hovertext=[
                f"truly {classes[t]}, answered {classes[a]}<br>{n} examples, {n / of:.0%} of this class"
                for t, a, n, of in zip(truth, answered, number, of_class, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    every = max(1, -(-len(classes) // 40))
    shown = list(range(0, len(classes), every))
    names = [short(classes[n]) for n in shown]
    axis = {"tickvals": shown, "ticktext": names, **quiet(dark)}
    longest = max(map(len, names))
    upright = longest * len(names) > ACROSS
    ends = [-0.5, len(classes) - 0.5]
    figure.update_xaxes(
        title="answered", range=ends, side="top", tickangle=-90 if upright else 0, showgrid=True, **axis
    )
    figure.update_yaxes(title="truly", range=ends[::-1], automargin=True, **axis)
    figure.update_layout(showlegend=False, bargap=0)
    wrong = int(number[~right].sum())
    alt = f"Confusion matrix of {len(classes)} classes: {int(number[right].sum())} answers are right, {wrong} wrong."
    if wrong:
        worst = int(np.where(right, 0, number).argmax())
        alt += f" Most often, {classes[truth[worst]]} is taken for {classes[answered[worst]]}: {number[worst]} times."
    title = f"{wrong} of {int(number.sum())} answers are wrong: what is taken for what"
    top = 88 + (7 * longest if upright else 0)
    height = top + min(HIGHEST, max(140, CELL * len(classes)))
    finish(figure, title, alt, dark, height=height)
    figure.update_layout(margin={"t": top}, title={"y": 1 - 12 / height, "yanchor": "top"})
    return figure
