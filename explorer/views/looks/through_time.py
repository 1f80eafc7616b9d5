"""How much of the gradient of the loss reaches each hidden state."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from explorer.errors import SnapshotError
from explorer.figures.through_time import VANISHED, Line
from explorer.figures.through_time import through_time as drawn
from explorer.views import page, remembered, through_time
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.views.options import Options
    from explorer.views.view import View

ALL = "all"
MANY = 4
"""Of up to so many layers all are drawn at first, of more one: a picture has no more colours."""


class _Chosen(NamedTuple):
    layers: tuple[str, ...]
    smallest: float


class ThroughTime(Look):
    """How strongly the loss depends on each hidden state, from the first step that a layer reads to the last: the norm
    of its gradient, as a share of the largest, for this example and as the mean over several. On this scale a straight
    fall is a gradient that shrinks by the same factor with each step back; in the band it has vanished.
    """

    name = "through_time"
    title = "Gradient through time"
    order = 32
    misleads = (
        "What reaches a state is what can be learned from it, not whether it is of use: an answer may not depend on "
        "the first steps at all."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return remembered.why_not(view)

    def settle(self, view: View, options: Options) -> Hashable:
        known = list(remembered.layers(view.run.id))
        if len(known) > 1:
            every = [ALL] if len(known) <= MANY else []
            layer = options.one(
                "gradient",
                "Layer",
                [*every, *known],
                words=lambda name: "All" if name == ALL else remembered.in_words(name),
                few=0,
                width=260,
            )
            known = known if layer == ALL else [layer]
        with remembered.working("Following the gradient"):
            for example in (_mine(view), None):
                through_time.gradient(view.run.id, view.step, view.split, example)
            return _Chosen(tuple(known), self._smallest(view, known))

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        lines = [
            Line(f"{remembered.in_words(layer)}, {of}", shares, norms, chosen.layers.index(layer))
            for of, example in {"this example": _mine(view), f"mean of {_count(view)}": None}.items()
            if of != "this example" or not view.changed
            for layer, shares, norms in through_time.gradient(view.run.id, view.step, view.split, example)
            if layer in chosen.layers
        ]
        return drawn(lines, dark, chosen.smallest)

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        if view.changed:
            st.caption("A changed example has no right answer, so no loss to follow: the mean over others is shown.")
        found = through_time.gradient(view.run.id, view.step, view.split, _mine(view))
        said = [
            f"**{page.plain(remembered.in_words(layer))}:** {shares[0]:.1g} of the largest is left at the first step"
            + (", it has vanished." if shares[0] < VANISHED else ".")
            for layer, shares, _ in found
            if layer in chosen.layers
        ]
        st.markdown("  \n".join(said))
        st.caption(
            "A way back reads the last place first. The mean is taken over the first examples of the "
            f"{view.split} split that are long enough. The steps of a decoder are those of the right translation; what "
            "reaches an encoder came through all of them."
            if len(remembered.layers(view.run.id)) > 1
            else f"The mean is taken over the first examples of the {view.split} split."
        )

    def _smallest(self, view: View, layers: list[str]) -> float:
        """The smallest share at any of the steps that are seen together: they have one axis."""
        least = 1.0
        for step in remembered.steps_compared(view):
            with suppress(SnapshotError):
                for example in (_mine(view), None):
                    for layer, shares, _ in through_time.gradient(view.run.id, step, view.split, example):
                        if layer in layers:
                            least = min(least, shares[shares > 0].min(initial=1.0))
        return float(least)


def _mine(view: View) -> int | None:
    """The example; none if it is a changed copy."""
    return None if view.changed else view.example


def _count(view: View) -> int:
    return min(through_time.examples(view.run), len(view.dataset.split(view.split)))
