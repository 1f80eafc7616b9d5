"""The examples that excite a channel, a unit or a class most, and where in them it is strongest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st
import torch

from explorer.figures.examples import bars, small_series
from explorer.figures.images import gallery
from explorer.views import channel, opened, page, results
from explorer.views.copies import highlighted
from explorer.views.layer import LARGE_TILE

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.figures.mosaic import Box
    from explorer.probes.ascent import Goal
    from explorer.probes.strongest import Peaks
    from explorer.views.options import Options
    from explorer.views.view import View

FIRST = 9
"""Examples shown."""
AROUND = 20
"""Most tokens of a text on each side of the strongest."""
LETTERS = 8
"""Letters of a class that fit above a small picture."""


def named(view: View, goal: Goal) -> str:
    """What is excited, in words."""
    if goal.layer:
        what = "channel" if channel.fits(view.layers[goal.layer]) else "unit"
        return f"{what} {goal.channel} of {goal.layer}"
    return f"class {view.dataset.classes[goal.channel]}" if view.dataset.classes else "a high answer"


def examples(view: View, goal: Goal, found: Peaks, options: Options) -> None:
    """The examples of the split that excite it most, the strongest first."""
    rows = found.first(goal.channel, FIRST)
    title = f"The strongest of the {view.split} split"
    if view.dataset.modality == "vector":
        st.markdown(f"**{title}**")
        opened.list_of(
            view,
            rows,
            lambda row: f"Example {row}: {found.values[row, goal.channel]:.3g}",
            options.key(f"first-{view.run.id}"),
        )
        return
    boxes = []
    if found.places.shape[2]:
        box = _place_box(view, goal.layer) if goal.sequence else channel.path(view.run.id, goal.layer).field
        boxes = [box(tuple(found.places[row, goal.channel].tolist())) for row in rows.tolist()]
    part, dark = view.dataset.split(view.split), page.dark()
    labels = [_label(view, found, goal, int(row)) for row in rows]

    def make() -> go.Figure:
        alt = f"The {len(rows)} examples of the {view.split} split that excite {named(view, goal)} most."
        inputs = part.inputs[rows].numpy()
        if view.dataset.modality == "series":
            return small_series(inputs, labels, title, alt, columns=3, boxes=boxes, dark=dark)
        return gallery(inputs, labels, title, alt, columns=3, tile=LARGE_TILE, boxes=boxes, dark=dark)

    page.show_made(make, options.key("first"), (view.run.id, view.step, view.split, goal, dark))
    numbers = ", ".join(str(row) for row in rows)
    where = " Outlined is the place where it is strongest." if goal.sequence and any(boxes) else ""
    st.caption(f"Above each: how strong it is, and its true class. Row by row they are the examples {numbers}.{where}")


def _place_box(view: View, layer: str) -> Callable[[tuple[int, ...]], Box | None]:
    """Which part of an image or a series stands at a place of a sequence; none does at a class token, or where the
    places are no part of it any more.
    """
    from explorer.probes import places_at

    sides = view.input.shape[2:]
    places = places_at(list(view.layers.values()), layer, view.dataset, ()).known(view.layers[layer].output.size[0])

    def box(at: tuple[int, ...]) -> Box | None:
        (place,) = at
        if places.what not in ("patch", "step", "row") or (places.token and place == 0):
            return None
        spot = places.spots[place].astype(int).tolist()
        grid = places.grid or (sides[0] if places.what == "row" else len(places) - places.token,)
        lengths = [side // count for side, count in zip(sides, grid, strict=False)]
        ends = [(n * length, (n + 1) * length) for n, length in zip(spot, lengths, strict=True)]
        return (*ends, *((0, side) for side in sides[len(ends) :]))

    return box


# -- texts ------------------------------------------------------------------------------------------------------------


def strongest(view: View, goal: Goal, dark: bool) -> go.Figure:
    """How strong it is in the examples that excite it most."""
    found = peaks(view.run.id, view.step, view.split, goal.layer)
    rows = found.first(goal.channel, FIRST)
    values, what = found.values[rows, goal.channel], named(view, goal)
    said = ", ".join(f"{row}: {value:.3g}" for row, value in zip(rows.tolist(), values.tolist(), strict=True))
    axis = "value at its strongest token" if goal.sequence else "value"
    if not goal.layer:
        axis = "logit" if view.dataset.classes else "answer, standardised"
    alt = f"The {view.split} examples that excite {what} most. {said}."
    return bars(values, [f"example {row}" for row in rows], f"The strongest for {what}", axis, alt, dark)


def texts(view: View, goal: Goal, found: Peaks, options: Options) -> None:
    """The texts that excite it most, each with the token at which it is strongest."""
    rows = found.first(goal.channel, FIRST)

    def told(row: int) -> str:
        return _marked(view, goal.layer, row, int(found.places[row, goal.channel, 0]))

    def label(row: int) -> str:
        return page.plain(f"{row}: {found.values[row, goal.channel]:.3g}")

    opened.list_of(view, rows, label, options.key(f"first-{view.run.id}"), told if goal.sequence else None)


def _marked(view: View, layer: str, row: int, place: int) -> str:
    """A text as markdown, with one of its tokens marked; of a decoder's layer it is the right translation."""
    from explorer.data import PAD, by_character
    from explorer.probes import places_at

    part, decodes = view.dataset.split(view.split), layer.startswith("decoder.")
    source = [token for token in part.inputs[row].tolist() if token != PAD]
    written = [token for token in part.targets[row, :-1].tolist() if token != PAD] if decodes else ()
    places = places_at(list(view.layers.values()), layer, view.dataset, source, written)
    gap = "" if by_character(view.dataset.target_vocabulary if decodes else view.dataset.vocabulary) else " "
    first = int(places.token and place > 0)  # a class token is no part of the text
    begin, end = max(first, place - AROUND), min(len(places), place + AROUND + 1)
    text = highlighted(places.names[begin:end], [n == place for n in range(begin, end)], gap)
    text = "…" * (begin > first) + text + "…" * (end < len(places))
    return f"{page.plain(view.dataset.text(part.inputs[row]))} → {text}" if decodes else text


def _label(view: View, found: Peaks, goal: Goal, row: int) -> str:
    from explorer.figures.theme import as_text

    truth = view.dataset.answer(view.dataset.split(view.split).targets[row])
    return f"{found.values[row, goal.channel]:.3g} · {as_text(truth, LETTERS)}"


@st.cache_data(
    max_entries=results.KEPT_LARGE,
    max_size=results.KEPT_BYTES,
    show_spinner="Looking through every example",
    show_time=True,
)
def peaks(run_id: str, step: int, split: str, layer: str) -> Peaks:
    """Where each channel of a layer, or each class, is strongest in every example of a split."""
    from explorer.data import dataset_of
    from explorer.models import plan
    from explorer.probes.representation import positions
    from explorer.probes.strongest import peaks
    from explorer.views.server import store

    spec = store().get(run_id).spec
    dataset = dataset_of(spec)
    part = dataset.split(split)
    written = (part.targets[:, :-1],) if dataset.task == "translation" else ()
    shape = next((one.output for one in plan(spec.model, dataset).layers if one.name == layer), None)
    known = None
    if shape and shape.kind == "sequence":
        known = positions(part, torch.arange(len(part)), layer, shape.size[0])
        known = torch.ones(len(part), shape.size[0], dtype=torch.bool) if known is None else known
    return peaks(results.rebuilt(run_id, step, per_class=not layer), part.inputs, layer, *written, known=known)
