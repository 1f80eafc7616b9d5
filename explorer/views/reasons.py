"""Why a model answered so: every attribution method beside the input."""

from __future__ import annotations

import streamlit as st

from explorer.attribution import METHODS, Attribution, Method
from explorer.figures.classes import probabilities
from explorer.figures.images import attributions
from explorer.views import example, page, results, state
from explorer.views.view import ANSWER, View, move


def reasons(view: View) -> None:
    """The answer with all class probabilities, then each method's explanation on one diverging scale."""
    prediction = results.prediction(*view.place)
    target = prediction.answer if view.target is None else view.target
    classes = view.dataset.classes
    left, right = st.columns([1, 2])
    with left:
        example.example_picture(view)
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
    _explanations(view, target)


def _explanations(view: View, target: int) -> None:
    found = results.explanations(*view.place, target)
    name = view.dataset.classes[target]
    panels = [
        (METHODS[method].title, None if isinstance(said, str) else said.values.sum(axis=0))  # over colours: (H, W)
        for method, said in found.items()
    ]
    figure = attributions(
        panels,
        f"Why {name}?",
        f"Attributions of class {name} over the input, by {', '.join(title for title, _ in panels)}.",
        dark=page.dark(),
    )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        page.show(figure, key="why")
    with right:
        for method, said in found.items():
            _reading(METHODS[method], said)


def _reading(method: type[Method], said: Attribution | str) -> None:
    st.markdown(f"**{method.title}**", help=method.help())
    lines = [f"Does not apply: {said}" if isinstance(said, str) else method.reads]
    if not isinstance(said, str) and said.error is not None:
        lines.append(f"Completeness error {said.error:.2g} logits: its values should add up to the score; 0 is exact.")
    st.caption(" ".join(lines))
