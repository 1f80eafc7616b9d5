"""What each layer puts out: feature maps of a convolution, values of other layers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import layer, results
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Spot
    from explorer.views.options import Options
    from explorer.views.view import View

MANY = 20
"""Up to so many layers are all seen at once."""


class Layers(Look):
    """What one layer puts out for this example: a convolution one map for each of its channels, where bright or warm
    means that the channel finds what it looks for at that place. All are on one scale, so a dim map is truly weak.
    """

    name = "layers"
    title = "Feature maps"
    order = 1
    misleads = "A map shows what a channel responds to, not that the answer depends on it."

    def settle(self, view: View, options: Options) -> Hashable:
        name = options.one("layer", "Layer", list(view.layers), few=MANY)
        chosen, spot = view.layers[name], _spot(name)
        st.caption(
            f"{chosen.title}: {chosen.given} values in, {chosen.output} out."
            + (
                f" One output value sees {'×'.join(map(str, chosen.receptive_field))} input "
                f"{'pixels' if len(chosen.receptive_field) == 2 else 'steps'}."
                if chosen.receptive_field
                else ""
            )
        )
        values, part = results.seen(*view.place, spot), (0, 0)
        if values.ndim == 3:
            part = layer.window(len(values), "channels", options.key(f"maps-{view.run.id}-{name}"))
        return name, part, layer.span_of(view, spot)

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        name, part, span = chosen
        return layer.figure(view, _spot(name), view.layers[name], layer.PAGE, part, span, dark)

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        if chosen[2]:
            st.caption(layer.ONE_SCALE)


def _spot(name: str) -> Spot:
    from explorer.probes import Spot

    return Spot(name, name)
