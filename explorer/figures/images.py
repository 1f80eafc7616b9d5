"""Images, feature maps, filters and attributions: everything that is drawn as pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.figures.mosaic import HEAD, TILE, Box, axes, gaps, grid, headings, mosaic, outlines
from explorer.figures.theme import BAR, finish, following_width, palette

_SIGNED = BAR | {"tickvals": [-0.8, 0, 0.9], "ticktext": ["against", "no effect", "for"]}
TALL = 265
"""Screen pixels a row of attributions is high."""


def gallery(
    images: np.ndarray,
    labels: Sequence[str],
    title: str,
    alt: str,
    *,
    columns: int = 10,
    tile: int = TILE,
    boxes: Sequence[Box | None] = (),
    dark: bool = False,
) -> go.Figure:
    """Example images (N, C, H, W), values 0 to 1, grey or in colour, each with its label, parts outlined."""
    if images.shape[1] == 1:
        return mosaic(
            images[:, 0],
            labels,
            title,
            alt,
            scale="grey",
            columns=columns,
            tile=tile,
            bar=False,
            boxes=boxes,
            dark=dark,
        )
    height, width = images.shape[2:]
    channels = [grid(images[:, channel], columns, *gaps(height, width)) for channel in range(3)]
    canvas = np.stack([values for values, _ in channels] + [1.0 - np.isnan(channels[0][0])], axis=2)  # gaps see-through
    figure = go.Figure(
        go.Image(
            z=np.nan_to_num(canvas * [255, 255, 255, 1]).round(3), colormodel="rgba", hoverinfo="skip", zsmooth=False
        )
    )
    high, wide = canvas.shape[:2]
    most = round(tile * high / height)
    finish(figure, title, alt, dark, height=HEAD + most)
    return figure.update_layout(
        annotations=headings(channels[0][1], labels, 11, palette(dark).muted),
        shapes=outlines(channels[0][1], boxes, dark),
        **axes(high, wide),
        **following_width(alt, HEAD, high / wide, most),
    )


def attributions(
    panels: Sequence[tuple[str, np.ndarray | None]],
    title: str,
    alt: str,
    columns: int = 2,
    dark: bool = False,
    tall: int = TALL,
) -> go.Figure:
    """Explanations of one answer beside each other, on one diverging scale centred at zero.

    Each is drawn relative to its own strongest value, which its label names, since methods measure different things.

    Args:
        panels: Label and values (H, W) of each; None leaves its place empty, for a method that does not apply.
        title: What is seen.
        alt: The same for those who cannot see it.
        columns: Panels in a row.
        dark: Whether the page is dark.
        tall: Most screen pixels a row of them is high.
    """
    colours = palette(dark)
    height, width = next((values.shape for _, values in panels if values is not None), (1, 1))
    tiles = np.stack([np.full((height, width), np.nan) if values is None else values for _, values in panels])
    strongest = np.nan_to_num(np.abs(tiles).max(axis=(1, 2)))
    room = max(1, round(height * 0.2)), max(1, round(width * 0.08))
    relative, places = grid(tiles / np.where(strongest > 0, strongest, 1.0)[:, None, None], columns, *room)
    figure = go.Figure(
        go.Heatmap(
            z=relative,
            customdata=grid(tiles, columns, *room)[0],
            colorscale=colours.diverging,
            zmin=-1,
            zmax=1,
            colorbar=_SIGNED,
            hoverongaps=False,
            hovertemplate="value %{customdata:.4g}<extra></extra>",
        )
    )
    notes = [
        "does not apply" if values is None else f"strongest {most:.2g}"
        for (_, values), most in zip(panels, strongest, strict=True)
    ]
    labels = [f"<b>{label}</b><br>{note}" for (label, _), note in zip(panels, notes, strict=True)]
    figure.update_layout(annotations=headings(places, labels, 12, colours.ink), **axes(*relative.shape))
    rows = -(-len(panels) // columns)
    high, wide = relative.shape
    finish(figure, title, alt, dark, height=80 + tall * rows)
    return figure.update_layout(following_width(alt, 80, high / wide, tall * rows))


def enlarged(image: np.ndarray, side: int = 240) -> np.ndarray:
    """An image (C, H, W) with values 0 to 1 as bytes (H', W') or (H', W', 3), its pixels enlarged to squares."""
    factor = max(1, side // max(image.shape[1:]))
    pixels = (image.clip(0, 1) * 255).round().astype(np.uint8).repeat(factor, axis=1).repeat(factor, axis=2)
    return pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)


def units(
    values: np.ndarray,
    title: str,
    alt: str,
    dark: bool = False,
    what: str = "unit",
    span: tuple[float, float] | None = None,
) -> go.Figure:
    """Values of plain units, or of the steps of a series, (D,), as one bar each.

    Args:
        values: (D,).
        title: What is seen.
        alt: The same for those who cannot see it.
        dark: Whether the page is dark.
        what: What each of them is.
        span: Lowest and highest value the axis has room for; as they are if None. Give it to compare figures.
    """
    colours = palette(dark)
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(values)),
            y=values,
            marker={"color": colours.signed(values), "line": {"width": 0}},
            hovertemplate=f"{what} %{{x}}<br>value %{{y:.4g}}<extra></extra>",
        )
    )
    figure.update_xaxes(title=what, fixedrange=True, gridcolor=colours.grid)
    figure.update_yaxes(title="value", fixedrange=True, gridcolor=colours.grid, zerolinecolor=colours.muted)
    if span:
        room = 0.05 * (max(span[1], 0) - min(span[0], 0)) or 1.0
        figure.update_yaxes(range=[min(span[0], 0) - room, max(span[1], 0) + room])
    figure.update_layout(bargap=0.1)
    return finish(figure, title, alt, dark, height=320)
