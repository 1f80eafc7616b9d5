"""Weights of convolutions, as small pictures."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from explorer.figures.examples import table
from explorer.figures.images import gallery
from explorer.figures.mosaic import mosaic
from explorer.views import results, travel
from explorer.views.layer import window
from explorer.views.looks.base import Look
from explorer.views.server import store

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.views.options import Options
    from explorer.views.view import View


class Chosen(NamedTuple):
    """All choices: the convolution, the input channel or None for colours, the change, first and last filter, and the
    end of the scale, None for as it fits.
    """

    name: str
    channel: int | None
    changed: bool
    part: tuple[int, int]
    limit: float | None = None


class FilterWeights(Look):
    """The weights of each filter of a convolution, as it slides over one channel of what it reads: warm weights add
    what they lie on to the map, cool ones subtract it. In colour, grey is a weight of zero.
    """

    name = "filters"
    title = "Filters"
    order = 2
    misleads = "Beyond the first layer a filter reads maps, not pixels, so its picture is hard to read by itself."

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if convolutions(view.run.id) else "it has no convolution."

    def settle(self, view: View, options: Options) -> Hashable:
        names = convolutions(view.run.id)
        name = options.one("layer", "Layer", names)
        weights = results.filters(view.run.id, view.step, name).weights  # (out, in, h, w) or (out, in, length)
        channel, last = 0, weights.shape[1] - 1
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("filter-choices")):
            coloured = False
            if name == names[0] and view.dataset.modality == "image" and last == 2:
                coloured = options.switch(
                    "colour", "In colour", True, help="The filter on red, green and blue at once."
                )
            if last and not coloured:
                channel = options.number("reads", f"Input channel (0 to {last})", 0, last, width=220)
            changed = options.switch(
                "change",
                "Change since the start",
                help=f"The weights less those at step {view.steps[0]}"
                + (f": {view.begins}." if view.steps[0] == 0 else ", the first that is kept."),
            )
        part = window(len(weights), "filters", options=options)
        chosen = Chosen(name, None if coloured else channel, changed, part)
        return self.together(view, view.sampled, chosen) if travel.current().still else chosen

    def together(self, view: View, steps: tuple[int, ...], chosen: Hashable) -> Hashable:
        strongest = [np.abs(_weights(replace(view, step=step), chosen)).max() for step in steps]
        return chosen._replace(limit=float(max(strongest)))

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        name, channel, changed, part, limit = chosen
        weights = _weights(view, chosen)
        shown, limit = weights[slice(*part)], limit or float(np.abs(weights).max())
        labels = [f"{n}" for n in range(*part)]
        what = "Change of the filters" if changed else "Filters"
        title, alt = f"{what} of {name}", f"{what} of {name}, as weights"
        if channel is None:
            return gallery(0.5 + shown / (2 * limit or 1.0), labels, f"{title}, in colour", alt, columns=8, dark=dark)
        title, alt = f"{title} on input channel {channel}", f"{alt} for input channel {channel}."
        if weights.ndim == 3:  # of a series: one row for each filter
            places = [f"{n}" for n in range(weights.shape[2])]
            return table(
                shown[:, channel], places, title, alt, dark, rows=labels, axis="filter", limit=limit, signed=True
            )
        return mosaic(shown[:, channel], labels, title, alt, scale="signed", limit=limit, dark=dark)

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        first = view.steps[0]
        if view.step == first:
            return
        now, before = (results.filters(view.run.id, step, chosen.name) for step in (view.step, first))
        whole, each = now.change(before)
        most, least = int(each.argmax()), int(each.argmin())
        st.markdown(
            f"Since step {first} the weights of {chosen.name} have moved by **{whole:.0%}** of their norm: filter "
            f"{most} the most ({each[most]:.0%}), filter {least} the least ({each[least]:.0%})."
        )


def _weights(view: View, chosen: Chosen) -> np.ndarray:
    """Weights of all filters, or how they have changed."""
    weights = results.filters(view.run.id, view.step, chosen.name).weights
    return weights - results.filters(view.run.id, view.steps[0], chosen.name).weights if chosen.changed else weights


@st.cache_data(max_entries=64, show_spinner=False)
def convolutions(run_id: str) -> list[str]:
    """Names of the convolutions of a run's model."""
    from explorer import probes
    from explorer.data import dataset_of
    from explorer.models import build

    spec = store().get(run_id).spec
    return probes.convolutions(build(spec.model, dataset_of(spec)))
