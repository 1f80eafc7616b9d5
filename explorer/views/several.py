"""Runs that are compared, and all that the panels show of them, gathered once for each redraw."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from explorer.figures.compare import LABELLED
from explorer.runs.differences import differences, in_words, title
from explorer.runs.outcomes import outcomes, ranked
from explorer.runs.run import Run
from explorer.runs.values import said
from explorer.views import compared
from explorer.views.server import store

FRESH = 1.5
"""Seconds for which metrics of runs that go on serve everybody who looks."""


@dataclass(frozen=True)
class Several:
    """Runs side by side.

    Attributes:
        runs: In the order they were made; if they are more than get a name in pictures, the best first.
        sweep: Whether they are those of one sweep.
        names: What tells each from the others, in words.
        short: The same for pictures: of a sweep only the values, whose names are `called`.
        called: What the short names are; empty for titles.
        apart: What differs between them, one row each.
        table: What they reached and cost, one row each, by id.
        epochs: Their metrics after each epoch.
        best: Ids from best to worst; empty where that cannot be said.
        metric: The metric they have in common, or empty.
    """

    runs: list[Run]
    sweep: bool
    names: list[str]
    short: list[str]
    called: str
    apart: pd.DataFrame
    table: pd.DataFrame
    epochs: pd.DataFrame
    best: list[str]
    metric: str

    @property
    def ids(self) -> list[str]:
        """Ids of the runs."""
        return [run.id for run in self.runs]

    def name(self, run_id: str) -> str:
        """What tells a run from the others."""
        return self.names[self.ids.index(run_id)]


def gather(runs: list[Run], sweep: bool) -> Several:
    """All that is shown of these runs."""
    going = any(not run.status.over for run in runs)
    moment = int(time.monotonic() / FRESH) if going else None
    epochs = _epochs(tuple(run.id for run in runs), tuple(run.step for run in runs), moment)
    table = outcomes(runs, epochs)
    same = len({(run.spec.dataset, run.spec.fold) for run in runs}) == 1
    best = ranked(table) if same else []
    if len(runs) > LABELLED:
        place = {run_id: number for number, run_id in enumerate(best)}
        runs = sorted(runs, key=lambda run: place.get(run.id, len(best)))
    apart = differences([run.spec for run in runs])
    names = [in_words(row) for _, row in apart.iterrows()]
    short = [" · ".join(said(value) for value in row) for _, row in apart.iterrows()]
    called = " · ".join(title(name) for name in apart)
    if not sweep or len(set(names)) < len(runs):
        titles = compared.names(runs)
        names = short = [titles[run.id] for run in runs]
        called = ""
    metrics = set(table["metric"]) - {""}
    metric = metrics.pop() if len(metrics) == 1 else ""
    table = table.loc[[run.id for run in runs]]
    return Several(runs, sweep, names, short, called, apart, table, epochs, best, metric)


@st.cache_data(max_entries=32, show_spinner=False)
def _epochs(run_ids: tuple[str, ...], steps: tuple[int, ...], moment: int | None) -> pd.DataFrame:
    """Metrics after each epoch; read anew when the runs have come further, or a moment later while any goes on."""
    return store().epochs(run_ids)
