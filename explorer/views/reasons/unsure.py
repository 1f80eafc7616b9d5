"""What is said first: that the model is not worth explaining much, or that its answer is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.data import Split
from explorer.probes import quality
from explorer.views import page, results
from explorer.views.server import store
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.probes import Answers

ENOUGH = 300
"""Test examples from which it is judged: so that steps can be played."""
WEAK = 0.1
"""R² below which a regression hardly does better than always answering the mean."""


def warn(view: View, example: bool = True) -> None:
    """Say it in a line, if there is anything to say.

    Args:
        view: What is looked at.
        example: Whether it is one example that is explained.
    """
    if said := doubts(view, example):
        st.warning(page.plain(" ".join(said)), icon=":material/warning:")


def doubts(view: View, example: bool = True) -> list[str]:
    """The same as sentences of plain text."""
    return [line for line in (poor(view), wrong(view) if example else "") if line]


def poor(view: View) -> str:
    """That the model is hardly better than a guess, in words; empty if it is better, or translates."""
    if view.dataset.task == "translation":
        return ""
    found = _some(view.run.id, view.step)
    if not view.dataset.classes:
        score = quality.errors(found.truth, found.predicted)["r2"]
        if not score < WEAK:
            return ""
        return f"At this step the model hardly learned anything (R² {score:.2f} of test examples; 0 is a guess)."
    right, count = int((~found.wrong).sum()), len(found.truth)
    guess = np.bincount(found.truth).max() / count
    if quality.interval(right, count)[0] > guess:
        return ""
    return (
        f"At this step the model is no better than a guess: {right} of {count} test examples right, where always "
        f"answering the most frequent class gives {guess:.1%}. Its reasons mean little."
    )


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _some(run_id: str, step: int) -> Answers:
    """What a model answers for some test examples."""
    from explorer.data import dataset_of
    from explorer.probes import answers

    dataset = dataset_of(store().get(run_id).spec)
    test = dataset.test
    some = Split(test.inputs[:ENOUGH], test.targets[:ENOUGH], test.rows[:ENOUGH])
    return answers(results.rebuilt(run_id, step), replace(dataset, test=some), "test")


def wrong(view: View) -> str:
    """That this answer is wrong, in words; empty if it is right, is a value, or nobody knows."""
    if view.changed or view.dataset.task == "regression":
        return ""
    if view.dataset.task == "translation":
        said = results.translation(*view.place)
        return "" if said == view.said else f"The translation is not the right one: {view.said}."
    answer = results.prediction(*view.place).answer
    if answer == view.truth:
        return ""
    names = view.dataset.classes
    return f"The answer is wrong: {names[answer]}, truly {names[view.truth]}. What follows explains a mistake."
