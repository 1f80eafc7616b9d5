"""Units that follow something: which of them is high, or low, where a pattern is?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from explorer.errors import NotApplicable
from explorer.figures.followers import followers
from explorer.figures.theme import as_text
from explorer.views import page, remembered, results
from explorer.views.looks.base import Look
from explorer.views.pattern import Pattern, choose_pattern, in_words, marked, marks_of
from explorer.views.through_time import MOST_WORK

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Following
    from explorer.views.options import Options
    from explorer.views.view import View

EXAMPLES = 200
"""Examples of the split that the pattern is looked for in."""
MOST_PLACES, MOST_VALUES = 20_000, 4_000_000
"""Places, and values of units at them, that are gone through at most; fewer examples of longer ones."""
NOBODY = -1
"""Stands for the unit where the pattern is nowhere, or everywhere."""
SHOWN = 16
"""Units drawn, those that follow it most."""


class _Chosen(NamedTuple):
    layer: str
    part: str
    pattern: Pattern
    unit: int


class UnitFinder(Look):
    """The units of a recurrent layer that follow a pattern: bars show how closely each goes with it, Pearson's r over
    the places of many examples, 1 if it is high exactly where the pattern is, −1 if it is low there. Diamonds are this
    example alone; the dashed lines are the most that any unit reached with a pattern of as many random places.
    """

    name = "finder"
    title = "Unit finder"
    order = 31
    scope = "memory"
    misleads = (
        "With many units some follow any pattern by chance, so only what is far beyond the dashed lines counts; and a "
        "unit that follows it need not be used by the answer."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return remembered.why_not(view)

    def settle(self, view: View, options: Options) -> Hashable:
        layer = remembered.choose_layer(view, options)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("finder-choices")):
            part = remembered.choose_part(view, layer, options, few=0, width=180)
            pattern = choose_pattern(view, layer, options)
        many, _ = _both(view, layer, part, pattern)
        if isinstance(many, str):
            st.info(page.plain(many), icon=":material/info:")
            return _Chosen(layer, part, pattern, NOBODY)
        units = many.ranked.tolist()
        unit = options.one(
            "unit",
            "Unit, from the one that follows it most",
            units,
            words=lambda number: f"{number}: r = {many.r[number]:.3f}".replace("-", "−"),
            few=0,
            width=300,
        )
        return _Chosen(layer, part, pattern, unit)

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        layer, part, pattern, unit = chosen
        many, here = _both(view, layer, part, pattern)
        units = many.ranked[:SHOWN]
        best = units[0]
        return followers(
            units.tolist(),
            many.r[units],
            None if isinstance(here, str) else here.r[units],
            many.chance,
            f"{as_text(in_words(pattern))} in {remembered.in_words(layer)}",
            f"Correlation with the pattern of the {len(units)} of {len(many.r)} units that follow it most. "
            f"Unit {best}: r = {many.r[best]:.2f}; by chance {many.chance:.2f} is reached.",
            chosen=unit,
            dark=dark,
        )

    def draw(self, view: View, options: Options) -> None:
        chosen = self.settle(view, options)
        if chosen.unit == NOBODY:
            return
        remembered.draw_clickable(self, view, chosen, options)
        st.caption(_said(view, chosen.layer, *_both(view, chosen.layer, chosen.part, chosen.pattern)))
        self.say()
        layer, length = chosen.layer, len(remembered.memory(*view.place, chosen.layer).parts["hidden_state"])
        mark = marked(view, layer, chosen.pattern, length)
        remembered.draw_unit(view, layer, chosen.unit, options.key("unit-found"), mark)

    def show(self, view: View, chosen: Hashable, key: str) -> None:
        if chosen.unit != NOBODY:
            super().show(view, chosen, key)


def _said(view: View, layer: str, many: Following, here: Following | str) -> str:
    words = (
        f"Over {_count(view, layer)} examples of the {view.split} split: the pattern is at {many.marked:,} of "
        f"{many.places:,} places. By chance: with as many places drawn at random, 100 times, no unit went beyond |r| = "
        f"{many.scattered:.2f}; with the places of each example moved along it together, beyond {many.moved:.2f}. "
    )
    if isinstance(here, str):
        return words + "In this example: " + page.plain(here[0].lower() + here[1:])
    return words + (
        f"In this example: {here.marked} of {here.places} places, where chance reaches {here.chance:.2f}: with so few "
        "places it reaches far."
    )


def _count(view: View, layer: str) -> int:
    """How many examples the pattern is looked for in: fewer where each has more places, or takes longer."""
    here, part = remembered.memory(*view.place, layer).parts["hidden_state"], view.dataset.split(view.split)
    texts = part.targets if layer.startswith("decoder.") else part.inputs
    places = texts.shape[1] if not texts.is_floating_point() else len(here)
    bounds = MOST_PLACES // places, MOST_VALUES // (places * here.shape[1]), MOST_WORK // max(1, view.run.macs)
    return max(1, min(EXAMPLES, len(part), *map(int, bounds)))


def _both(view: View, layer: str, part: str, pattern: Pattern) -> tuple[Following | str, Following | str]:
    """Over many examples, and in this one; or in words why there is nothing to follow."""
    with remembered.working("Reading many examples"):
        many = _following(view.run.id, view.step, view.split, layer, part, pattern, _count(view, layer))
    values = remembered.memory(*view.place, layer).parts[part]
    return many, _correlated([values], [marked(view, layer, pattern, len(values))])


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _following(
    run_id: str, step: int, split: str, layer: str, part: str, pattern: Pattern, count: int
) -> Following | str:
    from explorer.data import dataset_of
    from explorer.views.server import store

    dataset = dataset_of(store().get(run_id).spec)
    examples, values = dataset.split(split), _values(run_id, step, split, layer, part, count)
    written = (examples.targets[:, :-1],) if dataset.task == "translation" else ()
    marks = []
    for row, one in enumerate(values):
        given = [part[row : row + 1] for part in (examples.inputs, *written)]
        known = None if examples.evidence is None else examples.evidence[row]
        marks.append(marks_of(dataset, given, layer, pattern, len(one), known))
    return _correlated(values, marks)


def _correlated(values: list[np.ndarray], marks: list[np.ndarray]) -> Following | str:
    from explorer.probes import following

    try:
        return following(values, marks)
    except NotApplicable as error:
        return str(error)


@st.cache_data(max_entries=8, show_spinner=False)
def _values(run_id: str, step: int, split: str, layer: str, part: str, count: int) -> list[np.ndarray]:
    """One part of a recurrent layer for the first examples of a split, (L, H) each."""
    from explorer.data import dataset_of
    from explorer.probes.recurrent import over_examples
    from explorer.views.server import store

    dataset = dataset_of(store().get(run_id).spec)
    examples = dataset.split(split)
    written = (examples.targets[:count, :-1],) if dataset.task == "translation" else ()
    return over_examples(results.rebuilt(run_id, step), examples.inputs[:count], layer, part, *written)
