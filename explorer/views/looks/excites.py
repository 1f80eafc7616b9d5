"""What excites a channel or a class most: an input made for it, and the examples that come first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from explorer.figures.enlarged import Panel, lines, pictures
from explorer.figures.examples import bars, small_series
from explorer.figures.images import gallery
from explorer.views import channel, climbing, opened, page, results
from explorer.views.layer import LARGE_TILE
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.probes.ascent import Climb, Goal, Rules
    from explorer.probes.strongest import Peaks
    from explorer.views.options import Options
    from explorer.views.view import View

ANSWER = "answer"
"""Stands for what the model answers among the names of layers."""
SHARES = (0.0, 0.03, 0.1, 0.3, 1.0)
"""Strengths of a regulariser one can choose from."""
FIRST = 9
"""Examples shown."""
SMALL = 16
"""Images and series of fewer places along a side are not shifted while climbing: each step would be half a patch."""
LETTERS = 8
"""Letters of a class that fit above a small picture."""


class Excites(Look):
    """An input made to excite one channel or class as much as possible: from noise it climbs the gradient, within the
    range of the data. Beside it the examples that excite it most, with what the strongest place sees outlined.
    """

    name = "excites"
    title = "What excites it"
    order = 3
    steady = "An input is made anew for each step, which takes seconds: this is the one of the step you look at."
    misleads = (
        "It shows what the model can be driven to, not what it meets: such inputs are mostly unlike any example, and "
        "another seed or other regularisers make another one."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        if view.dataset.modality != "tokens":
            return None
        return "its inputs are words or characters, which cannot be changed a little: there is no gradient to climb."

    def settle(self, view: View, options: Options) -> Hashable:
        from explorer.probes.ascent import Goal

        named = {ANSWER: None} | {name: planned for name, planned in view.layers.items() if _fits(view, planned)}
        name = options.one("of", "Of", list(named), words=lambda one: _called(view, one), few=6)
        planned, everywhere = named[name], False
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("excite-choices")):
            number = _number(view, planned, options)
            if planned is not None and channel.fits(planned):
                everywhere = options.switch(
                    "all", "Everywhere at once", help="The mean of its whole map, rather than the value in the middle."
                )
        goal = Goal("" if name == ANSWER else name, number, everywhere)
        with st.expander("How it is climbed"):
            return goal, _rules(view, options)

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        return _made(view, climbing.reached(view, *chosen), dark)

    def draw(self, view: View, options: Options) -> None:
        goal, rules = self.settle(view, options)
        found = peaks(view.run.id, view.step, view.split, goal.layer)
        left, right = st.columns(2, gap="medium")
        with left:
            dark = page.dark()

            def draw(climb: Climb) -> None:
                content = (view.run.id, view.step, goal, rules, climb.taken, dark)
                page.show_made(lambda: _made(view, climb, dark), options.key("made"), content)
                st.markdown(_told(view, climb, found))

            climbing.climbing(view, goal, rules, options.key("made"), draw)
        with right:
            _examples(view, goal, found, options)
        self.say()


# -- choosing ---------------------------------------------------------------------------------------------------------


def _fits(view: View, planned: Planned) -> bool:
    """Whether the channels or units of a layer can be climbed: those with weights, but the last, which answers."""
    last = next(reversed(view.layers))
    return planned.role in ("conv", "linear") and planned.output.kind != "sequence" and planned.name != last


def _called(view: View, name: str) -> str:
    if name != ANSWER:
        return name
    return "a class" if view.dataset.classes else "the answer"


def _number(view: View, planned: Planned | None, options: Options) -> int:
    """Choose a class, or one of the channels or units of a layer."""
    if planned is not None:
        last, what = planned.output.size[0] - 1, "Channel" if channel.fits(planned) else "Unit"
        return options.number("unit", f"{what} (0 to {last})", 0, last, width=200)
    classes = view.dataset.classes
    if not classes:
        return 0
    default = 0 if view.target is None else view.target
    return options.one(
        "class", "Class", list(range(len(classes))), default, words=classes.__getitem__, few=0, width=200
    )


def _rules(view: View, options: Options) -> Rules:
    from explorer.probes.ascent import Rules

    small = min(view.input.shape[2:], default=0) < SMALL
    plain = Rules(jitter=0) if small else Rules()
    with st.container(horizontal=True, key=options.key("climb-rules")):
        return Rules(
            steps=options.one("climb", "Steps of the climb", (64, 128, 512, 2048), plain.steps, few=0, width=160),
            seed=options.number("seed", "Seed", 0, 999, plain.seed, width=160, help="Of the noise it starts from."),
            decay=options.one(
                "decay",
                "L2 decay",
                SHARES,
                plain.decay,
                few=0,
                width=160,
                help="Pulls every value towards zero (Simonyan et al., 2013).",
            ),
            smoothness=options.one(
                "smooth",
                "Smoothness",
                SHARES,
                plain.smoothness,
                few=0,
                width=160,
                help="Draws neighbours together: total variation (Mahendran & Vedaldi, 2015).",
            ),
            jitter=options.one(
                "jitter",
                "Jitter",
                (0, 1, 2, 4),
                plain.jitter,
                few=0,
                width=160,
                help="Shifts the input by up to so many places before each step (Mordvintsev et al., 2015).",
            ),
        )


# -- what was made ----------------------------------------------------------------------------------------------------


def _made(view: View, climb: Climb, dark: bool) -> go.Figure:
    x, goal = climb.x, climb.goal
    title = f"Made for {_named(view, goal)}"
    alt = f"An input made to excite {_named(view, goal)} most, after {climb.taken} steps."
    if x.ndim == 1:
        return bars(x, view.dataset.features, title, "standardised", alt, dark)
    box = None
    if goal.layer and not goal.everywhere and channel.fits(view.layers[goal.layer]):
        size = view.layers[goal.layer].output.size[1:]
        box = channel.path(view.run.id, goal.layer).field(tuple(side // 2 for side in size))
    heading = f"after {climb.taken} steps" + (", what the value sees outlined" if box else "")
    if x.ndim == 2:
        return lines([Panel(heading, one, box=box) for one in x], title, alt, dark)
    return pictures([Panel(heading, x if len(x) == 3 else x[0], box=box)], title, alt, dark)


def _named(view: View, goal: Goal) -> str:
    if goal.layer:
        what = "channel" if channel.fits(view.layers[goal.layer]) else "unit"
        return f"{what} {goal.channel} of {goal.layer}"
    return f"class {view.dataset.classes[goal.channel]}" if view.dataset.classes else "a high answer"


def _told(view: View, climb: Climb, found: Peaks) -> str:
    """What the input reaches, beside the strongest example."""
    goal, best = climb.goal, float(found.values[:, climb.goal.channel].max())
    if not climb.scores:
        return "It has not begun to climb."
    maps = bool(goal.layer) and channel.fits(view.layers[goal.layer])
    what = "Its logit" if view.dataset.classes else "The answer, standardised,"
    if goal.layer:
        what = "Its value" if not maps else "The mean of its map" if goal.everywhere else "The value in its middle"
    place = " at its strongest place" if maps else ""
    return (
        f"{what} has climbed from {climb.scores[0]:.3g} to **{climb.scores[-1]:.3g}**. The strongest of the "
        f"{view.split} examples reaches {best:.3g}{place}."
    )


# -- examples ---------------------------------------------------------------------------------------------------------


def _examples(view: View, goal: Goal, found: Peaks, options: Options) -> None:
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
        way = channel.path(view.run.id, goal.layer)
        boxes = [way.field(tuple(found.places[row, goal.channel].tolist())) for row in rows.tolist()]
    part, dark = view.dataset.split(view.split), page.dark()
    labels = [_label(view, found, goal, int(row)) for row in rows]

    def make() -> go.Figure:
        alt = f"The {len(rows)} examples of the {view.split} split that excite {_named(view, goal)} most."
        inputs = part.inputs[rows].numpy()
        if view.dataset.modality == "series":
            return small_series(inputs, labels, title, alt, columns=3, boxes=boxes, dark=dark)
        return gallery(inputs, labels, title, alt, columns=3, tile=LARGE_TILE, boxes=boxes, dark=dark)

    page.show_made(make, options.key("first"), (view.run.id, view.step, view.split, goal, dark))
    numbers = ", ".join(str(row) for row in rows)
    st.caption(f"Above each: how strong it is, and its true class. Row by row they are the examples {numbers}.")


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
    from explorer.probes import strongest
    from explorer.views.server import store

    inputs = dataset_of(store().get(run_id).spec).split(split).inputs
    return strongest.peaks(results.rebuilt(run_id, step, per_class=not layer), inputs, layer)
