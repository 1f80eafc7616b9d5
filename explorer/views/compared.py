"""Which runs are compared: chosen one by one, or all of a sweep."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from explorer.runs.run import Run
from explorer.views import page, results, state
from explorer.views.server import store

RECENT = 100
"""Runs offered to choose from: the latest ones."""
SWEEPS = 20
"""Sweeps offered: the latest ones."""
AT_FIRST = 6
"""Most runs compared before anybody chose: the latest of one data set."""
ONE_BY_ONE = ""
"""Stands for "the runs I choose" among the ids of sweeps."""


def choose() -> list[Run]:
    """Choose what is compared; the runs that are, oldest first.

    Runs that were deleted leave the choice, and one line says so.
    """
    sweeps = store().sweeps(SWEEPS)
    wanted = state.compared()
    if wanted.sweep and wanted.sweep not in sweeps and not store().of_sweep(wanted.sweep):
        st.toast("The runs of this sweep are not here any more.", icon=":material/delete:")
        state.compare(wanted.runs)
    if sweeps:
        _choose_sweep(sweeps)
    if state.compared().sweep:
        return [run for run in store().of_sweep(state.compared().sweep) if run.spec]
    return _choose_runs()


def current() -> list[Run]:
    """The runs that are compared, as they are now."""
    wanted = state.compared()
    if wanted.sweep:
        return [run for run in store().of_sweep(wanted.sweep) if run.spec]
    if wanted.runs is None:
        return _at_first(store().list(RECENT))
    found = [run for run in map(store().find, wanted.runs) if run and run.spec]
    return sorted(found, key=lambda run: run.created)


def _choose_sweep(sweeps: dict[str, int]) -> None:
    wanted = state.compared()
    counts = sweeps | ({wanted.sweep: len(store().of_sweep(wanted.sweep))} if wanted.sweep not in sweeps else {})
    words = {sweep: _called(sweep, count) for sweep, count in counts.items() if sweep}
    twice = Counter(words.values())
    words = {sweep: name if twice[name] == 1 else f"{name} ({sweep})" for sweep, name in words.items()}
    words |= {ONE_BY_ONE: "Runs I choose one by one"}
    key = f"compare-sweep-{wanted.revision}"
    st.session_state[key] = wanted.sweep
    options = [ONE_BY_ONE, *(sweep for sweep in words if sweep)]
    st.selectbox(
        "What to compare",
        options,
        key=key,
        format_func=words.__getitem__,
        on_change=_set_sweep,
        args=(wanted.revision,),
        help="A sweep is made on the page Train: many runs at once that differ in some settings.",
    )


def _choose_runs() -> list[Run]:
    runs, wanted = current(), state.compared()
    if wanted.runs and len(runs) < len(wanted.runs):
        gone = len(wanted.runs) - len(runs)
        st.toast(f"{gone} of the runs compared here {'is' if gone == 1 else 'are'} gone.", icon=":material/delete:")
        state.compare(tuple(run.id for run in runs))
    recent = [run for run in store().list(RECENT) if run.spec]
    offered = {run.id: run for run in (*recent, *runs)}
    key = f"compare-runs-{state.compared().revision}"
    st.session_state[key] = [run.id for run in runs]
    st.multiselect(
        "Runs",
        list(offered),
        key=key,
        format_func=names(list(offered.values())).__getitem__,
        max_selections=state.COMPARED,
        placeholder="Choose two or more",
        on_change=_set_runs,
        args=(state.compared().revision,),
    )
    return runs


def names(runs: list[Run]) -> dict[str, str]:
    """A name for each run, by id; no two are the same."""
    twice = Counter(run.title for run in runs)
    return {run.id: run.title if twice[run.title] == 1 else f"{run.title} ({run.id})" for run in runs}


def _at_first(runs: list[Run]) -> list[Run]:
    whole = [
        run for run in runs if run.spec and (run.step or not run.status.over)
    ]  # not those stopped before they began
    return [run for run in whole if run.spec.dataset == whole[0].spec.dataset][:AT_FIRST][::-1]


@st.cache_data(max_entries=256, show_spinner=False)
def _called(sweep: str, count: int) -> str:
    """A sweep in words: ``CNN on digits by width, learning rate (9 runs)``."""
    from explorer.runs.differences import differences, title

    runs = [run for run in store().of_sweep(sweep) if run.spec]
    if not runs:
        return f"Sweep {sweep}"
    varied = ", ".join(title(name).lower() for name in differences([run.spec for run in runs]))
    name = runs[0].spec.called(results.data_title(runs[0].spec.dataset))
    return f"{name}{' by ' if varied else ''}{varied} ({count} {'run' if count == 1 else 'runs'})"


@page.calm
def _set_sweep(revision: int) -> None:
    if (key := f"compare-sweep-{revision}") in st.session_state:
        state.compare_by(revision, state.compared().runs, st.session_state[key])


@page.calm
def _set_runs(revision: int) -> None:
    if (key := f"compare-runs-{revision}") in st.session_state:
        state.compare_by(revision, tuple(st.session_state[key]))
