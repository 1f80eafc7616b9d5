"""What all sessions share: the store, the engine, and bounded caches of frozen results.

No module is shared: PyTorch modules carry hooks, modes and gradients, so each computation builds its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import pandas as pd
import streamlit as st

from explorer.runs.compute import Compute
from explorer.runs.settings import Settings
from explorer.runs.store import RunStore

KEPT = 512
"""Results of each kind kept for all sessions together."""


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


@st.cache_resource(show_spinner=False)
def _curves() -> Curves:
    return Curves(store())


class Curves:
    """Metrics of the runs that are being watched, read on from where the last reader was."""

    def __init__(self, store: RunStore, runs: int = 64) -> None:
        self._store, self._runs = store, runs
        self._known: OrderedDict[str, pd.DataFrame] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, run_id: str) -> pd.DataFrame:
        """All metrics of a run so far; do not change the table."""
        with self._lock:
            known = self._known.get(run_id)
        fresh = self._store.metrics(run_id, 0 if known is None or known.empty else int(known["id"].iloc[-1]))
        table = fresh if known is None or known.empty else pd.concat([known, fresh]) if len(fresh) else known
        with self._lock:
            self._known[run_id] = table
            self._known.move_to_end(run_id)
            while len(self._known) > self._runs:
                self._known.popitem(last=False)
        return table


def metrics(run_id: str) -> pd.DataFrame:
    """All metrics of a run so far."""
    return _curves().read(run_id)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def prediction(run_id: str, step: int, split: str, example: int) -> object:
    """What a run's model at a step answers for an example."""
    from explorer.probes import predict

    return predict(_model(run_id, step), _input(run_id, split, example))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def feature_maps(run_id: str, step: int, split: str, example: int, layer: str) -> object:
    """What a layer makes of an example."""
    from explorer import probes

    return probes.feature_maps(_model(run_id, step), _input(run_id, split, example), layer)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def filters(run_id: str, step: int, layer: str) -> object:
    """Weights of a convolution."""
    from explorer import probes

    return probes.filters(_model(run_id, step), layer)


@st.cache_data(max_entries=KEPT, show_spinner=False)
def attribution(run_id: str, step: int, split: str, example: int, method: str, target: int) -> object:
    """An explanation of an answer, with the method's default parameters."""
    from explorer.attribution import attribute

    return attribute(method, _model(run_id, step), _input(run_id, split, example), target)


def applicable(run_id: str, step: int, split: str, example: int) -> dict[str, str | None]:
    """For each attribution method why it does not apply to a run's model, or None."""
    from explorer.attribution import METHODS

    model, x = _model(run_id, step), _input(run_id, split, example)
    return {method.name: method.needs(model, x) for method in METHODS.values()}


def _model(run_id: str, step: int) -> object:
    from explorer.runs.replay import model_at

    return model_at(store(), run_id, step)


def _input(run_id: str, split: str, example: int) -> object:
    from explorer.data import load_dataset

    return load_dataset(store().get(run_id).spec.dataset).split(split).inputs[example : example + 1]
