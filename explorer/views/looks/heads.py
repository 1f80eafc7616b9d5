"""Where attention looks: every head small, one of them enlarged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.figures import attention as figures
from explorer.figures.examples import table
from explorer.figures.shares import over_image, over_steps, over_words
from explorer.figures.theme import as_text
from explorer.views import attended, page, state, travel
from explorer.views.attended import MEAN, Attending

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Places
    from explorer.views.options import Options
    from explorer.views.view import View

ALL = -1
"""Stands for all places among the numbers of those that look."""
FORMS = {"map": "Map", "lines": "Lines", "place": "From one place"}


@dataclass(frozen=True)
class Chosen:
    """What is enlarged, and how.

    Attributes:
        layer: Short name of the attention.
        head: From 1, or the mean of all.
        form: One of `FORMS`.
        place: The place that looks, or all.
        limit: End of the scale; as it fits if None.
    """

    layer: str
    head: int
    form: str
    place: int
    limit: float | None = None


class AttentionHeads(Attending):
    """How much a place that looks takes from each place it looks at; what one place takes adds up to 1. In a map rows
    look at columns: the small maps are on one scale, the enlarged one has its own. The wider a line, the more is taken;
    a click on a place on the left shows only its own.
    """

    name = "heads"
    title = "Attention"
    order = 30

    def settle(self, view: View, options: Options) -> Chosen:
        found = attended.maps(*view.place)
        names = list(found)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("heads-choice")):
            layer = attended.choose_layer(options, names)
            weights = found[layer].weights
            head = attended.choose_head(options, len(weights))
            looking, seen = attended.places(view, found[layer])
            forms = FORMS if len(looking) > 1 else {"place": FORMS["place"]}
            words = FORMS | ({"place": "On the image"} if seen.grid else {})
            form = options.one("form", "Shown as", list(forms), words=words.__getitem__) if len(forms) > 1 else "place"
            place = ALL
            if form != "map" and len(looking) > 1:
                every = "all places" if form == "lines" else "mean of all"
                place = attended.choose_place(options, looking, "Looking from", every)
        chosen = Chosen(layer, head, form, place)
        return self.together(view, view.sampled, chosen) if travel.current().still else chosen

    def together(self, view: View, steps: tuple[int, ...], chosen: Chosen) -> Chosen:
        views = [replace(view, step=step) for step in steps]
        return replace(chosen, limit=max(float(_shown(one, chosen).max()) for one in views))

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        return _DRAWN[chosen.form](view, chosen, dark)

    def draw(self, view: View, options: Options) -> None:
        chosen = self.settle(view, options)
        found = attended.maps(*view.place)
        if sum(len(seen.weights) for seen in found.values()) > 1:
            layer = list(found).index(chosen.layer)
            made = partial(
                figures.grid,
                [seen.weights for seen in found.values()],
                list(map(attended.said, found)),
                (layer, chosen.head - 1),
                dark=page.dark(),
            )
            _clickable(made(), "heads-grid", options, partial(_to_head, list(found), options))
            st.caption("Click a small map to enlarge it; on a touch screen, tap it twice.")
        if chosen.form == "map":
            self.show(view, chosen, options.key(self.name))
        else:
            figure = self.figure(view, chosen, page.dark())
            _clickable(figure, self.name, options, partial(_to_place, chosen, options))
        self.say()
        self.onward()


# -- clicks -----------------------------------------------------------------------------------------------------------


def _clickable(figure: go.Figure, name: str, options: Options, chosen: Callable[[list[dict[str, Any]]], None]) -> None:
    """Draw a figure whose points can be clicked; not while steps are played, when it would blink."""
    if state.playing():
        page.show(figure, options.key(name))
    else:
        page.choose(figure, f"{options.key(name)}-{state.option_revision()}", chosen)


def _to_head(names: list[str], options: Options, points: list[dict[str, Any]]) -> None:
    if at := points[0].get("customdata"):
        layer, head = at
        options.choose("attention", names[int(layer)])
        options.choose("head", int(head) + 1)


def _to_place(chosen: Chosen, options: Options, points: list[dict[str, Any]]) -> None:
    if at := points[0].get("customdata"):
        options.choose("place", ALL if int(at[0]) == chosen.place else int(at[0]))


# -- one head, enlarged -----------------------------------------------------------------------------------------------


def _shown(view: View, chosen: Chosen) -> np.ndarray:
    """Weights (L, S) of the chosen head."""
    weights = attended.maps(*view.place)[chosen.layer].weights
    return weights.mean(0) if chosen.head == MEAN else weights[chosen.head - 1]


def _named(view: View, chosen: Chosen) -> tuple[str, Places, Places]:
    """What is enlarged, in words, and the names of its places."""
    seen = attended.maps(*view.place)[chosen.layer]
    words = attended.said(chosen.layer) + attended.head_said(chosen.head, len(seen.weights))
    return words, *attended.places(view, seen)


def _map(view: View, chosen: Chosen, dark: bool) -> go.Figure:
    said, looking, seen = _named(view, chosen)
    return table(
        _shown(view, chosen),
        seen.labels,
        said,
        f"Attention weights of {said}: rows look at columns.",
        dark,
        rows=looking.labels,
        axis="place that looks",
        limit=chosen.limit,
        signed=False,
    )


def _lines(view: View, chosen: Chosen, dark: bool) -> go.Figure:
    said, looking, seen = _named(view, chosen)
    place = None if chosen.place == ALL else attended.within(chosen.place, looking)
    if place is not None:
        said += f" · from {as_text(looking.names[place])}"
    return figures.lines(_shown(view, chosen), looking.labels, seen.labels, said, place, dark)


def _from_place(view: View, chosen: Chosen, dark: bool) -> go.Figure:
    said, looking, seen = _named(view, chosen)
    weights = _shown(view, chosen)
    place = attended.within(chosen.place, looking)
    values = weights.mean(0) if place == ALL else weights[place]
    if len(looking) > 1:
        said += " · mean place" if place == ALL else f" · from {as_text(looking.names[place])}"
    return over_places(view, values, seen, said, "weight", place, chosen.limit, dark)


def over_places(
    view: View,
    values: np.ndarray,
    places: Places,
    title: str,
    axis: str,
    chosen: int = ALL,
    limit: float | None = None,
    dark: bool = False,
) -> go.Figure:
    """Values of the places that a model reads, as fits what they are: over the image, under the series, by the words.

    Args:
        view: What is looked at.
        values: (L,), none negative.
        places: What they are called.
        title, axis: What is seen, and what the values are.
        chosen: A place that is marked, or none.
        limit: End of the colours' scale; the largest value if None.
        dark: Whether the page is dark.
    """
    mark = None if chosen == ALL else chosen
    if places.grid:
        first = int(places.token)
        more = {"note": f"class token {values[0]:.2g}" if first else "", "first": first, "limit": limit, "dark": dark}
        patches, image = values[first:].reshape(places.grid), view.input[0].numpy()
        return over_image(patches, places.names[first:], image, title, axis, mark, **more)
    if places.what == "step":
        series = view.input[0, 0].numpy() if view.dataset.modality == "series" else None
        return over_steps(values, places.names, series, title, axis, mark, dark)
    return over_words(values, places.names, title, axis, mark, dark)


_DRAWN: dict[str, Callable[[View, Chosen, bool], go.Figure]] = {"map": _map, "lines": _lines, "place": _from_place}
