"""How good a run's model is on a split: the numbers, and what lies behind them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.values import predicted_against_true, residuals
from explorer.probes import Answers, quality
from explorer.views import certainty, mistakes, opened, page, results, slicing, translated
from explorer.views.view import View

Part = Callable[[View, Answers], None]
WHOLE = 32
"""A table of at most so many rows is shown whole, a longer one scrolls."""


def evaluation(view: View) -> None:
    """The numbers of a split, then one of their parts, which is chosen."""
    size = len(view.dataset.split(view.split))
    st.markdown(
        f"{page.plain(view.run.title)}, step {view.step} of {view.steps[-1]}: the **{size:,} {view.split} examples**."
        + (" It was trained on these, so they say little." if view.split == "train" else "")
    )
    if view.dataset.task == "translation":
        translated.translated(view)
        return
    found = results.answers(view.run.id, view.step, view.split)
    parts = _of_classes(view, found) if view.dataset.classes else _of_values(view, found)
    part = st.segmented_control(
        "Look at",
        list(parts),
        default=next(iter(parts)),
        required=True,
        key=f"part-{view.dataset.task}-{view.dataset.modality}",
        persist_state="session",
        label_visibility="collapsed",
    )
    parts[part](view, found)


# -- classes ----------------------------------------------------------------------------------------------------------


def _of_classes(view: View, found: Answers) -> dict[str, Part]:
    """Draw the numbers of a classification; returns its parts by name."""
    table = quality.by_class(found.truth, found.predicted, view.dataset.classes)
    right, size = int((~found.wrong).sum()), len(found.truth)
    low, high = quality.interval(right, size)
    average = table.iloc[-2]
    with st.container(horizontal=True, key="numbers"):
        st.metric("Accuracy", f"{right / size:.1%}", width="content", help="Share of the answers that are right.")
        for name, words in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")):
            st.metric(words, f"{average[name]:.3f}", width="content", help=_MEANING[name] + " Mean over the classes.")
        st.metric("Loss", f"{found.loss.mean():.3f}", width="content", help="Mean cross-entropy, in nats.")
    most = np.bincount(found.truth).max() / size
    st.caption(
        f"Of {size:,} examples {right:,} are right: on others like them, {low:.1%} to {high:.1%} would be (95 % "
        f"interval). Always answering the most frequent class would be right in {most:.1%}."
    )
    parts: dict[str, Part] = {
        "Mistakes": mistakes.mistakes,
        "By class": lambda view, found: _by_class(table),
        "Calibration": certainty.calibration,
    }
    if view.dataset.task == "binary":
        parts["Thresholds"] = certainty.trade_offs
    if view.dataset.modality == "vector":
        parts["Groups"] = slicing.slicing
    return parts


_MEANING = {
    "precision": "Of those it answers as a class, the share that is of it.",
    "recall": "Of those that are of a class, the share it answers as it.",
    "f1": "Harmonic mean of precision and recall: high only if both are.",
}


def _by_class(table: pd.DataFrame) -> None:
    words = {"F1" if name == "f1" else name: meaning for name, meaning in _MEANING.items()}
    form = {name: st.column_config.NumberColumn(format="%.3f", help=meaning) for name, meaning in words.items()}
    height = "content" if len(table) <= WHOLE else "auto"
    st.dataframe(table.rename(columns={"f1": "F1"}), hide_index=True, column_config=form, height=height, key="by-class")
    st.caption(
        "The mean of classes (macro) counts every class the same, the mean of examples (weighted) by how many examples "
        "it has. A class that is never answered has precision 0; one that neither occurs nor is answered has none."
    )


# -- values -----------------------------------------------------------------------------------------------------------


def _of_values(view: View, found: Answers) -> dict[str, Part]:
    """Draw the numbers of a regression; returns its parts by name."""
    said = quality.errors(found.truth, found.predicted)
    guess = float(np.abs(found.truth - found.truth.mean()).mean())
    with st.container(horizontal=True, key="numbers"):
        for name, words, meaning in (
            ("mae", "Mean error", "Mean absolute error: how far the answers are off on average."),
            ("rmse", "RMSE", "Root of the mean squared error: large errors count more."),
        ):
            st.metric(words, f"{said[name]:.4g}", width="content", help=f"{meaning} In {_unit(view)}.")
        title, text, meaning = results.WORDS["r2"]
        st.metric(title, text(said["r2"]), width="content", help=meaning)
    st.caption(f"Errors are in {page.plain(_unit(view))}. Always answering the mean would be off by {guess:.4g}.")
    parts: dict[str, Part] = {"All answers": _scatter, "Worst answers": _worst_values}
    if view.dataset.modality == "vector":
        parts["Groups"] = slicing.slicing
    return parts


def _unit(view: View) -> str:
    return view.dataset.unit or "units of the data"


def _scatter(view: View, found: Answers) -> None:
    left, right = st.columns(2, gap="medium")
    unit = view.dataset.unit
    with left:
        page.show(predicted_against_true(found.truth, found.predicted, unit, page.dark()), key="against-true")
    with right:
        page.show(residuals(found.truth, found.predicted, unit, page.dark()), key="residuals")
    st.caption(
        "Good answers lie close to the dashed lines. A bend or a widening on the right is something not learned."
    )


def _worst_values(view: View, found: Answers) -> None:
    st.caption("Each: the true value → the answer. The largest errors come first. Click one to look closer.")
    opened.list_of(view, quality.worst_first(found.loss), partial(value_label, found), f"values-{view.run.id}")


def value_label(found: Answers, row: int) -> str:
    """What is written on the button of an example: the true value and the answer; for markdown."""
    return page.plain(f"{found.truth[row]:.4g} → {found.predicted[row]:.4g}")
