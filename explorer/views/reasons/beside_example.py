"""The example and its answer, with what is asked about it to the right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer.figures.classes import probabilities
from explorer.views import page, panel, results
from explorer.views.view import View


@contextmanager
def beside_example(view: View) -> Iterator[None]:
    """What is drawn inside stands beside the example."""
    with st.container(key="beside-example"):  # on phones the example comes last: see the style
        left, right = st.columns([1, 2], gap="medium")
    with left:
        panel.example_panel(view)
        if view.dataset.classes:
            _probabilities(view)
    with right:
        yield


def _probabilities(view: View) -> None:
    """All classes, and how probable each is."""
    prediction = results.prediction(*view.place)
    target = prediction.answer if view.target is None else view.target
    classes = view.dataset.classes
    height = 96 + 22 * len(classes)
    figure = probabilities(prediction.probabilities, classes, view.truth, target, page.dark(), height=height)
    page.show(figure, key="probabilities")
