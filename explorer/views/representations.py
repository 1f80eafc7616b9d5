"""What layers make of many examples, worked out once for all sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.views import results
from explorer.views.server import store

if TYPE_CHECKING:
    from explorer.data.made import Example
    from explorer.models import Planned
    from explorer.probes.representation import How, Representation
    from explorer.probes.space import Basis, Measure

EXAMPLES = 1000
"""Most examples of one picture."""
KEPT = 6
"""Representations kept for all sessions together, of 24 MB at most each."""
NEIGHBOURS = 12

Layer = tuple[str, "How"]
"""Name of a layer, and how its output becomes a vector."""
Split = tuple[str, str]
"""Id of a run, and a split of its data."""


def layers_of(run_id: str) -> dict[str, Planned]:
    """The layers of a run's model by name."""
    from explorer.data import dataset_of
    from explorer.models import plan

    spec = store().get(run_id).spec
    return {layer.name: layer for layer in plan(spec.model, dataset_of(spec)).layers}


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def rows(of: Split, layer: Layer) -> np.ndarray:
    """Numbers of the examples that are drawn: as many as a look may take, spread evenly over the split."""
    from explorer.data import dataset_of
    from explorer.probes.representation import affordable, sample, size

    run = store().get(of[0])
    most = affordable(run.macs, size(layers_of(run.id)[layer[0]], layer[1]), EXAMPLES)
    return sample(len(dataset_of(run.spec).split(of[1])), most)


@st.cache_resource(max_entries=KEPT, show_spinner=False)  # read-only arrays, too large to be copied for each session
def represented(of: Split, step: int, layer: Layer) -> Representation:
    """What a layer makes of the examples at a step."""
    return _represent(of, step, layer, rows(of, layer))


def _represent(of: Split, step: int, layer: Layer, chosen: np.ndarray) -> Representation:
    from explorer.data import dataset_of
    from explorer.probes.representation import represent

    dataset = dataset_of(store().get(of[0]).spec)
    return represent(results.rebuilt(of[0], step), dataset, of[1], chosen, layers_of(of[0])[layer[0]], layer[1])


@st.cache_resource(max_entries=64, show_spinner=False)
def basis(of: Split, step: int, layer: Layer) -> Basis:
    """Principal components of the examples at a step."""
    from explorer.probes.space import pca

    return pca(represented(of, step, layer).values)


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def projected(of: Split, step: int, fitted: int, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Where the examples of a step lie on the principal components of another, (N, 3), and the share of their variance
    that each holds, (3,).
    """
    found, values = basis(of, fitted, layer), represented(of, step, layer).values
    return found.points(values), found.explained(values)


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def neighbours(of: Split, step: int, layer: Layer, example: Example, measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the nearest examples, among those that are drawn, and how far they are; the nearest first."""
    from explorer.probes.space import distances, nearest

    there = represented(of, step, layer)
    at = np.flatnonzero(rows(of, layer) == example) if isinstance(example, int) else ()
    one = there.values[at[0]] if len(at) else _one(of, step, layer, example)
    far = distances(there.values, one, measure)
    chosen = nearest(far, NEIGHBOURS, int(at[0]) if len(at) else None)
    return there.rows[chosen], far[chosen]


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def placed(of: Split, step: int, fitted: int, layer: Layer, example: Example) -> np.ndarray:
    """Where one example lies on principal components, (3,), also if it is not among those that are drawn."""
    return basis(of, fitted, layer).points(_one(of, step, layer, example)[None])[0]


def _one(of: Split, step: int, layer: Layer, example: Example) -> np.ndarray:
    """What a layer makes of one example, or of a made one: that is then all of its split."""
    from explorer.data import Split as Part
    from explorer.data import dataset_of
    from explorer.probes.representation import represent

    if isinstance(example, int):
        return _represent(of, step, layer, np.array([example])).values[0]
    dataset = dataset_of(store().get(of[0]).spec)
    x, targets = results.input_of(*of, example), dataset.split(of[1]).targets[:1]  # of a class nothing depends on it
    if dataset.task == "translation":
        targets = results.to_write(*of, example, step)
    alone = replace(dataset, **{of[1]: Part(x, targets, np.zeros(1, dtype=int))})
    return represent(results.rebuilt(of[0], step), alone, of[1], [0], layers_of(of[0])[layer[0]], layer[1]).values[0]
