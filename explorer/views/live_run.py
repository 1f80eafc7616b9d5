"""One run, live: status, progress, curves, and what can be done with it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from explorer.figures.curves import Look, diagnose, learning_curve, rate_curve
from explorer.figures.flow import gradient_flow
from explorer.runs.run import Run, Status
from explorer.specs import Change
from explorer.views import (
    cost,
    curve_settings,
    microscope,
    moving,
    page,
    results,
    server,
    through_time,
    transport,
    trials,
)

EVERY = 0.3
"""Seconds between two redraws while a run goes on."""
FLOWS = {"gradient": "Gradient", "weight": "Weights", "update": "Update"}


def live_run(run: Run) -> None:
    """Show a run and, while it goes on, keep showing it; polling ends with the run."""
    active = not run.status.over
    panel = st.fragment(page.calm(_panel), run_every=EVERY if active else None)
    panel(run.id, active)


def glance(run: Run | None) -> None:
    """How well a run does so far, or of a recorded one where there is none yet.

    Drawn on the first page, it also makes the browser load its plotting library before the first click on Start.
    """
    if run:
        metrics, name, steps = results.metrics(run.id), results.metric(run), run.total_steps
    else:
        metrics, name = results.recorded(), "accuracy"
        steps = int(metrics["step"].max())
    page.show(learning_curve(metrics, name, steps, page.dark()), key="glance")


def _panel(run_id: str, active: bool) -> None:
    with moving.moving(active):
        _contents(run_id, active)


def _contents(run_id: str, active: bool) -> None:
    run = server.store().find(run_id)
    if run is None or (active and run.status.over):
        st.rerun()  # the whole page, once more and without polling
    transport.transport(run)
    if run.status is Status.QUEUED:
        ahead = server.store().ahead(run.id)
        st.info(
            f"Waiting for a free worker; {ahead} before it." if ahead else "Starting.", icon=":material/hourglass_top:"
        )
    elif run.status is Status.PAUSED:
        st.progress(run.progress, text=f"Paused after step {run.step:,} of {run.total_steps:,}, epoch {run.epoch}")
    elif not run.status.over:
        st.progress(run.progress, text=_progress(run))
    elif run.status in (Status.FAILED, Status.DIVERGED, Status.INTERRUPTED):
        st.error(page.plain(run.reason), icon=":material/error:")
    if run.spec is None:
        return
    if run.spec.purpose != "train":
        trials.panel(run)
        return
    if beside := through_time.partners(run):
        through_time.panel(run, beside)
    metrics, look = results.metrics(run.id), curve_settings.current()
    marks = {step: _said(change) for step, change in run.spec.changes}
    for column, name in zip(st.columns(2), ("loss", results.metric(run)), strict=True):
        with column:
            figure = learning_curve(metrics, name, run.total_steps, page.dark(), look, marks, run.best_step)
            page.show(figure, key=f"{name}-{run.id}")
    if said := diagnose(metrics):
        st.caption(f":material/lightbulb: {said}")
    microscope.microscope(run)
    if run.status.over:
        cost.outcome(run)
        transport.onward(run)
    curve_settings.choose()
    cost.what_it_cost(run)
    _more_curves(run, metrics, look)
    if not beside:
        through_time.panel(run)
    if run.status.over:
        transport.record(run)


def _said(change: Change) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in change.values.items())


def _more_curves(run: Run, metrics: pd.DataFrame, look: Look) -> None:
    """Learning rate and gradient flow, for those who open them."""
    with st.expander(
        "Gradient flow and learning rate", icon=":material/water:", key="flow-open", on_change="rerun"
    ) as more:
        if not more.open:
            return
        st.caption(
            "How strongly each layer is moved. Lines that fall far below the others: the gradient vanishes on its way "
            "back, and those layers hardly learn. An update of about a thousandth of the weights a step is usual."
        )
        what = st.segmented_control(
            "Of each layer",
            list(FLOWS),
            default="gradient",
            required=True,
            key=f"flow-what-{run.id}",
            format_func=FLOWS.__getitem__,
        )
        page.show(gradient_flow(results.flow(run.id), what, run.total_steps, page.dark()), key=f"flow-{what}-{run.id}")
        page.show(rate_curve(metrics, run.total_steps, page.dark(), look), key=f"rate-{run.id}")


def _progress(run: Run) -> str:
    settings = run.spec.settings
    batch = min(settings.batch_size, results.examples(run))
    left = f"about {cost.duration((run.total_steps - run.step) * batch / run.rate)} left" if run.rate else "starting"
    at = f"Epoch {run.epoch} of {settings.epochs}"
    if run.spec.purpose != "train":
        at = f"Step {run.step} of at most {run.total_steps}"
    return f"{at} · {run.rate:,.0f} samples per second · {left}"
