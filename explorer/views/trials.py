"""Runs that answer a question instead of making a model to use: what they found, and the way on."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from explorer.runs.run import Run
from explorer.views import finder, one_batch, results, training, transport

PANELS: dict[str, Callable[[Run, pd.DataFrame], None]] = {"range test": finder.panel, "one batch": one_batch.panel}


def panel(run: Run) -> None:
    """The figures and words of such a run, in place of learning curves."""
    PANELS[run.spec.purpose](run, results.metrics(run.id))
    if run.status.over:
        if st.button(
            "Run again", icon=":material/replay:", key="again", help="The same model and settings, as a new run."
        ):
            training.start(run.spec.model_copy(update={"changes": ()}))
            st.rerun()
        transport.record(run)
