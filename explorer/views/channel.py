"""One channel of a layer, large: what excites it in this example, and how one of its values comes about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from explorer.figures import sums
from explorer.figures.enlarged import Panel, lines, pictures
from explorer.views import page, results
from explorer.views.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.probes import Spot
    from explorer.probes.arithmetic import Sum, Winners
    from explorer.probes.receptive import Path
    from explorer.views.options import Options

HINT = (
    "Choose a channel, or click its map or row (on a touch screen, tap it twice), to see it large, what excites it in "
    "this example, and how its values come about."
)
DETAILED = 3
"""Input channels whose products are written out: those that add or take away most."""
BLOCK = {
    "conv1": ("First convolution", ("norm1", "relu1")),
    "conv2": ("Second convolution", ("norm2",)),
    "skip": ("Skip", ()),
}
"""Convolutions of a residual block, whose outputs have one shape: in words, and all that changes their values."""
INNER = {"norm1": "Batch norm", "relu1": "ReLU", "norm2": "Batch norm"}
INPUTS = 8
"""Most input channels drawn."""
Place = tuple[int, ...]


def fits(planned: Planned) -> bool:
    """Whether a layer has channels over an image or a series."""
    return planned.output.kind in ("image", "series")


def enlarge(view: View, name: str, channel: int, options: Options) -> None:
    """Draw a channel beside the input, and take one of its values apart: where it is strongest, unless another is
    chosen.
    """
    values = results.seen(*view.place, _spot(name))[channel]
    st.markdown(f"#### Channel {channel} of {name}")
    at = _place(values, options)
    dark = page.dark()

    def clicked(points: list[dict]) -> None:
        for point in points[:1]:
            for axis, place in zip(_axes(values), point["customdata"], strict=True):
                options.choose(axis, int(place))

    page.show_made(
        lambda: _figure(view, name, channel, at, dark),
        options.key("channel"),
        (view.place, name, channel, at, dark),
        clicked,
    )
    _explain(view, name, channel, at, float(values[at]), options)


def _axes(values: np.ndarray) -> tuple[str, ...]:
    return ("row", "column") if values.ndim == 2 else ("place",)


def _place(values: np.ndarray, options: Options) -> Place:
    """Choose a value of a map (H, W) or (L,); where none is chosen it is the largest."""
    strongest = np.unravel_index(values.argmax(), values.shape)
    with st.container(horizontal=True, key=options.key("channel-place")):
        chosen = [
            options.maybe(
                axis, f"{axis.capitalize()} (0 to {side - 1})", 0, side - 1, width=160, placeholder=f"strongest: {best}"
            )
            for axis, side, best in zip(_axes(values), values.shape, strongest, strict=True)
        ]
    return tuple(int(best) if one is None else one for one, best in zip(chosen, strongest, strict=True))


# -- the pictures -----------------------------------------------------------------------------------------------------


def _figure(view: View, name: str, channel: int, at: Place, dark: bool) -> go.Figure:
    """The input with the receptive field, what a max pool chose from, and the channel."""
    values = results.seen(*view.place, _spot(name))  # all channels, whose scale it has
    field = path(view.run.id, name).field(at)
    size = "×".join(str(end - first) for first, end in field)
    shown = [Panel(f"{said}, {size} of it seen", part, box=field) for said, part in _parts(view.input[0].numpy())]
    if view.layers[name].kind == "maxpool":
        chosen = winners(*view.place, name)
        given, dots = chosen.given, chosen.places[channel].reshape(-1, values.ndim - 1)
        window = tuple((part.start, part.stop) for part in chosen.window(at))
        limit = float(np.abs(given).max())
        shown.append(Panel("Given; dots are kept", given[channel], limit=limit, box=window, dots=dots))
    one = tuple((place, place + 1) for place in at)
    limit = float(np.abs(values).max())
    shown.append(Panel(f"Channel {channel}", values[channel], limit=limit, box=one, clickable=True))
    draw = pictures if values.ndim == 3 else lines
    return draw(
        shown,
        f"{name}, channel {channel}: value at {', '.join(map(str, at))}",
        f"The input with the {size} that a value of channel {channel} of {name} depends on outlined, and the channel.",
        dark,
    )


def _parts(x: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """The channels of an input, each with a title: of an image in colour all in one, else the first of many."""
    if len(x) == 1 or (x.ndim == 3 and len(x) == 3):
        return [("Input", x[0] if len(x) == 1 else x)]
    return [(f"Input channel {n} of {len(x)}", one) for n, one in enumerate(x[:INPUTS])]


# -- how a value comes about ------------------------------------------------------------------------------------------


class Chain(NamedTuple):
    """A convolution and the layers behind it that change each value by itself."""

    convolution: str
    following: tuple[str, ...]


def chain(layers: dict[str, Planned], name: str) -> Chain | None:
    """The convolution that the values of a layer come from one by one, and all that changes them; None if there is
    none.
    """
    names = list(layers)
    first = names.index(name)
    while first and _single(layers[names[first]]):
        first -= 1
    if layers[names[first]].kind != "conv":
        return None
    end = first + 1
    while end < len(names) and _single(layers[names[end]]):
        end += 1
    return Chain(names[first], tuple(names[first + 1 : end]))


def _single(planned: Planned) -> bool:
    return planned.kind in ("batchnorm", "dropout") or planned.role == "bend"


def _explain(view: View, name: str, channel: int, at: Place, value: float, options: Options) -> None:
    kind, where = view.layers[name].kind, ", ".join(map(str, at))
    if found := chain(view.layers, name):
        _convolution(view, found, channel, at)
    elif kind == "maxpool":
        chosen = winners(*view.place, name)
        part = chosen.given[channel][chosen.window(at)]
        within = tuple(
            int(place - window.start)
            for place, window in zip(chosen.places[channel][at], chosen.window(at), strict=True)
        )
        st.markdown(f"The value at {where} is **{value:.4g}**, the largest of its window; the others are dropped.")
        if (part == part.max()).sum() > 1:
            st.caption(
                "Several are equally large; the first of them counts as kept, and gets the gradient in training."
            )
        st.html(sums.window(part, within, page.dark()))
    elif kind == "residual":
        added, skipped = (
            float(results.seen(*view.place, _spot(f"{name}.{inner}"))[(channel, *at)]) for inner in ("norm2", "skip")
        )
        st.markdown(
            f"The value at {where}: the two convolutions add {added:+.4g} to the {skipped:.4g} that skips them, "
            f"{added + skipped:.4g} in all; ReLU makes **{value:.4g}** of it."
        )
        same = view.layers[name].given.size == view.layers[name].output.size  # then nothing is computed on the way past
        known = [inner for inner in BLOCK if inner != "skip" or not same]
        inner = options.one("inside", "Worked out", known, "conv2", words=lambda one: BLOCK[one][0])
        _convolution(view, Chain(f"{name}.{inner}", tuple(f"{name}.{one}" for one in BLOCK[inner][1])), channel, at)
    else:
        st.markdown(f"The value at {where} is **{value:.4g}**.")


def _convolution(view: View, found: Chain, channel: int, at: Place) -> None:
    """patch × filter + bias → sum → what follows."""
    made = taken_apart(*view.place, found.convolution, channel, at)
    given, dark = len(made.patch), page.dark()
    adds = made.contributions
    st.markdown(_told(view, found, made, channel, at))
    if given > 1:
        st.html(sums.contributions(adds, [f"input channel {n}" for n in range(given)], dark))
        st.caption(f"What each of the {given} channels it reads adds (up, warm) or takes away (down, cool).")
    order = np.argsort(-np.abs(adds), kind="stable")[:DETAILED]
    for number in order:
        if given > 1:
            st.markdown(f"Input channel {number}: **{adds[number]:+.4g}**")
        st.html(sums.product(made.patch[number], made.weights[number], dark))
    if given > DETAILED:
        rest = adds.sum() - adds[order].sum()
        st.caption(f"The other {given - DETAILED} channels together: {rest:+.4g}.")


def _told(view: View, found: Chain, made: Sum, channel: int, at: Place) -> str:
    """A value of a convolution and what becomes of it, in a line."""
    sides, given = "×".join(map(str, made.weights.shape[1:])), len(made.patch)
    over = f" on each of {given} channels" if given > 1 else ""
    said = (
        f"{found.convolution} lays its {sides} filter{over} on the patch around it: {made.weights.size} products add "
        f"up to {made.products.sum():.4g}; with the bias {made.bias:+.4g} that is **{made.total:.4g}**."
    )
    for name in found.following:
        value = float(results.seen(*view.place, _spot(name))[(channel, *at)])
        title = view.layers[name].title if name in view.layers else INNER[name.rpartition(".")[2]]
        said += f" {name} ({title}) makes **{value:.4g}** of it."
    return said


# -- cached -----------------------------------------------------------------------------------------------------------


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def path(run_id: str, layer: str) -> Path:
    """The way from the input of a run's model to a layer; it is the same at every step."""
    from explorer.data import dataset_of
    from explorer.models import build
    from explorer.probes.receptive import path_to
    from explorer.views.server import store

    spec = store().get(run_id).spec
    dataset = dataset_of(spec)
    return path_to(build(spec.model, dataset).eval(), dataset.test.inputs[:1], layer)


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def taken_apart(run_id: str, step: int, split: str, example: int, layer: str, channel: int, at: Place) -> Sum:
    """How one value of a convolution comes about."""
    from explorer.probes.arithmetic import convolution_at

    return convolution_at(results.rebuilt(run_id, step), results.input_of(run_id, split, example), layer, channel, at)


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner=False)
def winners(run_id: str, step: int, split: str, example: int, layer: str) -> Winners:
    """Which values a max pool keeps."""
    from explorer.probes import arithmetic

    return arithmetic.winners(results.rebuilt(run_id, step), results.input_of(run_id, split, example), layer)


def _spot(name: str) -> Spot:
    from explorer.probes import Spot

    return Spot(name, name.split(".")[0])
