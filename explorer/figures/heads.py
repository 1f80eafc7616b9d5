"""Numbers of attention: those of each head, and the steps from scores to weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import Parts, as_text, drawn, palette, quiet

LETTERS = 14
"""Letters of a name beside its row."""


def numbers(
    names: Sequence[str],
    entropy: Sequence[np.ndarray],
    highest: Sequence[float],
    distance: Sequence[np.ndarray | None],
    unit: str,
    share: bool = True,
    dark: bool = False,
) -> go.Figure:
    """Two numbers of every head beside each other: how spread out it looks, and how far.

    Args:
        names: Of the layers.
        entropy: For each layer those of its heads, in nats.
        highest: For each layer the highest it can be.
        distance: For each layer those of its heads; None for one that has none.
        unit: What distances are counted in: words, patches.
        share: Whether entropies are shares of the highest, rather than nats.
        dark: Whether the page is dark.
    """
    rows, left, right, hover, notes = [], [], [], [], []
    for name, nats, top, far in zip(names, entropy, highest, distance, strict=True):
        notes.append(_over(len(rows), as_text(name), dark))
        rows.append("")
        for values in (left, right, hover):
            values.append(None)
        for head, value in enumerate(nats.tolist(), 1):
            part = value / top if top else 0.0
            rows.append(f"{head}")
            left.append(part if share else value)
            right.append(None if far is None else float(far[head - 1]))
            apart = "" if far is None else f"<br>distance {far[head - 1]:.3g} {unit}"
            hover.append(f"{as_text(name)}, head {head}<br>entropy {value:.3g} nats, {part:.0%} of the highest{apart}")
    panels = {"x": (left, "entropy, share of highest" if share else "entropy, nats")}
    if any(far is not None for far in distance):
        panels["x2"] = (right, f"mean distance, {unit}")
    traces = [_row_bars(values, which, hover, dark) for which, (values, _) in panels.items()]
    title = "How spread out and how far each head looks" if "x2" in panels else "How spread out each head looks"
    layout = _panels(panels, rows, dark) | {"annotations": notes}
    if share:
        layout["xaxis"] |= {"range": [0, 1.02], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
    said = {text.split("<br>")[0]: value for text, value in zip(hover, left, strict=True) if text}
    alt = (
        f"{title}: {len(said)} heads. Most spread out: {max(said, key=said.__getitem__)}; least: "
        f"{min(said, key=said.__getitem__)}."
    )
    return drawn(traces, layout, title, alt, dark, 100 + len(rows) * (22 if len(rows) <= 16 else 17))


def score_steps(
    scores: np.ndarray, weights: np.ndarray, names: Sequence[str], title: str, axis: str, dark: bool = False
) -> go.Figure:
    """Scores of one place behind the mask, and what the softmax makes of them, beside each other.

    Args:
        scores: (S,), minus infinity where it may not look.
        weights: (S,).
        names: Of the places that are looked at.
        title: What is seen.
        axis: What the scores are.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    masked = ~np.isfinite(scores)
    shown = np.where(masked, 0.0, scores)
    hover = [
        f"{as_text(name)}<br>" + ("may not be looked at" if gone else f"score {score:.4g}") + f"<br>weight {weight:.4g}"
        for name, score, gone, weight in zip(names, shown, masked, weights, strict=True)
    ]
    panels = {"x": (shown.tolist(), axis), "x2": (weights.tolist(), "weight, after softmax")}
    traces = [_row_bars(values, which, hover, dark) for which, (values, _) in panels.items()]
    traces[0]["marker"] = {"color": colours.signed(shown).tolist()}
    if masked.any():
        traces.append(
            {
                "type": "scatter",
                "x": [0.0] * int(masked.sum()),
                "y": np.flatnonzero(masked).tolist(),
                "mode": "markers",
                "marker": {"symbol": "x", "color": colours.muted, "size": 8},
                "hovertemplate": "masked<extra></extra>",
            }
        )
    layout = _panels(panels, [as_text(name, LETTERS) for name in names], dark)
    best = int(weights.argmax())
    alt = f"{title}: scores of {len(names)} places and their softmax. Most weight: {names[best]} {weights[best]:.2g}."
    return drawn(traces, layout, title, alt, dark, 100 + len(names) * (22 if len(names) <= 24 else 15))


def _row_bars(values: list[float | None], which: str, hover: list[str | None], dark: bool) -> Parts:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": list(range(len(values))),
        "xaxis": which,
        "marker": {"color": palette(dark).accent},
        "hovertext": hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _panels(panels: dict[str, tuple[list[float | None], str]], rows: list[str], dark: bool) -> Parts:
    """Axes of panels that stand beside each other and share their rows."""
    colours = palette(dark)
    both = len(panels) > 1
    layout: Parts = {
        "yaxis": {
            "tickvals": list(range(len(rows))),
            "ticktext": rows,
            "range": [len(rows) - 0.5, -0.5],
            "automargin": True,
            "tickfont": {"size": 12 if len(rows) <= 24 else 10},
            **quiet(dark),
        },
        "bargap": 0.25,
        "showlegend": False,
    }
    for which, (_, axis) in panels.items():
        second = which == "x2"
        layout["xaxis2" if second else "xaxis"] = {
            "title": {"text": axis, "font": {"size": 12}},
            "domain": [0.54, 1] if second else [0, 0.48 if both else 1],
            "anchor": "y",
            "nticks": 4,
            "tickangle": 0,
            **quiet(dark),
            "zeroline": True,
            "zerolinecolor": colours.muted,
        }
    return layout


def _over(row: int, name: str, dark: bool) -> Parts:
    """The name of a layer above the rows of its heads."""
    return {
        "xref": "paper",
        "x": 0,
        "y": row,
        "text": name,
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "middle",
        "font": {"size": 12, "color": palette(dark).ink},
    }
