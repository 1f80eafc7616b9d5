"""One run, live: status, progress, curves, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from explorer.figures.curves import learning_curve, rate_curve
from explorer.figures.flow import gradient_flow
from explorer.runs.controls import Verb
from explorer.runs.run import Run, Status
from explorer.views import (
    cost,
    curve_settings,
    microscope,
    page,
    results,
    server,
    state,
    through_time,
    transport,
    trials,
    view,
    watchers,
)

FLOWS = {"gradient": "Gradient", "weight": "Weights", "update": "Update"}


def live_run(run: Run) -> None:
    """Show a run and, while it goes on and somebody looks, keep showing it; polling ends with the run."""
    watchers.follow(_panel, not run.status.over, run.id)


def follows(run: Run | None) -> bool:
    """Whether the step in the sidebar is one of this run, and marked on its curves: it is over."""
    return run is not None and run.status.over and run.spec is not None and run.spec.purpose == "train"


def glance(run: Run | None) -> None:
    """How well a run does so far, or of a recorded one where there is none yet.

    Drawn on the first page, it also makes the browser load its plotting library before the first click on Start.
    """
    if run:
        metrics, name, steps = results.lines(run.id), results.metric(run), run.total_steps
    else:
        metrics, name = results.recorded(), "accuracy"
        steps = int(metrics["step"].max())
    page.show(learning_curve(metrics, name, steps, page.dark()), key="glance")


def _panel(going: bool, run_id: str) -> None:
    """All of it: its buttons, drawn when they change, and what is measured all the time."""
    run = server.store().find(run_id)
    if run is None:
        st.rerun()
    if going and run.status.over:
        watchers.whole_page()
        going = False
    asked = transport.transport(run)
    draw = watchers.often if going else _once
    beside = through_time.partners(run)
    if beside:
        draw(_beside, run_id)
    draw(_measured, run_id, _face(run) if going else None, asked)
    if run.spec is None or run.spec.purpose != "train":
        return
    (draw if microscope.is_open() else _once)(_microscope, run_id)
    if run.status.over:
        cost.outcome(run)
        transport.onward(run)
    curve_settings.choose()
    cost.what_it_cost(run)
    with st.expander(
        "Gradient flow and learning rate", icon=":material/water:", key="flow-open", on_change="rerun"
    ) as more:
        if more.open:
            draw(_flow, run_id, _choose_flow(run))
    if not beside:
        through_time.panel(run)
    if run.status.over:
        transport.record(run)


def _once(panel: Callable[..., None], *args: Any) -> None:
    panel(*args)


def _face(run: Run) -> Hashable:
    """What the rest of the page shows of a run: once it has changed, the page is drawn anew."""
    return run.title, run.status, run.spec and run.spec.changes


def _measured(run_id: str, face: Hashable, asked: list[Verb]) -> None:
    """How far it is, and its curves; `face` and `asked` are what the buttons were drawn for."""
    store = server.store()
    run = store.find(run_id)
    if run is None:
        st.rerun()
    if (face and face != _face(run)) or (asked and asked != store.asked(run_id)):
        watchers.whole_page()
    _state(run)
    if run.spec is None:
        return
    if run.spec.purpose != "train":
        trials.panel(run)
        return
    drawn = results.drawn(run, page.dark(), curve_settings.current(), _travelled(run))
    loss, metric = st.columns(2)
    with loss:
        page.show_made(lambda: drawn.loss, f"loss-{run.id}", drawn.content)
    with metric:
        page.show_made(lambda: drawn.metric, f"{results.metric(run)}-{run.id}", drawn.content)
    if drawn.said:
        st.caption(f":material/lightbulb: {drawn.said}")


def _travelled(run: Run) -> int | None:
    """The step that is looked at, unless it is the last."""
    if not follows(run) or state.lens().step is None:
        return None
    seen = view.resolve(run)
    return seen.step if seen else None


def _microscope(run_id: str) -> None:
    if run := server.store().find(run_id):
        microscope.microscope(run)


def _beside(run_id: str) -> None:
    """Gradient through time, where that is what the run was started for."""
    if run := server.store().find(run_id):
        through_time.panel(run, through_time.partners(run))


def _state(run: Run) -> None:
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
    if run.reason and not run.status.over:
        st.warning(page.plain(run.reason), icon=":material/warning:")


def _choose_flow(run: Run) -> str:
    st.caption(
        "How strongly each layer is moved. Lines that fall far below the others: the gradient vanishes on its way "
        "back, and those layers hardly learn; zeros lie at the lower end. An update of about a thousandth of the "
        "weights a step is usual ([Karpathy](https://cs231n.github.io/neural-networks-3/))."
    )
    return st.segmented_control(
        "Of each layer",
        list(FLOWS),
        default="gradient",
        required=True,
        key=f"flow-what-{run.id}",
        format_func=FLOWS.__getitem__,
    )


def _flow(run_id: str, what: str) -> None:
    """Gradient flow and learning rate, for those who open them."""
    run = server.store().find(run_id)
    if run is None:
        return
    page.show(gradient_flow(results.flow(run.id), what, run.total_steps, page.dark()), key=f"flow-{what}-{run.id}")
    rates = rate_curve(results.lines(run.id), run.total_steps, page.dark(), curve_settings.current())
    page.show(rates, key=f"rate-{run.id}")


def _progress(run: Run) -> str:
    settings = run.settings
    batch = min(settings.batch_size, results.examples(run))
    left = f"about {cost.duration((run.total_steps - run.step) * batch / run.rate)} left" if run.rate else "starting"
    at = f"Epoch {run.epoch} of {settings.epochs}"
    if run.spec.purpose != "train":
        at = f"Step {run.step} of at most {run.total_steps}"
    return f"{at} · {run.rate:,.0f} samples per second · {left}"
