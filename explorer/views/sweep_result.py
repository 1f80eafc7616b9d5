"""What a sweep found: how far it is, and its result over its settings."""

from __future__ import annotations

from collections import Counter

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.figures.sweeps import parallel, scaling
from explorer.runs.differences import title
from explorer.runs.outcomes import better
from explorer.runs.run import Run, Status
from explorer.runs.scaling import LEAST, power_law
from explorer.runs.sweep import EXAMPLES, stop
from explorer.specs import TrainSpec
from explorer.views import page
from explorer.views.server import store
from explorer.views.several import Several

REPEATS = ("seed", "fold")
"""What only repeats a run: it is no setting to choose."""


def progress(sweep: str, runs: list[Run]) -> None:
    """How far a sweep is, and the button that stops all of it."""
    left = [run for run in runs if not run.status.over]
    if not left:
        return
    waiting = sum(run.status is Status.QUEUED for run in left)
    steps = sum(run.total_steps for run in runs)
    done = sum(run.total_steps if run.status.over else run.step for run in runs)
    with st.container(horizontal=True, vertical_alignment="center", key="sweep-progress"):
        said = f"{len(runs) - len(left)} of {len(runs)} runs are over, {len(left) - waiting} under way, {waiting} wait"
        st.progress(min(1.0, done / steps) if steps else 0.0, text=said)
        st.button(
            "Stop the sweep",
            key="stop-sweep",
            icon=":material/stop:",
            help="Those that wait stop at once, those that train after their next batch; what they reached is kept.",
            on_click=page.calm(stop),
            args=(store(), sweep),
        )


def fits(seen: Several) -> bool:
    """Whether there are settings to show a result over."""
    return seen.sweep and len(seen.runs) > 1 and any(name not in REPEATS for name in seen.apart)


def picture(seen: Several, quality: str, row: DeltaGenerator) -> None:
    """The result over the one number that was varied, or across all settings."""
    varied = [name for name in seen.apart if name not in REPEATS]
    if len(varied) == 1 and _numeric(seen, varied[0]):
        _scaling(seen, varied[0], quality, row)
        return
    names = {name: title(name) for name in varied}
    reached = seen.table["quality" if quality == seen.metric else "loss"].to_numpy()
    figure = parallel(seen.apart[varied].rename(columns=names), reached, quality, better(quality), page.dark())
    page.show(figure, key="compare-parallel")
    broken = Counter(seen.table["status"][seen.table["quality"].isna()])
    if missing := ", ".join(f"{count} {status}" for status, count in broken.items()):
        st.caption(f"Without a result yet, and not drawn: {missing}.")


def _numeric(seen: Several, name: str) -> bool:
    values = seen.apart[name]
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _scaling(seen: Several, name: str, quality: str, row: DeltaGenerator) -> None:
    along, sizes = title(name), seen.apart[name].to_numpy(float)
    by_size = name not in TrainSpec.model_fields and name != EXAMPLES  # it makes the model larger or smaller
    if by_size and seen.table["parameters"].nunique() > 1:
        with row:
            chosen = st.selectbox(
                "Along the bottom",
                [along, "Parameters"],
                key=f"compare-size-{name}",
                width=150,
                persist_state="session",
            )
        if chosen == "Parameters":
            along, sizes = "Parameters", seen.table["parameters"].to_numpy()
    values = seen.table["lowest" if quality == "loss" else "quality"].to_numpy()
    law = power_law(sizes, values) if quality == "loss" and (along == "Parameters" or name == EXAMPLES) else None
    line = None
    if law:
        ends = np.geomspace(np.nanmin(sizes), np.nanmax(sizes), 50)
        line = (ends, law.at(ends), str(law))
    page.show(scaling(sizes, values, seen.names, along, quality, line, page.dark()), key="compare-scaling")
    if law:
        st.caption(
            f"The dashed line is a power law, n being {along.lower()}: a straight line through the logarithms (Kaplan "
            "et al., 2020). It says how these runs went, and little of sizes beyond them."
        )
    elif quality == "loss" and name == EXAMPLES and len(set(sizes)) < LEAST:
        st.caption(f"A power law is drawn from {LEAST} different sizes on.")
