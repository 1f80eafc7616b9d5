"""What a model answers without some of its parts, and what each part is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.quality import short
from explorer.figures.theme import as_text, drawn, palette, quiet

SHOWN = 24
"""Most units of a ranking that have a bar: those that cost most."""


def both(
    whole: np.ndarray,
    without: np.ndarray | None,
    names: Sequence[str],
    title: str,
    alt: str,
    axis: str = "probability",
    share: bool = True,
    dark: bool = False,
) -> go.Figure:
    """The same values of the whole model and of the model without some of its parts, two bars for each name.

    Args:
        whole: (K,) values of the whole model.
        without: (K,) values of the other; None if nothing is off.
        names: What they are of, from top to bottom.
        title: What is seen.
        alt: The same for those who cannot see it.
        axis: What the values are.
        share: Whether they are shares, 0 to 1.
        dark: Whether the page is dark.
    """
    colours, places = palette(dark), list(range(len(names)))
    looks = (
        ("without them", without, {"color": colours.validation, "pattern": {"shape": "/", "size": 5, "solidity": 0.4}}),
        ("whole model", whole, {"color": colours.train}),
    )
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "x": values,
            "y": places,
            "name": name,
            "marker": marker | {"line": {"width": 0}},
            "customdata": [as_text(one) for one in names],
            "hovertemplate": f"%{{customdata}}, {name}: %{{x:{'.1%' if share else '.4g'}}}<extra></extra>",
        }
        for name, values, marker in looks
        if values is not None
    ]
    still = quiet(dark)
    ends = {"range": [0, 1.02], "tickformat": ".0%"} if share else {"rangemode": "tozero"}
    height = 132 + max(26, min(34, 400 // max(1, len(names)))) * len(names)
    layout = {
        "xaxis": {"title": {"text": axis}, **ends, **still},
        "yaxis": {
            "tickvals": places,
            "ticktext": [as_text(short(name)) for name in names],
            "autorange": "reversed",
            "automargin": True,
        }
        | still,
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
        "showlegend": True,
        "barmode": "group",
        "bargap": 0.25,
        "margin": {"l": 8, "r": 8, "t": 68, "b": 8},
        "title": {"y": 1 - 12 / height, "yanchor": "top"},
    }
    return drawn(traces, layout, title, alt, dark, height)


def worth(
    order: Sequence[int],
    costs: np.ndarray,
    drops: Sequence[str],
    off: Sequence[int],
    unit: str,
    title: str,
    alt: str,
    axis: str,
    dark: bool = False,
) -> go.Figure:
    """What it costs to do without each unit, one bar each, the dearest first. Bars can be clicked.

    Args:
        order: Numbers of the units, in the order they are drawn; ``customdata`` is (number,).
        costs: (U,) by number.
        drops: (U,) what else is said of each, by number.
        off: Numbers of those that are switched off: drawn hatched.
        unit: What they are.
        title: What is seen.
        alt: The same for those who cannot see it.
        axis: What the costs are.
        dark: Whether the page is dark.
    """
    colours, shown = palette(dark), list(order)[:SHOWN]
    values = costs[shown]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(shown))),
        "customdata": [[number] for number in shown],
        "marker": {
            "color": colours.signed(values).tolist(),
            "pattern": {"shape": ["/" if number in off else "" for number in shown], "size": 5, "solidity": 0.4},
            "line": {"width": 0},
        },
        "hovertext": [f"{unit} {number}{' (off)' if number in off else ''}<br>{drops[number]}" for number in shown],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    }
    still = quiet(dark)
    layout = {
        "xaxis": {"title": {"text": axis}, **still, "zeroline": True, "zerolinecolor": colours.muted},
        "yaxis": {
            "tickvals": list(range(len(shown))),
            "ticktext": [f"{number}" for number in shown],
            "title": {"text": unit},
            "autorange": "reversed",
            "automargin": True,
        }
        | still,
        "bargap": 0.2,
        "showlegend": False,
    }
    return drawn([bars], layout, title, alt, dark, 104 + 20 * len(shown))
