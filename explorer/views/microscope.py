"""The live microscope: what a run makes of one example, while it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.errors import SnapshotError
from explorer.figures.classes import probabilities
from explorer.figures.course import above, course
from explorer.views import courses, example, layer, page, results, state, view
from explorer.views.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Spot
    from explorer.runs.run import Run

OPEN, SPOT = "microscope-open", "microscope-spot"
CLASSES = 12
"""Most classes that all have a bar; of more, the most probable ones and the true one."""
GRID = layer.Grid(most=16, columns=4, tile=80)
"""How channels are drawn: few, and large enough for half a page."""


def is_open() -> bool:
    """Whether this person looks through the microscope; it costs nothing while they do not."""
    return st.session_state.get(OPEN, False)


def follows(run: Run | None) -> bool:
    """Whether the microscope shows the step in the sidebar: it is open, and the run is over."""
    return is_open() and run is not None and run.status.over


def microscope(run: Run) -> None:
    """Under the curves: open it, choose an example and a place in the model, and watch.

    While the run goes on it shows the newest kept weights; afterwards those of the step in the sidebar.
    """
    st.toggle(
        "Live microscope",
        value=is_open(),
        key=f"{OPEN}-toggle",
        on_change=_open,
        help="Watch the answer for one example, and the inside of one layer, change while the model learns.",
    )
    if not is_open():
        return
    seen = _look(run)
    if seen is None:
        st.caption("There is something to see as soon as the first weights are kept.")
        return
    with st.container(border=True, key="microscope"):
        example.example_bar(seen, run.total_steps if not run.status.over else seen.steps[-1])
        _choose(seen)
        left, right = st.columns([2, 3], gap="medium")
        with left:
            _answer(seen)
        with right:
            spot = _spot(seen)
            layer.draw(seen, spot, seen.layers[spot.layer], GRID)


def _open() -> None:
    st.session_state[OPEN] = st.session_state[f"{OPEN}-toggle"]
    st.rerun()  # the whole page: while it is open the sidebar has the steps


def _look(run: Run) -> View | None:
    """What is seen, its inside worked out; weights that were thinned out just now are looked for once more."""
    for again in (True, False):
        found = view.resolve(run)
        if found is None:
            return None
        if not run.status.over:
            found = replace(found, step=found.steps[-1], notes=())
        try:
            results.seen(*found.place, _spot(found))
            return found
        except SnapshotError:
            if not again:
                raise
    return None


def _spot(seen: View) -> Spot:
    """The place that was chosen last, in this model or another; else the one that tells most."""
    from explorer.probes import telling

    spots = results.spots(seen.run.id)
    chosen = next((spot for spot in spots if spot.name == st.session_state.get(SPOT)), None)
    return chosen or telling(spots, [name for name, planned in seen.layers.items() if planned.role == "conv"])


# -- choosing ---------------------------------------------------------------------------------------------------------


def _choose(seen: View) -> None:
    revision, last = state.lens().revision, len(seen.dataset.split(seen.split)) - 1
    spots = {spot.name: spot for spot in results.spots(seen.run.id)}
    with st.container(horizontal=True, vertical_alignment="bottom", key="microscope-choice"):
        number, place = f"microscope-example-{revision}", f"microscope-spot-{seen.run.id}"
        st.session_state[number] = seen.example
        st.number_input(
            f"Example (0 to {last})", 0, last, key=number, on_change=_to_example, args=(revision, number), width=160
        )
        st.session_state[place] = _spot(seen).name
        st.selectbox(
            "Look at",
            list(spots),
            key=place,
            format_func=lambda name: called(spots[name]),
            on_change=_to_spot,
            args=(place,),
            width=360,
        )


def _to_example(revision: int, key: str) -> None:
    if revision == state.lens().revision:
        example.go(st.session_state[key])


def _to_spot(key: str) -> None:
    st.session_state[SPOT] = st.session_state[key]


def called(spot: Spot) -> str:
    """A place in a model in words."""
    if spot.what == "output":
        return spot.layer
    if spot.what == "states":
        way = "read backwards" if spot.inner.startswith("back") else "read forwards"
        number = spot.inner.removeprefix("ahead").removeprefix("back")
        return f"{spot.layer}: hidden states, {way}" + (f", layer {number}" if number != "1" else "")
    where = {"self_attention": " at what is written", "cross_attention": " at the source"}
    return f"{spot.layer}: where it looks" + where.get(spot.inner, "")


# -- the answer -------------------------------------------------------------------------------------------------------


def _answer(seen: View) -> None:
    """The answer now, and how right it was at the steps before."""
    if seen.changed:
        _answer_to_changed(seen)
        return
    live = not seen.run.status.over
    known = courses.course((seen.run.id, seen.split, seen.example), seen.steps, live)
    if seen.dataset.task == "translation":
        written = results.translation(*seen.place)
        st.markdown(f"It writes: **{page.plain(written) or 'nothing'}**  \nRight is: **{page.plain(seen.said)}**")
    elif not seen.dataset.classes:
        answer = seen.dataset.answer(results.output(*seen.place))
        st.markdown(f"It answers: **{page.plain(answer)}**  \nThe truth: **{page.plain(seen.said)}**")
    end = seen.run.total_steps if live else seen.steps[-1]
    page.show_made(
        lambda: _figure(seen, known, end, page.dark()), "answer", (seen.place, tuple(known), end, page.dark())
    )


def _answer_to_changed(seen: View) -> None:
    """The answer now; of a changed copy nobody knows the right one, so how right it was is not drawn."""
    if seen.dataset.classes:
        page.show_made(lambda: _bars(seen, page.dark()), "answer", (seen.place, page.dark()))
    else:
        example.answer(seen)
    st.caption("This example was changed by you: there is no right answer to measure it by.")


def _figure(seen: View, known: dict[int, float], end: int, dark: bool) -> go.Figure:
    regression = seen.dataset.task == "regression"
    line = course(
        list(known),
        list(known.values()),
        seen.step,
        *_words(seen),
        last=end,
        truth=_truth(seen) if regression else None,
        share=not regression,
        dark=dark,
    )
    return above(_bars(seen, dark), line, dark) if seen.dataset.classes else line


def _words(seen: View) -> tuple[str, str]:
    """Title and axis of the line over the steps."""
    if seen.dataset.task == "translation":
        return "Right next tokens over the steps", "mean probability"
    if seen.dataset.classes:
        return "True class over the steps", "probability"
    return "Its answer over the steps; dotted: the truth", "answer"


def _truth(seen: View) -> float:
    mean, spread = seen.dataset.scale
    return mean + spread * float(seen.dataset.split(seen.split).targets[seen.example])


def _bars(seen: View, dark: bool) -> go.Figure:
    values, classes, truth = results.prediction(*seen.place).probabilities, seen.dataset.classes, seen.truth
    shown = np.arange(len(classes))
    if len(classes) > CLASSES:
        best = np.argsort(-values)[: CLASSES - 1]
        shown = np.sort(np.unique([*best] if truth is None else [*best, truth]))
    names = [classes[n] for n in shown]
    height = 90 + 22 * len(shown)
    place = None if truth is None else int(np.flatnonzero(shown == truth)[0])
    return probabilities(values[shown], names, place, None, dark, height)
