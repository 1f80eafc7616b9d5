"""Feature maps and filters of one layer."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.figures.examples import table
from explorer.figures.images import mosaic, units
from explorer.models import Planned, plan
from explorer.views import example, page, results
from explorer.views.view import View

SHOWN = 64
"""Most channels drawn at once."""


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
        _maps(view, layer, planned)
    if planned.role == "conv" and planned.given.kind == "image":
        _filters(view, layer)


def _key(view: View) -> str:
    """The layer is remembered for each run: another run may have other layers."""
    return f"layer-of-{view.run.id}"


def _maps(view: View, layer: str, planned: Planned) -> None:
    values = results.feature_maps(*view.place, layer).values
    if values.ndim == 1:
        page.show(
            units(values, f"The {len(values)} values of {layer}", f"Values of the units of {layer}.", page.dark()),
            key="maps",
        )
        return
    if values.ndim == 2:
        _positions(view, layer, planned, values)
        return
    shown = _window(len(values), "channels", f"maps-{view.run.id}-{layer}")
    labels = [f"{n}" for n in range(*shown)]
    figure = mosaic(
        values[slice(*shown)],
        labels,
        f"{layer}: {len(labels)} of {len(values)} channels, one scale",
        f"Feature maps of {layer} for this example.",
        limit=float(abs(values).max()),
        scale=_sign(values),
        dark=page.dark(),
    )
    page.show(figure, key="maps")


def _positions(view: View, layer: str, planned: Planned, values: np.ndarray) -> None:
    """A series (C, L) or a sequence (L, D): one row for each channel or column, one column for each place."""
    rows = values if planned.output.kind == "series" else values.T
    places = [str(place) for place in range(rows.shape[1])]
    if view.dataset.modality == "tokens" and rows.shape[1] == view.input.shape[1]:
        words = [view.dataset.vocabulary[token] for token in view.input[0].tolist()]
        rows, places = rows[:, : view.length], words[: view.length]
    figure = table(
        rows,
        places,
        f"{layer}: {rows.shape[0]} values at each of {rows.shape[1]} places",
        f"Values of {layer} at every place.",
        dark=page.dark(),
    )
    page.show(figure, key="maps")


def _sign(values: object) -> str:
    return "signed" if values.min() < 0 else "positive"


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
    shown = _window(len(weights), "filters", f"filters-{view.run.id}-{name}")
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


def _window(count: int, what: str, key: str) -> tuple[int, int]:
    """Which of many to draw: pages of `SHOWN`."""
    pages = -(-count // SHOWN)
    shown = st.pagination(pages, key=f"page-{key}") if pages > 1 else 1
    if pages > 1:
        st.caption(f"Page {shown} of {pages}: {count} {what} in all.")
    return (shown - 1) * SHOWN, min(shown * SHOWN, count)
