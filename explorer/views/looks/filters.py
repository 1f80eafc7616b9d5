"""Weights of convolutions, as small pictures."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from explorer.figures.images import mosaic
from explorer.views import results
from explorer.views.layer import window
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.views.options import Options
    from explorer.views.view import View


class FilterWeights(Look):
    """The weights of each filter of a convolution, as it slides over one channel of what it reads: warm weights add
    what they lie on to the map, cool ones subtract it.
    """

    name = "filters"
    title = "Filters"
    order = 2
    misleads = "Beyond the first layer a filter reads maps, not pixels, so its picture is hard to read by itself."

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if _convolutions(view) else "it has no convolution over images."

    def settle(self, view: View, options: Options) -> Hashable:
        named = _convolutions(view)
        layer = options.one("layer", "Layer", list(named))
        weights = results.filters(view.run.id, view.step, named[layer]).weights  # (out, in, h, w)
        channel, last = 0, weights.shape[1] - 1
        if last:
            channel = options.number("channel", f"Input channel (0 to {last})", 0, last, width=220)
        return named[layer], channel, window(len(weights), "filters", options.key(f"filters-{view.run.id}-{layer}"))

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        name, channel, shown = chosen
        weights = results.filters(view.run.id, view.step, name).weights
        return mosaic(
            weights[slice(*shown), channel],
            [f"{n}" for n in range(*shown)],
            f"Filters of {name} on input channel {channel}",
            f"Weights of the filters of {name} for input channel {channel}.",
            scale="signed",
            limit=float(abs(weights).max()),
            dark=dark,
        )


def _convolutions(view: View) -> dict[str, str]:
    """The layers that have filters over images: by name, the module that holds them."""
    return {
        name: f"{name}.conv1" if name.startswith("residual") else name
        for name, layer in view.layers.items()
        if layer.role == "conv" and layer.given.kind == "image"
    }
