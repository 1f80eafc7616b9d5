"""What excites a channel or a class most: an input made for it, and the examples that come first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

import streamlit as st

from explorer.figures.enlarged import Panel, lines, pictures
from explorer.figures.examples import bars
from explorer.views import channel, climbing, excited, page
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.probes.ascent import Climb, Rules
    from explorer.probes.strongest import Peaks
    from explorer.views.options import Options
    from explorer.views.view import View

ANSWER = "answer"
"""Stands for what the model answers among the names of layers."""
SHARES = (0.0, 0.03, 0.1, 0.3, 1.0)
"""Strengths of a regulariser one can choose from."""
EXCITED = ("conv", "linear", "recurrent", "attention")
"""Roles of layers whose channels or units can be chosen."""
SMALL = 16
"""Images and series of fewer places along a side are not shifted while climbing: each step would be half a patch."""
READ = (
    "The examples that excite it most; where it has a value at each token, the strongest is marked. No input is made "
    "for it: words and characters cannot be changed a little, so there is no gradient to climb. What excites a unit "
    "most need not be what it is used for."
)
"""What is said where inputs are words or characters."""


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

    def settle(self, view: View, options: Options) -> Hashable:
        from explorer.probes.ascent import Goal, Rules

        named = {name: planned for name, planned in view.layers.items() if _fits(view, planned)}
        if view.dataset.task != "translation":
            named = {ANSWER: None} | named
        name = options.one("of", "Of", list(named), words=lambda one: _called(view, one), few=6)
        planned, everywhere, climbs = named[name], False, view.dataset.modality != "tokens"
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("excite-choices")):
            number = _number(view, planned, options)
            if planned is not None and climbs and len(planned.output.size) > 1:
                everywhere = options.switch(
                    "all", "Everywhere at once", help="The mean of its whole map, rather than the value in the middle."
                )
        sequence = planned is not None and planned.output.kind == "sequence"
        goal = Goal("" if name == ANSWER else name, number, everywhere, sequence)
        if not climbs:
            return goal, Rules(steps=0)
        with st.expander("How it is climbed"):
            return goal, _rules(view, options)

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        goal, rules = chosen
        if view.dataset.modality == "tokens":
            return excited.strongest(view, goal, dark)
        return _made(view, climbing.reached(view, goal, rules), dark)

    def draw(self, view: View, options: Options) -> None:
        goal, rules = self.settle(view, options)
        found = excited.peaks(view.run.id, view.step, view.split, goal.layer)
        left, right = st.columns(2, gap="medium")
        if view.dataset.modality == "tokens":
            with left:
                self.show(view, (goal, rules), options.key(self.name))
            with right:
                excited.texts(view, goal, found, options)
            st.caption(READ)
            return
        with left:
            dark = page.dark()

            def draw(climb: Climb) -> None:
                content = (view.run.id, view.step, goal, rules, climb.taken, dark)
                page.show_made(lambda: _made(view, climb, dark), options.key("made"), content)
                st.markdown(_told(view, climb, found))

            climbing.climbing(view, goal, rules, options.key("made"), draw)
        with right:
            excited.examples(view, goal, found, options)
        self.say()


# -- choosing ---------------------------------------------------------------------------------------------------------


def _fits(view: View, planned: Planned) -> bool:
    """Whether a layer has channels or units to excite: those with weights, but the last, which answers."""
    return planned.role in EXCITED and planned.name != next(reversed(view.layers))


def _called(view: View, name: str) -> str:
    if name != ANSWER:
        return name
    return "a class" if view.dataset.classes else "the answer"


def _number(view: View, planned: Planned | None, options: Options) -> int:
    """Choose a class, or one of the channels or units of a layer."""
    if planned is not None:
        sequence = planned.output.kind == "sequence"
        last, what = planned.output.size[-1 if sequence else 0] - 1, "Channel" if channel.fits(planned) else "Unit"
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
    title = f"Made for {excited.named(view, goal)}"
    alt = f"An input made to excite {excited.named(view, goal)} most, after {climb.taken} steps."
    if x.ndim == 1:
        return bars(x, view.dataset.features, title, "standardised", alt, dark)
    box = None
    if goal.layer and not goal.everywhere and not goal.sequence and channel.fits(view.layers[goal.layer]):
        size = view.layers[goal.layer].output.size[1:]
        box = channel.path(view.run.id, goal.layer).field(tuple(side // 2 for side in size))
    heading = f"after {climb.taken} steps" + (", what the value sees outlined" if box else "")
    if x.ndim == 2:
        return lines([Panel(heading, one, box=box) for one in x], title, alt, dark)
    return pictures([Panel(heading, x if len(x) == 3 else x[0], box=box)], title, alt, dark)


def _told(view: View, climb: Climb, found: Peaks) -> str:
    """What the input reaches, beside the strongest example."""
    goal, best = climb.goal, float(found.values[:, climb.goal.channel].max())
    if not climb.scores:
        return "It has not begun to climb."
    maps = bool(found.places.shape[2])
    what = "Its logit" if view.dataset.classes else "The answer, standardised,"
    if goal.layer:
        what = "Its value" if not maps else "The mean of its map" if goal.everywhere else "The value in its middle"
    place = " at its strongest place" if maps else ""
    return (
        f"{what} has climbed from {climb.scores[0]:.3g} to **{climb.scores[-1]:.3g}**. The strongest of the "
        f"{view.split} examples reaches {best:.3g}{place}."
    )
