"""What there is one of on a server: its settings, its store, its engine."""

from __future__ import annotations

import threading

import streamlit as st

from explorer.runs.compute import Compute
from explorer.runs.settings import Settings
from explorer.runs.store import RunStore


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """Settings of this server."""
    return Settings.read()


@st.cache_resource(show_spinner=False)
def store() -> RunStore:
    """The run store of this server."""
    return RunStore(settings().home)


@st.cache_resource(show_spinner=False)
def compute() -> Compute:
    """The engine that trains, and a thread that imports what the first click will need."""
    threading.Thread(target=_warm, name="warm-up", daemon=True).start()
    return Compute(settings())


def _warm() -> None:
    import captum.attr  # noqa: F401

    from explorer.data import DATASETS, load_dataset
    from explorer.models import plan, preset

    for name in DATASETS:
        plan(preset("mlp", load_dataset(name)), load_dataset(name))
