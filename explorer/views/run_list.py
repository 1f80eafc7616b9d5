"""All runs: find, open, rename, delete."""

from __future__ import annotations

import time

import streamlit as st

from explorer.runs.run import GOING, Run, Status
from explorer.views import page, results, state, watchers
from explorer.views.server import store
from explorer.views.view import badge

SHOWN = 20
"""Runs on one page of the list."""
KINDS: dict[str, tuple[Status, ...]] = {
    "All": (),
    "Going on": (Status.QUEUED, *GOING),
    "Finished": (Status.FINISHED,),
    "Ended early": (Status.STOPPED, Status.INTERRUPTED),
    "Went wrong": (Status.DIVERGED, Status.FAILED),
}
"""What may be shown of them."""


def run_list() -> None:
    """The list; it follows the runs that go on."""
    watchers.follow(_list, store().anyone_goes())


def _list(going: bool) -> None:
    if going and not store().anyone_goes():
        watchers.whole_page()
    search, kind = _filters() if store().count() > SHOWN else ("", "All")
    count = store().count(search, KINDS[kind])
    if not count:
        st.info("No run is like that.", icon=":material/search_off:")
        return
    pages = -(-count // SHOWN)
    shown = st.pagination(pages, key=f"runs-page-{kind}-{search}") if pages > 1 else 1
    for run in store().list(SHOWN, (shown - 1) * SHOWN, search, KINDS[kind]):
        _row(run)


def _filters() -> tuple[str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="find-runs"):
        search = st.text_input("Name", max_chars=80, placeholder="Part of a name", key="runs-search", width=300)
        kind = st.segmented_control("Show", list(KINDS), default="All", required=True, key="runs-kind")
    return search.strip(), kind


def _row(run: Run) -> None:
    with st.container(border=True, key=f"run-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{page.plain(run.title)}**", width="content")
            badge(run)
            st.caption(_facts(run), width="stretch")
        if not run.status.over and run.total_steps:
            st.progress(run.progress)
        if run.reason:
            st.caption(page.plain(run.reason))
        with st.container(horizontal=True, gap="xsmall"):
            if st.button("Open", key=f"open-{run.id}", icon=":material/show_chart:", disabled=run.spec is None):
                state.look(run=run.id)
                st.switch_page(page.TRAIN)
            with st.popover("Rename", icon=":material/edit:"):
                st.text_input(
                    "New name", run.title, max_chars=80, key=f"name-{run.id}", on_change=_rename, args=(run.id,)
                )
            if st.button("Delete", key=f"delete-{run.id}", icon=":material/delete:"):
                _confirm(run.id, run.title)


def _facts(run: Run) -> str:
    parts = [_ago(run.created)]
    for name, value in run.test.items():
        if name in results.WORDS:
            title, text, _ = results.WORDS[name]
            parts.append(f"test {title} {text(value)}")
    if run.step:
        parts.append(f"step {run.step:,} of {run.total_steps:,}")
    return " · ".join(parts)


def _ago(when: float) -> str:
    seconds = max(0.0, time.time() - when)
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def _rename(run_id: str) -> None:
    with page.boundary():
        store().rename(run_id, st.session_state[f"name-{run_id}"])


def _delete(run_id: str) -> None:
    with page.boundary():
        if not store().delete(run_id):
            st.toast("Someone else had already deleted it.")
        if state.lens().run == run_id:
            state.look(run="")


@st.dialog("Delete this run?")
@page.calm
def _confirm(run_id: str, title: str) -> None:
    st.markdown(f"**{page.plain(title)}** goes with its curves and weights, for everyone. This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Delete it", type="primary", key="confirm-delete", on_click=_delete, args=(run_id,)):
            st.rerun()
        if st.button("Keep it", key="confirm-keep"):
            st.rerun()
