"""Every attention head in two numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.figures.heads import numbers
from explorer.views import attended
from explorer.views.attended import Attending

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.views.options import Options
    from explorer.views.view import View

UNITS = {"share": "Share of the highest", "nats": "Nats"}


class Summary(Attending):
    """For every head of every layer, the mean over the places that look: its entropy, which is 0 where it looks at one
    place only and highest where it looks at all alike; and how far away what it looks at is, which tells local heads
    from global ones.
    """

    name = "summary"
    title = "Attention summary"
    order = 32

    def settle(self, view: View, options: Options) -> str:
        return options.one("unit", "Entropy as", list(UNITS), words=UNITS.__getitem__)

    def figure(self, view: View, chosen: str, dark: bool) -> go.Figure:
        from explorer.probes import heads

        found = attended.maps(*view.place)
        measured, unit = [], "places"
        for seen in found.values():
            looking, offered = attended.places(view, seen)
            same = looking == offered
            if same:
                unit = f"{looking.what}s"
            measured.append(heads(seen, looking.spots if same else None))
        return numbers(
            list(map(attended.said, found)),
            [one.entropy for one in measured],
            [one.highest for one in measured],
            [one.distance for one in measured],
            unit,
            chosen == "share",
            dark,
        )
