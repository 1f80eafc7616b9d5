"""The same network trained on shuffled labels: finding it, starting it, and following it."""

from __future__ import annotations

import streamlit as st

from explorer.errors import NotApplicable
from explorer.runs.run import Run, Status
from explorer.views import page, state, training, watchers
from explorer.views.server import store

EVERY = 1.0
"""Seconds between two looks while it trains."""


def finished(run: Run) -> tuple[str, int] | None:
    """Id and last kept step of the twin of a run, if it is done."""
    from explorer.runs.twins import twin_of

    found = twin_of(store(), run)
    if found is None or found.status is not Status.FINISHED or not (steps := store().snapshots.steps(found.id)):
        return None
    return found.id, steps[-1]


def twin(run: Run) -> None:
    """Say how it stands with the twin of a run."""
    from explorer.runs.twins import twin_of, twin_spec

    try:
        twin_spec(run)
    except NotApplicable as error:
        st.caption(f"Random labels does not apply: {page.plain(str(error))}")
        return
    found = twin_of(store(), run)
    with st.container(border=True, key="trust-twin"):
        watchers.follow(_panel, found is not None and not found.status.over, run.id, every=EVERY)


def _panel(going: bool, run_id: str) -> None:
    from explorer.runs.twins import twin_of

    run = store().find(run_id)
    found = run and twin_of(store(), run)
    if going and (found is None or found.status.over):
        watchers.whole_page()
    st.markdown("**The same network, trained on shuffled labels**")
    if found is None:
        st.markdown(
            "Nothing true can be learned from shuffled labels. A method that shows the same for both networks does not "
            "show what was learned: that is the check *Random labels*."
        )
        st.button(
            "Train it on shuffled labels", key="twin-start", icon=":material/shuffle:", on_click=_start, args=(run_id,)
        )
    elif found.status is Status.FINISHED:
        st.markdown(
            f"It has trained: {page.plain(found.title)}. The check *Random labels* compares with its last step."
        )
    elif found.status is Status.PAUSED:
        st.markdown(f"{page.plain(found.title)} is paused. Go on with it on the page *Train*.")
    else:
        waits = found.status is Status.QUEUED
        st.progress(found.progress, f"{page.plain(found.title)} " + ("waits for a worker" if waits else "trains"))


@page.calm
def _start(run_id: str) -> None:
    from explorer.runs.twins import make_twin

    run = store().get(run_id)
    if training.once(("twin", run_id)):
        make_twin(store(), run, state.session())
