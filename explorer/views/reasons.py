"""Why a model answered so: every attribution method beside the input."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.attribution import METHODS, Method
from explorer.figures.classes import probabilities
from explorer.figures.images import picture
from explorer.views import example, page, results, state
from explorer.views.view import ANSWER, View, move

PER_ROW = 2


def reasons(view: View) -> None:
    """The answer with all class probabilities, then each method's explanation on one diverging scale."""
    prediction = results.prediction(*view.place)
    target = prediction.answer if view.target is None else view.target
    classes = view.dataset.classes
    left, right = st.columns([2, 3])
    with left:
        example.example_picture(view, height=300)
    with right:
        figure = probabilities(prediction.probabilities, classes, view.truth, target, page.dark(), height=300)
        page.show(figure, key="probabilities")
    revision = state.lens().revision
    key = f"target-class-{revision}"
    st.session_state[key] = ANSWER if view.target is None else view.target
    st.segmented_control(
        "Explain the score of class",
        [ANSWER, *range(len(classes))],
        key=key,
        format_func=lambda n: f"the answer ({classes[prediction.answer]})" if n == ANSWER else classes[n],
        on_change=move,
        args=(revision, "target", key),
        required=True,
    )
    why_not = results.applicable(*view.place)
    methods = METHODS.values()
    for start in range(0, len(methods), PER_ROW):
        for column, method in zip(st.columns(PER_ROW), methods[start : start + PER_ROW], strict=False):
            with column, st.container(border=True, height="stretch"):
                _reason(view, method, target, why_not[method.name])


def _reason(view: View, method: type[Method], target: int, why_not: str | None) -> None:
    if why_not:
        st.markdown(f"**{method.title}**")
        st.caption(f"Does not apply: {why_not}")
        return
    found = results.attribution(*view.place, method.name, target)
    values = found.values.sum(axis=0)  # over colour channels: (H, W)
    name = view.dataset.classes[target]
    limit = float(np.abs(values).max())
    page.show(
        picture(
            values,
            f"{method.title}: why {name}?",
            f"{method.title} of class {name} over the input.",
            scale="signed",
            limit=limit,
            height=300,
            dark=page.dark(),
        ),
        key=f"why-{method.name}",
    )
    st.caption(method.reads, help=method.help())
    if found.error is not None:
        st.caption(
            f"Completeness error {found.error:.2g} logits",
            help="How far the sum of all values is from the score it should add up to. Nearer to 0 is better.",
        )
