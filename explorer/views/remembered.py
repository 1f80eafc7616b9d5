"""What the recurrent layers of a run remember of an example: what looks at them share."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.errors import SnapshotError
from explorer.figures.over_time import Read, one_unit
from explorer.views import page, results, state, travel
from explorer.views.options import Options
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.data.made import Example
    from explorer.probes import Memory
    from explorer.views.looks.base import Look

TITLES = {
    "hidden_state": "Hidden state",
    "cell_state": "Cell state",
    "input_gate": "Input gate",
    "forget_gate": "Forget gate",
    "output_gate": "Output gate",
    "reset_gate": "Reset gate",
    "update_gate": "Update gate",
    "candidate": "Candidate",
}
"""What people call the parts of a layer."""
READERS = ("rows", "patches", "steps")
"""Layers that make places out of images and series."""


def why_not(view: View) -> str | None:
    """Why nothing is remembered from place to place, or None if something is."""
    roles = {layer.role for layer in view.layers.values()}
    if "recurrent" in roles:
        return None
    how = "it sees all places at once" if "attention" in roles else "it sees its whole input at once"
    return f"{how}: no recurrent layer reads one place after the other and keeps a state."


@st.cache_data(max_entries=64, show_spinner=False)
def layers(run_id: str) -> dict[str, tuple[str, ...]]:
    """Recurrent layers of a run's model, with the parts that can be seen in each."""
    from explorer.data import dataset_of
    from explorer.models import build
    from explorer.probes import parts_of, recurrent_layers
    from explorer.views.server import store

    spec = store().get(run_id).spec
    model = build(spec.model, dataset_of(spec))
    return {layer: parts_of(model, layer) for layer in recurrent_layers(model)}


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner=False)
def memory(run_id: str, step: int, split: str, example: Example, layer: str) -> Memory:
    """Everything inside a recurrent layer for an example; in a decoder while the right translation is written, or of a
    changed copy the model's own.
    """
    from explorer import probes

    x, *more = results.given(run_id, split, example, step)
    return probes.memory(results.rebuilt(run_id, step), x, layer, *more)


def working(words: str) -> AbstractContextManager:
    """Say that something takes a while; not while steps are played, where it would come and go with each."""
    return nullcontext() if state.playing() else st.spinner(words, show_time=True)


def choose_layer(view: View, options: Options) -> str:
    """Choose one of the recurrent layers, if there are several."""
    known = list(layers(view.run.id))
    if len(known) == 1:
        return options.value("memory", known, known[0], "Layer")
    return options.one("memory", "Layer", known, words=in_words, few=4)


def choose_part(view: View, layer: str, options: Options, **widget: Any) -> str:
    """Choose one of the parts of a layer, if there are several."""
    known = layers(view.run.id)[layer]
    if len(known) == 1:
        return known[0]
    return options.one("part", "Part", known, words=TITLES.__getitem__, **widget)


def limit(view: View, layer: str, part: str) -> float:
    """End of one scale for every step of training: 1 for all that is bounded, for cell states the largest magnitude at
    any of a few steps.
    """
    if part != "cell_state":
        return 1.0
    return _largest(view.run.id, tuple(sorted({*view.sampled, *view.spread})), view.split, view.shown, layer)


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _largest(run_id: str, steps: tuple[int, ...], split: str, example: Example, layer: str) -> float:
    found = 0.0
    for step in steps:
        with suppress(SnapshotError):  # of those dropped meanwhile nothing is said
            values = memory(run_id, step, split, example, layer).parts["cell_state"]
            found = max(found, float(np.abs(values).max()))
    return found


def steps_compared(view: View) -> tuple[int, ...]:
    """Steps that are seen together, so that they need one scale: side by side, or played one after the other."""
    if state.option("steps") == "True":
        return view.spread
    return view.sampled if travel.current().still else ()


def in_words(layer: str) -> str:
    """A recurrent layer in words: ``lstm1.back2`` is the way back of the second of those stacked in lstm1."""
    name, _, way = layer.rpartition(".")
    for direction in ("ahead", "back"):
        number = way.removeprefix(direction)
        if way.startswith(direction) and number.isdecimal():
            return f"{name}, {direction}" + (f", level {number}" if number != "1" else "")
    return layer


def read_of(view: View, layer: str, count: int) -> Read:
    """What a recurrent layer reads at each of its `count` places."""
    dataset = view.dataset
    if layer.startswith("decoder."):
        return _text([dataset.target_vocabulary[token] for token in view.written if token], count)
    if dataset.modality == "tokens":
        return _text([dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()], count)
    places = tuple(map(str, range(count)))
    kinds = {planned.kind: planned for planned in view.layers.values()}
    reader = next((kinds[kind] for kind in READERS if kind in kinds), None)
    if reader is None or "cls" in kinds:
        return Read(places)
    values = view.input[0].numpy()
    if reader.kind == "steps":
        return Read(places, series=values)
    image = values.mean(axis=0).clip(0, 1)  # (H, W)
    if reader.kind == "rows":
        return Read(places, picture=image.T)
    side, pixels = reader.call.args[2], image.shape
    if reader.given.size[1:] != pixels:
        return Read(places)
    tiles = image.reshape(pixels[0] // side, side, pixels[1] // side, side).transpose(1, 0, 2, 3)
    return Read(places, picture=tiles.reshape(side, -1))


def _text(words: list[str], count: int) -> Read:
    words = ["class token", *words] if count == len(words) + 1 else words
    if count != len(words):
        return Read(tuple(map(str, range(count))))
    return Read(tuple("␣" if word.isspace() else word for word in words), words=True)


def draw_clickable(look: Look, view: View, chosen: Hashable, options: Options) -> None:
    """Draw the figure of a look; a click on a bar in it chooses the unit."""

    def clicked(points: list[dict[str, Any]]) -> None:
        options.choose("unit", points[0]["customdata"][0])

    dark = page.dark()
    content = (view.place, chosen, dark)
    page.show_made(lambda: look.figure(view, chosen, dark), options.key(look.name), content, clicked)


def draw_unit(view: View, layer: str, unit: int, key: str, marks: np.ndarray | None = None) -> None:
    """Draw one unit over the places, with all its parts."""
    from explorer.probes.recurrent import GATES

    found, dark = memory(*view.place, layer), page.dark()
    parts = {TITLES[part]: values[:, unit] for part, values in found.parts.items()}
    gates = [TITLES[part] for part in found.parts if part in GATES]
    room = max(1.0, *(limit(view, layer, part) for part in found.parts)) if steps_compared(view) else None

    def figure() -> Any:
        return one_unit(
            parts,
            gates,
            read_of(view, layer, len(found.parts["hidden_state"])),
            f"Unit {unit} of {in_words(layer)}, place by place",
            f"State of unit {unit} of {in_words(layer)} at each place" + (", and its gates." if gates else "."),
            marks=marks,
            limit=room,
            dark=dark,
        )

    page.show_made(figure, key, (view.place, layer, unit, None if marks is None else marks.tobytes(), room, dark))
