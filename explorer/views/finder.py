"""What a learning rate range test found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.finder import range_curve
from explorer.runs.run import Run, Status
from explorer.views import page, state, training

RULES = {
    "steepest": "Around it the loss falls most steeply.",
    "tenth": "It is a tenth of the rate with the smallest loss: the loss falls too little to say where it does so most "
    "steeply.",
}
"""How a rate was suggested."""


def panel(run: Run, metrics: pd.DataFrame) -> None:
    """Loss over the learning rate, the rate that is suggested, and a button that takes it."""
    from explorer.training.finder import HIGHEST, LOWEST, smooth, suggest

    batch = metrics[metrics["split"] == "batch"]
    losses, rates = (
        batch[batch["name"] == name]["value"].to_numpy(float) for name in ("loss", "learning_rate")
    )  # one row for each step
    found = suggest(rates, losses) if run.status.over else None
    averaged = smooth(losses) if len(losses) else np.empty(0)
    marked = (found.rate, found.loss) if found else None
    figure = range_curve(rates, losses, averaged, (LOWEST, HIGHEST), marked, page.dark())
    page.show(figure, key=f"range-{run.id}")
    st.caption(
        "Each batch was trained on with a slightly larger learning rate. On the left it is too small, and nothing "
        "happens; where the line falls, the model learns; where it rises, the steps are too large."
    )
    if not run.status.over:
        return
    st.markdown(_ending(run, rates))
    if found is None:
        st.warning(
            "**No rate can be suggested:** the loss did not fall by as much as a twentieth. Some models begin to learn "
            "only after more steps than this test has; then take a tenth of the rate at which the loss begins to rise. "
            "Or something is broken: *Can it learn one batch?* tells.",
            icon=":material/help:",
        )
        return
    st.markdown(
        f"**Suggested learning rate: {found.rate:g}.** {RULES[found.rule]} This is a rule of thumb: a rate three times "
        "smaller or larger may do as well, and the test says nothing about how good the model will become."
    )
    _use(run, found.rate)


def _ending(run: Run, rates: np.ndarray) -> str:
    if run.status is not Status.FINISHED or not len(rates):
        return "The test was ended early: what it saw may not be enough."
    if run.step < run.total_steps:
        return (
            f"It ended by itself at step {run.step}, with a rate of {rates[-1]:.2g}: the loss had grown to four times "
            "its smallest, or beyond all bounds."
        )
    return f"It went up to its highest rate, {rates[-1]:g}, without the loss exploding."


def _use(run: Run, rate: float) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="use-rate"):
        taken = state.training().learning_rate == rate
        label = f"Use this learning rate ({rate:g})"
        if st.button(label, key="use-learning-rate", type="primary", icon=":material/check:", disabled=taken):
            state.set_training(state.training().model_copy(update={"learning_rate": rate}))
            st.rerun()  # the settings stand outside this part of the page
        if not taken:
            return
        if other := _differs(run):
            st.markdown(f"It is set for the next run, whose {other} is not that of this test.", width="content")
        else:
            st.markdown("It is set for the next run.", width="content")
            if st.button("Start training", key="start-found", type="primary", icon=":material/play_arrow:"):
                training.start_draft()
                st.rerun()


def _differs(run: Run) -> str:
    """What of the next run is not as it was in the test, of what a learning rate depends on."""
    draft, now, then = state.draft(), state.training(), run.spec.train
    pairs = {
        "data set": (draft.dataset, run.spec.dataset),
        "model": (draft.model, run.spec.model),
        "optimiser": (now.optimizer, then.optimizer),
        "batch size": (min(now.batch_size, then.batch_size), then.batch_size),
    }
    return next((name for name, (one, other) in pairs.items() if one != other), "")
