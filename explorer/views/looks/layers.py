"""What each layer puts out: feature maps of a convolution, values of other layers."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from explorer.views import channel, layer, page, results
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.probes import Spot
    from explorer.views.options import Options
    from explorer.views.view import View

NOTHING = -1
"""Stands for no channel, as None does, but makes another figure."""
MANY = 20
"""Up to so many layers are all seen at once."""


class Chosen(NamedTuple):
    """All choices: the layer, first and last channel, the scale over steps, own scales, and the enlarged channel."""

    name: str
    part: tuple[int, int]
    span: layer.Span | None
    each: bool
    channel: int | None


class Layers(Look):
    """What one layer puts out for this example: a convolution one map for each of its channels, where bright or warm
    means that the channel finds what it looks for at that place. On one scale a dim map is truly weak.
    """

    name = "layers"
    title = "Feature maps"
    order = 1
    misleads = "A map shows what a channel responds to, not that the answer depends on it."

    def settle(self, view: View, options: Options) -> Hashable:
        name = options.one("layer", "Layer", list(view.layers), few=MANY)
        planned, spot = view.layers[name], _spot(name)
        st.caption(_told(planned))
        values, part = results.seen(*view.place, spot), (0, 0)
        if values.ndim == 1:
            return Chosen(name, part, layer.span_of(view, spot), False, None)
        one, last = None, len(values) - 1
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("layer-choices")):
            if channel.fits(planned):
                one = options.maybe("channel", f"Enlarge channel (0 to {last})", 0, last, width=220, placeholder="none")
            each = options.switch(
                "each",
                "Each on its own scale",
                help="Shows the pattern of weak channels too; how strong they are is then not seen.",
            )
        if values.ndim == 3:
            part = layer.window(len(values), "channels", most=layer.at_once(values), options=options)
        return Chosen(name, part, layer.span_of(view, spot), each, one)

    def together(self, view: View, steps: tuple[int, ...], chosen: Hashable) -> Hashable:
        return chosen._replace(span=results.span(view.run.id, steps, view.split, view.shown, _spot(chosen.name)))

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        return _figure(view, chosen, chosen.channel, dark)

    def draw(self, view: View, options: Options) -> None:
        chosen, dark, key = self.settle(view, options), page.dark(), options.key(self.name)
        content = (view.place, chosen._replace(channel=None), dark)
        outlined = _outlined(key, content, chosen.channel)

        def clicked(points: list[dict]) -> None:
            number = int(points[0]["customdata"][0]) if points else None
            st.session_state[f"{key}-clicked"] = Click(content, outlined, number)
            options.choose("channel", number)

        page.show_made(
            lambda: _figure(view, chosen, outlined, dark),
            key,
            (content, outlined),
            clicked if channel.fits(view.layers[chosen.name]) else None,
        )
        self.say()
        self.more(view, chosen, options)

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        if chosen.span:
            st.caption(layer.ONE_SCALE)
        if chosen.channel is not None:
            channel.enlarge(view, chosen.name, chosen.channel, options)
        elif channel.fits(view.layers[chosen.name]):
            st.caption(channel.HINT)


def _figure(view: View, chosen: Chosen, outlined: int | None, dark: bool) -> go.Figure:
    grid = replace(layer.PAGE, each=chosen.each, clickable=True, chosen=outlined)
    return layer.figure(view, _spot(chosen.name), view.layers[chosen.name], grid, chosen.part, chosen.span, dark)


class Click(NamedTuple):
    """A click into a mosaic: what that was made from, what it outlined by itself, and the channel, None to close it."""

    content: Hashable
    outlined: int | None
    number: int | None


def _outlined(key: str, content: Hashable, channel: int | None) -> int | None:
    """The channel that a mosaic outlines by itself.

    The browser outlines what was clicked: then the mosaic stays as it is, and need not be drawn anew. Once something
    else than a click closed the channel, it must differ from the one before, so that it forgets the click.
    """
    last: Click | None = st.session_state.get(f"{key}-clicked")
    if last is None or last.content != content or last.outlined not in (None, NOTHING):
        return channel
    if last.number == channel:
        return last.outlined
    return NOTHING if channel is None and last.outlined is None else channel


def _told(planned: Planned) -> str:
    """What a layer takes and makes, in a line."""
    said = f"{planned.title}: {planned.given} values in, {planned.output} out."
    if not planned.receptive_field:
        return said
    size, what = planned.receptive_field, "pixels" if len(planned.receptive_field) == 2 else "steps"
    return f"{said} One output value sees {'×'.join(map(str, size))} input {what}."


def _spot(name: str) -> Spot:
    from explorer.probes import Spot

    return Spot(name, name)
