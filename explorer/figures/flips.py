"""Inputs before and after a change, and answers as attacks grow stronger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.theme import BAR, GREY, finish, palette, quiet, symmetric

THIRDS = ((0.0, 0.31), (0.345, 0.655), (0.69, 1.0))
"""Where three pictures lie beside each other, as shares of the width."""


def images(
    before: np.ndarray, after: np.ndarray, labels: Sequence[str], title: str, alt: str, dark: bool = False
) -> go.Figure:
    """An image, what was added to it, and the result.

    The images are drawn from black 0 to white 1; what was added on a scale of its own, centred at zero, which ends at
    its strongest value; of colours it is the mean.

    Args:
        before, after: (C, H, W), 0 to 1.
        labels: What is written above the three.
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    added = (after - before).mean(axis=0)  # (H, W)
    low, high = symmetric(float(np.abs(added).max()))
    change = go.Heatmap(
        z=added,
        colorscale=colours.diverging,
        zmin=low,
        zmax=high,
        colorbar=BAR | {"x": THIRDS[1][0], "len": THIRDS[1][1] - THIRDS[1][0], "tickvals": [low, 0, high]},
        hovertemplate="changed by %{z:.3g}<extra></extra>",
    )
    figure = go.Figure()
    for place, trace in enumerate((_picture(before), change, _picture(after)), 1):
        trace.update(xaxis=f"x{place}", yaxis=f"y{place}")
        figure.add_trace(trace)
    height, width = added.shape
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    for place, domain in enumerate(THIRDS, 1):
        figure.layout[f"xaxis{place}"] = hidden | {
            "domain": domain,
            "anchor": f"y{place}",
            "constraintoward": "left",
            "range": [-0.5, width - 0.5],
        }
        figure.layout[f"yaxis{place}"] = hidden | {
            "anchor": f"x{place}",
            "scaleanchor": f"x{place}",
            "constraintoward": "top",
            "range": [height - 0.5, -0.5],
        }
    _write(figure, labels)
    return finish(figure, title, alt, dark, height=284).update_layout(margin={"t": 84})


def _picture(image: np.ndarray) -> go.Heatmap | go.Image:
    if len(image) == 1:
        return go.Heatmap(
            z=image[0],
            colorscale=GREY,
            zmin=0,
            zmax=1,
            showscale=False,
            hovertemplate="brightness %{z:.3g}<extra></extra>",
        )
    return go.Image(z=(image.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0), hoverinfo="skip")


def _write(figure: go.Figure, labels: Sequence[str]) -> None:
    for label, (left, _) in zip(labels, THIRDS, strict=True):
        figure.add_annotation(
            x=left, y=1, xref="paper", yref="paper", text=label, showarrow=False, align="left", font={"size": 12},
            xanchor="left", yanchor="bottom", borderpad=0,
        )  # fmt: skip


def series(before: np.ndarray, after: np.ndarray, title: str, alt: str, dark: bool = False) -> go.Figure:
    """A series (C, L) and its changed copy over each other; below, on a scale of its own, what was added."""
    colours = palette(dark)
    figure = go.Figure()
    for values, name, shade in ((before, "original", colours.muted), (after, "changed", colours.accent)):
        for number, channel in enumerate(values):
            figure.add_scatter(
                y=channel,
                name=f"{name} {number}" if len(values) > 1 else name,
                mode="lines",
                line={"color": shade, "width": 2, "dash": "solid" if name == "changed" else "dot"},
                hovertemplate="step %{x}<br>value %{y:.3g}<extra></extra>",
            )
    for number, channel in enumerate(after - before):
        figure.add_bar(
            y=channel,
            name=f"added {number}" if len(after) > 1 else "added",
            yaxis="y2",
            marker={"color": colours.signed(channel), "line": {"width": 0}},
            showlegend=False,
            hovertemplate="step %{x}<br>changed by %{y:.3g}<extra></extra>",
        )
    figure.update_xaxes(quiet(dark), title="step", anchor="y2")
    figure.update_layout(
        yaxis=quiet(dark) | {"title": "value", "domain": [0.42, 1]},
        yaxis2=quiet(dark) | {"title": "added", "domain": [0, 0.34], "zeroline": True, "zerolinecolor": colours.muted},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    return finish(figure, title, alt, dark, height=380).update_layout(
        margin={"t": 64}, title={"y": 0.97, "yanchor": "top"}
    )


def strengths(
    values: Sequence[float],
    lines: Mapping[str, np.ndarray],
    chosen: float,
    title: str,
    axes: tuple[str, str],
    alt: str,
    dark: bool = False,
) -> go.Figure:
    """Shares, 0 to 1, as an attack grows stronger; the chosen strength is marked.

    Args:
        values: (K,) strengths.
        lines: (K,) shares by name.
        chosen: One of the strengths.
        title: What is seen.
        axes: What the two axes are.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
    """
    colours = palette(dark)
    dashes = ("solid", "dot", "dash")
    figure = go.Figure(
        [
            go.Scatter(
                x=list(values)[: len(shares)],
                y=shares,
                name=name,
                mode="lines+markers",
                marker={"size": 5},
                line={"color": colours.lines[number], "width": 2, "dash": dashes[number % 3]},
                hovertemplate=f"{name}<br>strength %{{x:.3g}}<br>%{{y:.1%}}<extra></extra>",
            )
            for number, (name, shares) in enumerate(lines.items())
        ]
    )
    figure.add_vline(x=chosen, line={"color": colours.muted, "width": 1, "dash": "dash"})
    figure.update_xaxes(quiet(dark), title=axes[0], range=[-0.02 * max(values), 1.02 * max(values)])
    figure.update_yaxes(quiet(dark), title=axes[1], range=[-0.03, 1.03], tickformat=".0%")
    figure.update_layout(
        showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"}
    )
    return finish(figure, title, alt, dark, height=300).update_layout(
        margin={"t": 64}, title={"y": 0.97, "yanchor": "top"}
    )
