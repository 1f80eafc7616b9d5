"""Single examples that are not images, and values of sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import BAR, Parts, drawn, finish, palette, symmetric

LONGEST = 12
"""Letters of a word that are written beside its place."""
FEW_ROWS = 8
"""Up to so many rows are numbered one by one."""


def series(
    values: np.ndarray,
    title: str,
    alt: str,
    dark: bool = False,
    height: int = 260,
    names: Sequence[str] | None = None,
) -> go.Figure:
    """A series (C, L) as one line for each channel, or several series under each other.

    Args:
        values: (C, L).
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
        height: In screen pixels.
        names: What each line is; they are numbered as channels if None.
    """
    colours = palette(dark)
    shades = (colours.train, colours.validation, colours.muted)
    figure = go.Figure(
        [
            go.Scatter(
                y=channel,
                name=names[number] if names else f"channel {number}",
                mode="lines",
                line={"color": shades[number % len(shades)], "width": 2},
                hovertemplate="step %{x}<br>value %{y:.3g}<extra></extra>",
            )
            for number, channel in enumerate(values)
        ]
    )
    figure.update_xaxes(title="step", gridcolor=colours.grid, zeroline=False, fixedrange=True)
    figure.update_yaxes(title="value", gridcolor=colours.grid, zeroline=False, fixedrange=True)
    figure.update_layout(showlegend=len(values) > 1)
    return finish(figure, title, alt, dark, height=height)


def small_series(
    values: Sequence[np.ndarray],
    labels: Sequence[str],
    title: str,
    alt: str,
    columns: int = 5,
    dark: bool = False,
    boxes: Sequence[tuple[tuple[int, int], ...] | None] = (),
) -> go.Figure:
    """The first channel of several series (C, L), one small picture each, all on one scale; steps may be shaded."""
    colours = palette(dark)
    rows = -(-len(values) // columns)
    low, high = min(v[0].min() for v in values), max(v[0].max() for v in values)
    span = (high - low) or 1.0
    figure = go.Figure()
    notes = []
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        row, column = divmod(index, columns)
        x = column + 0.9 * np.linspace(0, 1, len(value[0]))
        y = -row + 0.7 * (value[0] - low) / span
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                line={"color": colours.train, "width": 1.5},
                customdata=value[0],
                hovertemplate=f"{label}<br>value %{{customdata:.3g}}<extra></extra>",
                showlegend=False,
            )
        )
        notes.append(
            {
                "x": column,
                "y": -row + 0.72,
                "text": label,
                "showarrow": False,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 11, "color": colours.muted},
            }
        )
    figure.update_xaxes(visible=False, fixedrange=True, range=[-0.02, columns])
    figure.update_yaxes(visible=False, fixedrange=True, range=[-rows + 0.95, 1])
    shaded = {"type": "rect", "fillcolor": colours.validation, "opacity": 0.25, "line": {"width": 0}, "layer": "below"}
    shapes = []
    for index, box in enumerate(boxes):
        row, column = divmod(index, columns)
        for first, end in box or ():
            each = 0.9 / max(1, len(values[index][0]) - 1)
            ends = {"x0": column + each * (first - 0.5), "x1": column + each * (end - 0.5), "y0": -row, "y1": 0.7 - row}
            shapes.append(shaded | ends)
    figure.update_layout(annotations=notes, shapes=shapes)
    return finish(figure, title, alt, dark, height=48 + 90 * rows)


def bars(values: np.ndarray, labels: Sequence[str], title: str, axis: str, alt: str, dark: bool = False) -> go.Figure:
    """One signed value for each named thing, (D,): a feature or a word; in their order, from top to bottom."""
    colours = palette(dark)
    figure = go.Figure(
        go.Bar(
            x=values,
            y=list(range(len(labels))),
            orientation="h",
            customdata=list(labels),
            marker={"color": colours.signed(values), "line": {"width": 0}},
            hovertemplate="%{customdata}<br>%{x:.4g}<extra></extra>",
        )
    )
    limit = symmetric(1.1 * float(np.abs(values).max(initial=0.0)))
    figure.update_xaxes(title=axis, range=limit, gridcolor=colours.grid, zerolinecolor=colours.muted, fixedrange=True)
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=list(labels), autorange="reversed", automargin=True, fixedrange=True
    )
    figure.update_layout(bargap=0.2)
    return finish(figure, title, alt, dark, height=96 + 22 * len(labels))


def histogram(values: dict[str, np.ndarray], title: str, axis: str, alt: str, dark: bool = False) -> go.Figure:
    """How the values of each split are spread."""
    colours = palette(dark)
    shades = dict(zip(values, (colours.train, colours.validation, colours.muted), strict=False))
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=24)
    figure = go.Figure(
        [
            go.Bar(
                x=(edges[:-1] + edges[1:]) / 2,
                y=np.histogram(numbers, edges)[0],
                width=np.diff(edges),
                name=split,
                marker={"color": shades[split], "line": {"width": 0}},
                hovertemplate=f"about %{{x:.4g}}<br>{split}: %{{y}} examples<extra></extra>",
            )
            for split, numbers in values.items()
        ]
    )
    figure.update_xaxes(title=axis, fixedrange=True)
    figure.update_yaxes(title="examples", gridcolor=colours.grid, fixedrange=True)
    figure.update_layout(
        barmode="stack", legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"}
    )
    finish(figure, title, alt, dark, height=260)
    figure.update_layout(margin={"t": 64}, title={"y": 0.97, "yanchor": "top"})
    return figure


def table(
    values: np.ndarray,
    places: Sequence[str],
    title: str,
    alt: str,
    dark: bool = False,
    *,
    rows: Sequence[str] | None = None,
    axis: str = "value",
    limit: float | None = None,
    signed: bool | None = None,
    outlined: int | None = None,
    clickable: bool = False,
) -> go.Figure:
    """Values (rows, places) as colours, signed on the diverging scale, else on the sequential one.

    Args:
        values: (rows, places).
        places: A word or number for each column.
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
        rows: A word or number for each row; they are numbered if None.
        axis: What the rows are.
        limit: End of the scale; the largest magnitude if None. Give it to compare figures.
        signed: Whether values may be negative; as they are if None.
        outlined: Number of a row that is outlined.
        clickable: Whether rows can be clicked: bars that cannot be seen lie over them, since cells of a heatmap cannot
            be. Their ``customdata`` is (number,).
    """
    colours = palette(dark)
    limit = float(np.abs(values).max(initial=0.0)) if limit is None else limit
    signed = bool(values.min(initial=0.0) < 0) if signed is None else signed
    low, high = symmetric(limit) if signed else (0.0, limit or 1.0)
    picture = {
        "type": "heatmap",
        "z": np.asarray(values),
        "colorscale": colours.diverging if signed else colours.sequential,
        "zmin": low,
        "zmax": high,
        "colorbar": BAR,
        "customdata": _named(rows, places, values.shape),
        "hovertemplate": f"{axis} %{{customdata[0]}}, place %{{customdata[1]}}<br>value %{{z:.4g}}<extra></extra>",
    }
    every = -(-len(places) // (15 if places[-1].isdecimal() else 24))  # words stand upright, numbers do not
    shown, words = _ticks(places, every)
    longest = max(map(len, words), default=1)
    still = {"fixedrange": True, "gridcolor": colours.grid}
    across = {"tickvals": shown, "ticktext": words, "tickangle": -90 if longest > 2 else 0, "side": "top", **still}
    down = {"autorange": "reversed", "title": {"text": axis}, **still}
    if rows is not None:
        shown, words = _ticks(rows, -(-len(rows) // 24))
        down |= {"tickvals": shown, "ticktext": words, "automargin": True}
    elif len(values) <= FEW_ROWS:  # of so few Plotly would number halves, too
        down["tickvals"] = list(range(len(values)))
    top = 44 + (20 if longest <= 2 else 8 * longest)
    height = top + 56 + max(160, min(480, 8 * len(values)))
    if rows is not None:
        height = top + 72 + max(40, min(480, 20 * len(values)))
    layout = {
        "xaxis": {"ticks": "", **across},
        "yaxis": down,
        "margin": {"l": 8, "r": 8, "t": top, "b": 8},
        "title": {"y": 1 - 10 / height, "yanchor": "top"},
    }
    if clickable:
        layout["bargap"] = 0
        layout["xaxis"]["range"], down["range"] = [-0.5, len(places) - 0.5], [len(values) - 0.5, -0.5]
        del down["autorange"]
        return drawn([picture, _over(values, axis, outlined, dark)], layout, title, alt, dark, height)
    if outlined is not None:
        box = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": outlined - 0.5, "y1": outlined + 0.5}
        layout["shapes"] = [box | {"line": {"color": colours.validation, "width": 2}}]
    return drawn([picture], layout, title, alt, dark, height)


def _over(values: np.ndarray, axis: str, chosen: int | None, dark: bool) -> Parts:
    """A bar over each row, which can be clicked, and of which only the outline of the chosen one is seen."""
    count, places = values.shape
    ends = zip(values.min(axis=1), values.max(axis=1), strict=True)
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(count)),
        "base": -0.5,
        "x": [places] * count,
        "width": 1,
        "marker": {
            "color": "rgba(0,0,0,0)",
            "line": {"color": palette(dark).validation, "width": 3},
            "opacity": 0 if chosen is None else [float(n == chosen) for n in range(count)],
        },
        "selected": {"marker": {"opacity": 1}},  # a click outlines a row at once, and without a new figure
        "unselected": {"marker": {"opacity": 0}},
        "customdata": [[n] for n in range(count)],
        "text": [f"{axis} {n}: {low:.3g} to {high:.3g}" for n, (low, high) in enumerate(ends)],
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "showlegend": False,
    }


def _ticks(places: Sequence[str], every: int) -> tuple[list[int], list[str]]:
    """Which places are written, and how: long words are cut."""
    shown = list(range(0, len(places), every))
    return shown, [
        place if len(place) <= LONGEST else f"{place[: LONGEST - 1]}…" for place in (places[n] for n in shown)
    ]


def _named(rows: Sequence[str] | None, places: Sequence[str], shape: tuple[int, ...]) -> list[list[list[str]]]:
    """Name of row and place of every value, (rows, places, 2)."""
    names = [str(row) for row in (range(shape[0]) if rows is None else rows)]
    return [[[name, place] for place in places] for name in names]
