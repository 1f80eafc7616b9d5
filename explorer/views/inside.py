"""Feature maps and filters of one layer."""

from __future__ import annotations

import streamlit as st

from explorer.figures.images import mosaic
from explorer.models import plan
from explorer.probes import Spot
from explorer.views import example, page, results
from explorer.views.layer import draw, window
from explorer.views.view import View


def inside(view: View) -> None:
    """Choose a layer; see the example, what the layer makes of it, and the layer's filters."""
    layers = plan(view.run.spec.model, view.dataset).layers
    names = [layer.name for layer in layers]
    layer = st.segmented_control("Layer", names, default=names[0], key=_key(view), required=True)
    planned = layers[names.index(layer)]
    left, right = st.columns([1, 3])
    with left:
        example.example_picture(view, width=180)
        st.caption(
            f"{planned.title}: {planned.given} values in, {planned.output} out. "
            + (
                f"One output value sees {'×'.join(map(str, planned.receptive_field))} input "
                f"{'pixels' if len(planned.receptive_field) == 2 else 'steps'}."
                if planned.receptive_field
                else ""
            )
        )
    with right:
        draw(view, Spot(layer, layer), planned)
    if planned.role == "conv" and planned.given.kind == "image":
        _filters(view, layer)


def _key(view: View) -> str:
    """The layer is remembered for each run: another run may have other layers."""
    return f"layer-of-{view.run.id}"


def _filters(view: View, layer: str) -> None:
    inner = "conv1" if layer.startswith("residual") else ""
    name = f"{layer}.{inner}" if inner else layer
    weights = results.filters(view.run.id, view.step, name).weights  # (out, in, h, w)
    inputs = weights.shape[1]
    st.markdown(
        f"**Filters of {name}**: {weights.shape[0]} filters, each {inputs}×{weights.shape[2]}×{weights.shape[3]}."
    )
    channel = 0
    if inputs > 1:
        channel = st.number_input(
            f"Input channel (0 to {inputs - 1})",
            0,
            inputs - 1,
            key=f"filter-channel-{view.run.id}-{name}",
            help="A filter has one small picture for each channel it reads; this chooses which to draw.",
            width=220,
        )
    shown = window(len(weights), "filters", f"filters-{view.run.id}-{name}")
    figure = mosaic(
        weights[slice(*shown), channel],
        [f"{n}" for n in range(*shown)],
        f"Filters on input channel {channel}",
        f"Weights of the filters of {name} for input channel {channel}.",
        scale="signed",
        limit=float(abs(weights).max()),
        dark=page.dark(),
    )
    page.show(figure, key="filters")
    st.caption("Warm weights add what they see to the map, cool ones subtract it.")
