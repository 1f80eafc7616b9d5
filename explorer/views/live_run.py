"""One run, live: status, progress, curves, and what can be done with it."""

from __future__ import annotations

import streamlit as st

from explorer.figures.curves import learning_curve
from explorer.runs.run import Run, Status
from explorer.views import page, results, server, training
from explorer.views.view import badge

EVERY = 0.3
"""Seconds between two redraws while a run goes on."""


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
    run = server.store().find(run_id)
    if run is None or (active and run.status.over):
        st.rerun()  # the whole page, once more and without polling
    _header(run)
    if run.status is Status.QUEUED:
        ahead = server.store().ahead(run.id)
        st.info(
            f"Waiting for a free worker; {ahead} before it." if ahead else "Starting.", icon=":material/hourglass_top:"
        )
    elif not run.status.over:
        st.progress(run.progress, text=_progress(run))
    elif run.status in (Status.FAILED, Status.INTERRUPTED):
        st.error(page.plain(run.reason), icon=":material/error:")
    if run.spec is None:
        return
    metrics = results.metrics(run.id)
    for column, name in zip(st.columns(2), ("loss", results.metric(run)), strict=True):
        with column:
            page.show(learning_curve(metrics, name, run.total_steps, page.dark()), key=f"{name}-{run.id}")
    if run.status.over:
        _outcome(run)


def _header(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        st.subheader(page.plain(run.title), anchor=False, width="content")
        badge(run)
        if not run.status.over:
            asked = run.command == "stop"
            st.button(
                "Stopping" if asked else "Stop",
                key=f"stop-{run.id}",
                icon=":material/stop:",
                disabled=asked,
                on_click=page.calm(server.store().stop),
                args=(run.id,),
            )


def _progress(run: Run) -> str:
    batch = min(run.spec.train.batch_size, results.examples(run))
    left = f"about {_time((run.total_steps - run.step) * batch / run.rate)} left" if run.rate else "starting"
    return f"Epoch {run.epoch} of {run.spec.train.epochs} · {run.rate:,.0f} samples per second · {left}"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _outcome(run: Run) -> None:
    with st.container(horizontal=True, key="outcome"):
        for name, value in run.test.items():
            if name in results.WORDS:
                title, text, meaning = results.WORDS[name]
                st.metric(f"Test {title}", text(value), width="content", help=meaning)
        st.metric("Training time", _time(run.trained), width="content")
        st.metric("Parameters", f"{run.parameters:,}", width="content")
    with st.container(horizontal=True, key="onward"):
        if server.store().snapshots.steps(run.id):
            if st.button("See its feature maps", type="primary", icon=":material/grid_view:", key="to-maps"):
                st.switch_page(page.FEATURE_MAPS)
            if st.button("Ask why it answers so", type="primary", icon=":material/psychology_alt:", key="to-why"):
                st.switch_page(page.ATTRIBUTIONS)
        if st.button(
            "Run again", icon=":material/replay:", key="again", help="The same model and settings, as a new run."
        ):
            training.start(run.spec)
            st.rerun()
    with st.expander("What this run is made from"):
        what = page.plain(run.spec.called(results.data_title(run.spec.dataset)))
        st.markdown(f"{what}: {training.summary(run.spec.train)}; trained on {run.device or 'nothing yet'}.")
        st.code(run.spec.model_dump_json(indent=2), language="json", height=240)
