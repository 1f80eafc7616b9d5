"""Classes: how many examples each has, and how probable each is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import finish, palette


def balance(counts: Mapping[str, Sequence[int]], classes: Sequence[str], dark: bool = False) -> go.Figure:
    """How many examples of each class every split has.

    Args:
        counts: For each split, one number per class.
        classes: Names of the classes.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    shades = dict(zip(counts, (colours.train, colours.validation, colours.muted), strict=False))
    figure = go.Figure(
        [
            go.Bar(
                x=list(classes),
                y=list(numbers),
                name=split,
                marker={"color": shades[split], "line": {"width": 0}},
                hovertemplate=f"class %{{x}}<br>{split}: %{{y}} examples<extra></extra>",
            )
            for split, numbers in counts.items()
        ]
    )
    figure.update_xaxes(title="class", type="category", fixedrange=True)
    figure.update_yaxes(title="examples", gridcolor=colours.grid, fixedrange=True)
    figure.update_layout(
        barmode="stack", legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"}
    )
    alt = "Examples of each class: " + "; ".join(f"{split} {sum(numbers)}" for split, numbers in counts.items())
    finish(figure, "Class balance", alt, dark, height=260)
    figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    return figure


def probabilities(
    values: np.ndarray,
    classes: Sequence[str],
    truth: int | None,
    target: int | None,
    dark: bool = False,
    height: int = 260,
) -> go.Figure:
    """How probable the model finds each class.

    Args:
        values: (classes,), adding up to 1.
        classes: Names of the classes.
        truth: The right class, if there is one.
        target: The class that is explained, if any.
        dark: Whether the page is dark.
        height: In screen pixels.
    """
    colours = palette(dark)
    answer = int(values.argmax())
    names = [_mark(name, i, truth, target) for i, name in enumerate(classes)]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            text=[_sure(v).replace("over ", "> ") for v in values],  # there is little room beside a long bar
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": [colours.accent if i == answer else colours.muted for i in range(len(values))],
                "line": {"width": 0},
            },
            hovertemplate="class %{y}<br>probability %{text}<extra></extra>",
        )
    )
    figure.update_xaxes(
        title="probability",
        range=[0, 1.45],
        tickvals=[0, 0.5, 1],
        gridcolor=colours.grid,
        fixedrange=True,
    )
    figure.update_yaxes(title="class", type="category", autorange="reversed", fixedrange=True)
    alt = f"Probabilities of all classes; the answer is {classes[answer]} with {_sure(values[answer])}."
    return finish(figure, f"The answer: {classes[answer]}, {_sure(values[answer])} sure", alt, dark, height=height)


def _sure(share: float) -> str:
    """A share as a percentage that never rounds up to certainty."""
    return "over 99.9%" if share > 0.999 else f"{share:.1%}"


def _mark(name: str, index: int, truth: int | None, target: int | None) -> str:
    notes = [note for note, place in (("true", truth), ("explained", target)) if place == index]
    return f"{name} ({', '.join(notes)})" if notes else name
