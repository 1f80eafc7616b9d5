"""What there is one of on a server: its settings, its store, its engine."""

from __future__ import annotations

import gc
import threading
import time

import streamlit as st

from explorer.runs.compute import Compute
from explorer.runs.settings import Settings
from explorer.runs.store import RunStore

LATER_SECONDS = 10.0
"""After so long the first click is done, which importing what only Evaluate needs would slow."""


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
    """The engine that trains."""
    return Compute(settings())


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import in the background, once the first page is drawn, what the next click will need."""
    thread = threading.Thread(target=_warm, name="warm-up", daemon=True)
    thread.start()
    return thread


def _warm() -> None:
    import torch

    torch.set_num_threads(1)
    from explorer.data import load_dataset
    from explorer.models import plan, preset
    from explorer.runs import execute  # noqa: F401

    dataset = load_dataset("digits")
    plan(preset("cnn", dataset), dataset)
    import captum.attr
    import captum.robust  # noqa: F401

    _leave_out_of_collections()
    time.sleep(LATER_SECONDS)
    import sklearn.metrics  # noqa: F401

    _leave_out_of_collections()


def _leave_out_of_collections() -> None:
    """Keep Python's collector from going through what stays for good: it takes 0.3 s, while everybody waits."""
    gc.collect()
    gc.freeze()
