"""One method and one question, over the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.figures.shades import side
from explorer.views import page
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons import choices, saving, together, trusted
from explorer.views.reasons.asked import Asked, positions
from explorer.views.reasons.beside_example import beside_example
from explorer.views.reasons.one import question
from explorer.views.reasons.saving import Look, Several
from explorer.views.reasons.together import Together
from explorer.views.view import View

IN_ROW, TALL = 3, 150
"""Images in a row, and how many screen pixels each is high at most."""

NO_RIGHT_ONE = (
    "What it writes differs from step to step, so it is the right translation that is followed over the training, and "
    "a changed source has none. Go back to the original, or to one method."
)


def training(view: View, options: Options) -> None:
    """Choose a method and a question; see the answer at some of the kept steps, on one scale."""
    if view.changed and view.dataset.task == "translation":
        st.info(NO_RIGHT_ONE, icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options, inner=False)
        about, said = question(view, options, training=True)
        choices.refused(view)
    with beside_example(view):
        _answers(view, options, name, about, said)


def _answers(view: View, options: Options, name: str, about: Asked, said: str) -> None:
    sign, opacity = choices.sides(view, options)
    asked = replace(choices.settings(view, options, [name]), target=about.target, text=about.text, at=about.at)
    steps = view.sampled
    found = _at(view, steps, asked)
    good = {step: one for step, one in found.items() if isinstance(one, Attribution)}
    if not good:
        st.info(page.plain(str(next(iter(found.values())))), icon=":material/info:")
        return
    labels = [f"Step {step}" for step in good]
    values = [side(positions(one.values, view.dataset.modality), sign) for one in good.values()]
    title = f"Why {said}? {METHODS[name].title}"
    same = view.input.expand(len(values), *view.input.shape[1:])
    shown = Together(same, values, labels, "step of training", sign, opacity, IN_ROW, TALL)
    alt = f"{title} At {', '.join(labels)}."
    together.draw(view.dataset, shown, title, alt, "training", saving.called(view, "training"))
    first = f"At step 0 the model is {view.begins}."
    if view.run.spec.start is None:
        first = (
            "What is seen at step 0 comes from random weights: what still looks the same later may come from the input "
            "rather than from what was learned."
        )
    st.caption(
        f"{METHODS[name].reading(view.dataset.modality, asked.words(view.dataset))} All steps are on one scale: "
        f"{max(np.abs(one).max() for one in values):.3g} is the strongest colour. {first}"
    )
    trusted.beside_one(view, name)
    kept = Several("step", list(good), labels, same, list(good.values()), title, same=True)
    saving.several(view, kept, Look(sign, opacity), f"{name}-training")


def _at(view: View, steps: tuple[int, ...], asked: Asked) -> dict[int, Attribution | str]:
    found, bar = {}, st.empty()
    for number, step in enumerate(steps, 1):
        found[step] = asking.explained(view.run.id, step, view.split, view.shown, asked)
        bar.progress(number / len(steps), text=f"Step {step} explained. Any click stops it.")
    bar.empty()
    return found
