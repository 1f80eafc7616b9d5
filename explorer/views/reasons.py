"""Why a model answered so: every attribution method beside the input."""

from __future__ import annotations

import streamlit as st

from explorer.attribution import METHODS, PARTS, Attribution, Method
from explorer.figures.classes import probabilities
from explorer.figures.examples import bars
from explorer.figures.images import attributions, units
from explorer.specs import Modality
from explorer.views import page, panel, results, state
from explorer.views.view import ANSWER, View, move


def reasons(view: View) -> None:
    """The answer, then what each method says of it."""
    left, right = st.columns([1, 2])
    with left:
        panel.example_panel(view)
    if view.dataset.task == "translation":
        with right:
            _translation(view)
        return
    with right:
        target = _class(view) if view.dataset.classes else _value(view)
    if view.dataset.classes:
        _choose_class(view)
    _explanations(view, target)


def _class(view: View) -> int:
    """Draw the probabilities of all classes; returns the class that is explained."""
    prediction = results.prediction(*view.place)
    target = prediction.answer if view.target is None else view.target
    figure = probabilities(prediction.probabilities, view.dataset.classes, view.truth, target, page.dark(), height=300)
    page.show(figure, key="probabilities")
    return target


def _value(view: View) -> int:
    """Write what a regression answers; its one output is what is explained."""
    with st.container(horizontal=True):
        st.metric("The answer", view.dataset.answer(results.output(*view.place)), width="content")
        st.metric("The truth", view.said or "made by you", width="content")
    return 0


def _translation(view: View) -> None:
    """What a translator writes, beside what is right."""
    said = results.translation(*view.place)
    st.metric("It writes", page.plain(said) or "nothing", width="content")
    if not view.changed:
        st.metric("Right is", page.plain(view.said), width="content")
    st.info("None of these methods explains a translation.", icon=":material/info:")


def _choose_class(view: View) -> None:
    classes, answer = view.dataset.classes, results.prediction(*view.place).answer
    revision = state.lens().revision
    key = f"target-class-{revision}"
    st.session_state[key] = ANSWER if view.target is None else view.target
    st.segmented_control(
        "Explain the score of class",
        [ANSWER, *range(len(classes))],
        key=key,
        format_func=lambda n: f"the answer ({classes[answer]})" if n == ANSWER else classes[n],
        on_change=move,
        args=(revision, "target", key),
        required=True,
    )


def _explanations(view: View, target: int) -> None:
    found = results.explanations(*view.place, target)
    name = view.dataset.classes[target] if view.dataset.classes else "this value"
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if view.dataset.modality == "image":
            _on_pixels(found, name)
        else:
            _on_values(view, found, name)
    with right:
        for method, said in found.items():
            _reading(METHODS[method], said, view.dataset.modality)


def _on_pixels(found: dict[str, Attribution | str], name: str) -> None:
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
    page.show(figure, key="why")


def _on_values(view: View, found: dict[str, Attribution | str], name: str) -> None:
    """One bar for each feature of a table, or each step of a series."""
    for method, said in found.items():
        if isinstance(said, str):
            continue
        title = f"Why {name}? {METHODS[method].title}"
        alt = f"Attributions of {name} by {METHODS[method].title}."
        if view.dataset.modality == "vector":
            figure = bars(said.values, view.dataset.features, title, "for or against", alt, page.dark())
        elif view.dataset.modality == "tokens":
            words = [view.dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()]
            figure = bars(said.values[: len(words)], words, title, "for or against", alt, page.dark())
        else:
            figure = units(said.values.sum(axis=0), title, alt, page.dark(), what="step")
        page.show(figure, key=f"why-{method}")


def _reading(method: type[Method], said: Attribution | str, modality: Modality) -> None:
    st.markdown(f"**{method.title}**", help=method.help())
    lines = [f"Does not apply: {said}" if isinstance(said, str) else method.reading(modality)]
    if not isinstance(said, str) and said.error is not None:
        lines.append(
            f"Completeness error {said.error:.2g} logits: its values should add up to the score less that of "
            f"{PARTS[modality].baseline}; 0 is exact."
        )
    st.caption(" ".join(lines))
