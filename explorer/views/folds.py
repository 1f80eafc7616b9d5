"""Cross-validation: starting it, and what its folds have reached so far."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from explorer.figures.groups import strip
from explorer.runs.cross_validation import FEWEST, MOST, USUAL, Fold, cross_validate, folds_of, is_fold, spreads
from explorer.runs.run import Run
from explorer.views import page, results, state, training, watchers
from explorer.views.server import store

EVERY = 1.0
"""Seconds between two redraws while any fold goes on."""


def start_button(problem: bool) -> None:
    """Cross-validate the draft with the current settings, and go to the page that shows its folds."""
    with st.popover("Cross-validate", icon=":material/splitscreen_vertical_add:", disabled=problem, width="content"):
        st.markdown(
            "Trains the model several times, each time validated on another part of the data (a fold): how much do its "
            "numbers depend on which examples it happened to learn from?"
        )
        folds = st.slider("Folds", FEWEST, MOST, USUAL, key="cross-validate-folds")
        if st.button(f"Start {folds} runs", type="primary", icon=":material/play_arrow:", key="cross-validate"):
            _start(int(folds))
            st.switch_page(page.EVALUATE)


def _start(folds: int) -> None:
    spec = training.draft_run()
    if training.once((spec, folds)):
        sweep = cross_validate(store(), spec, folds, state.session())
        state.look(run=store().of_sweep(sweep)[0].id)


def link(run: Run) -> None:
    """Where a run is a fold, say so, and lead to all of them."""
    if is_fold(run):
        number, folds = run.spec.fold
        with st.container(horizontal=True, vertical_alignment="center", key="fold-link"):
            st.markdown(f"This is fold {number + 1} of {folds} of a cross-validation.", width="content")
            st.page_link(page.EVALUATE, label="See all folds", icon=":material/fact_check:")


def folds(run: Run, waiting: bool) -> None:
    """Where a run is a fold: all folds of its cross-validation, followed for as long as any goes on.

    Args:
        run: Any run.
        waiting: Whether the rest of the page waits for the first weights of the run.
    """
    if not is_fold(run):
        return
    going = any(not one.status.over for one in store().of_sweep(run.sweep))
    with st.container(border=True, key="folds"):
        watchers.follow(_panel, going, run.sweep, run.id, waiting, every=EVERY)


def _panel(going: bool, sweep: str, run_id: str, waiting: bool) -> None:
    found = folds_of(store(), sweep, results.metrics)
    runs = [fold.run for fold in found if fold.run]
    if (going and all(run.status.over for run in runs)) or (waiting and store().snapshots.steps(run_id)):
        watchers.whole_page()
    st.subheader(f"Cross-validation in {len(found)} folds", anchor=False)
    left = [run for run in runs if not run.status.over]
    if left:
        share = sum(1.0 if run.status.over else run.progress for run in runs) / len(runs)
        st.progress(share, text=f"{len(runs) - len(left)} of {len(found)} folds are over")
    if not runs:
        return
    metric = results.metric(runs[0])
    _numbers(found)
    _drawn(found, metric)
    _table(found, run_id)
    _lost(found)


def _numbers(found: list[Fold]) -> None:
    """Mean and spread of every metric over the folds that finished."""
    with st.container(horizontal=True, key="fold-numbers"):
        for name, spread in spreads(found).items():
            title, text, _ = results.WORDS.get(name, (name, lambda value: f"{value:.3f}", ""))
            around = "" if math.isnan(spread.deviation) else f" ± {text(spread.deviation)}"
            st.metric(
                f"Validation {title}",
                text(spread.mean) + around,
                width="content",
                help=f"Mean ± sample standard deviation of {spread.count} folds, each after its last epoch.",
            )


def _drawn(found: list[Fold], metric: str) -> None:
    finished = [fold.metrics[metric] if fold.counts else None for fold in found]
    if not any(value is not None for value in finished):
        st.caption("The first numbers appear when a fold has finished.")
        return
    spread, (title, *_) = spreads(found)[metric], results.WORDS[metric]
    percent = metric in ("accuracy", "token_accuracy")
    heading = f"Validation {title} of each fold"
    figure = strip(finished, spread.mean, spread.deviation, heading, title, percent, page.dark())
    page.show(figure, key=f"fold-strip-{metric}")
    st.caption(
        "Line: the mean; band: one sample standard deviation to each side. Each train and validation example was "
        "validated on once, by a model that had not seen it; the test split was left alone. The models share most of "
        "their training examples, so truly fresh data may vary more."
    )


def _table(found: list[Fold], run_id: str) -> None:
    names = dict.fromkeys(name for fold in found for name in fold.metrics)
    words = {results.WORDS[name][0] if name in results.WORDS else name: name for name in names}
    rows = [
        {
            "fold": fold.number,
            "status": fold.run.status.value if fold.run else "deleted",
            **{word: fold.metrics.get(name) for word, name in words.items()},
            "in the mean": "yes" if fold.counts else "not yet" if fold.run and not fold.run.status.over else "no",
            "shown below": "this one" if fold.run and fold.run.id == run_id else "",
        }
        for fold in found
    ]
    form = {one: st.column_config.NumberColumn(format="%.4g") for one in words}
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=form, height="content", key="fold-table")


def _lost(found: list[Fold]) -> None:
    """Say which folds do not count, and why."""
    lost = [fold for fold in found if fold.run is None or (fold.run.status.over and not fold.counts)]
    for fold in lost:
        why = f"{fold.run.status.value}. {fold.run.reason}" if fold.run else "deleted."
        st.caption(page.plain(f"Fold {fold.number} does not count: {why}"))
    if lost:
        st.caption(f"Mean and deviation are over the {sum(fold.counts for fold in found)} that finished.")
