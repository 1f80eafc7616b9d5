"""How the weights and the outputs of a layer are spread, step by step, and which units are dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.distribution import over_steps
from explorer.views import representations, results
from explorer.views.looks.base import Look
from explorer.views.options import ranges
from explorer.views.server import store

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from torch import nn

    from explorer.probes.distribution import Activity, Spread
    from explorer.views.options import Options
    from explorer.views.view import View

WEIGHTS, ACTIVATIONS = "weights", "activations"
ALL = "all"
READ = 128 * 2**20
"""Most bytes of weights read for one picture."""
STEPS = {WEIGHTS: 60, ACTIVATIONS: 8}
"""Most steps of one picture: for activations the examples pass through the model at each."""
EXAMPLES, VALUES = 200, 200_000
"""Most examples and, about, values of one histogram of activations."""
LIVED = 500
"""Most examples over which a unit must be zero to count as dead."""
Chosen = tuple[str, str, str, tuple[int, ...]]
"""Weights or activations, the layer or module, which of its tensors, and the steps."""


class WeightsAndActivations(Look):
    """How the weights of a layer, or the values it puts out, are spread at each kept step: one column of colour for
    each step, strongest where most values lie, and bars for the step you look at. The table counts the units that say
    nothing.
    """

    name = "spread"
    title = "Weights and activations"
    order = 40
    steady = "It shows the steps of the training in one picture as it is."
    misleads = (
        "A layer of small weights is not unimportant, since what follows may enlarge it; and a unit that is dead for "
        "these examples may speak for others."
    )

    def settle(self, view: View, options: Options) -> Chosen:
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("spread-choice")):
            what = options.one("of", "Of", [WEIGHTS, ACTIVATIONS])
            if what == WEIGHTS:
                known = [name for name, layer in view.layers.items() if layer.parameters]
                layer = options.one("layer", "Layer", known, few=0, width=240)
                tensors = _tensors(view.run.id, layer)
                tensor = ALL
                if len(tensors) > 1:
                    tensor = options.one("tensor", "Which of them", [ALL, *tensors], few=0, width=240)
            else:
                layer, tensor = options.one("layer", "Layer", _modules(view.run.id), few=0, width=240), ""
        return what, layer, tensor, _steps(view, what)

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        what, layer, tensor, steps = chosen
        if what == WEIGHTS:
            found = _weights(view.run.id, layer, tensor, steps)
            title = f"{layer}: weights at {len(steps)} steps"
        else:
            found = _activations(view.run.id, view.split, layer, steps)
            title = f"{layer}: activations at {len(steps)} steps"
        now = found.shares[steps.index(view.step)]
        low, high = _middle(found, now)
        alt = f"{title}. At step {view.step} half of all values lie between {low:.3g} and {high:.3g}."
        axis = "weight" if what == WEIGHTS else "activation"
        return over_steps(found.edges, found.shares, steps, view.step, title, alt, axis, dark)

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        if chosen[0] == ACTIVATIONS:
            count = len(_sample(view.run.id, view.split, chosen[1]))
            st.caption(f"Over {count} examples of the {view.split} split; padding does not count.")
        _units(view, options.key("units-that-say-nothing"))


def _steps(view: View, what: str) -> tuple[int, ...]:
    """The steps of one picture, evenly among the kept ones, with the one that is looked at."""
    most = STEPS[what]
    if what == WEIGHTS:
        size = 4 * sum(layer.parameters for layer in view.layers.values())
        most = int(max(4, min(most, READ // max(1, size))))
    from explorer.probes.representation import sample

    kept = {view.steps[n] for n in sample(len(view.steps), most).tolist()}
    return tuple(sorted(kept | {view.step}))


def _middle(found: Spread, shares: np.ndarray) -> tuple[float, float]:
    """Where the middle half of all values lies, to a bin."""
    reached = np.cumsum(shares)
    low, high = (int(np.searchsorted(reached, quarter)) for quarter in (0.25, 0.75))
    return float(found.edges[low]), float(found.edges[min(high + 1, len(found.edges) - 1)])


# -- units ------------------------------------------------------------------------------------------------------------


def _units(view: View, key: str) -> None:
    """A table of the activations of the model and their units that say nothing."""
    found, examples = _activities(view.run.id, view.step, view.split)
    if not found:
        st.caption("The model has no ReLU, tanh or sigmoid between its layers, in which units could die or saturate.")
        return
    st.markdown(f"**Units that say nothing** at step {view.step}, over {examples} {view.split} examples")
    table = pd.DataFrame(
        {
            "activation": [one.name for one in found],
            "kind": [one.kind for one in found],
            "units": [len(one.strongest) for one in found],
            "dead": [str(len(one.dead)) if one.kind == "ReLU" else "" for one in found],
            "which": [ranges(one.dead.tolist()).replace(",", ", ") for one in found],
            "zero": [f"{one.zero:.0%}" if one.kind == "ReLU" else "" for one in found],
            "saturated": ["" if one.kind == "ReLU" else f"{one.saturated:.0%}" for one in found],
        }
    )
    said = (
        "Dead: a unit or channel of a ReLU that is zero for every one of these examples at every place; no gradient "
        "passes through it, so training can hardly wake it. Zero: share of all values."
    )
    if any(table["saturated"]):
        said += (
            " Saturated: share of the values of a tanh beyond ±0.95, or of a sigmoid beyond 0.025 and 0.975, where it "
            "hardly changes any more."
        )
    else:
        del table["saturated"]
    st.dataframe(table, hide_index=True, height="content", key=key)
    st.caption(said)


# -- results ----------------------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner=False)
def _tensors(run_id: str, layer: str) -> list[str]:
    from explorer.probes.distribution import tensors_of

    return tensors_of(_built(run_id), layer)


@st.cache_data(max_entries=64, show_spinner=False)
def _modules(run_id: str) -> list[str]:
    """The layers of a model, and before each the activations inside it."""
    from explorer.probes.distribution import bends

    inner = list(bends(_built(run_id)))
    layers = representations.layers_of(run_id)
    return [name for layer in layers for name in (*(one for one in inner if one.startswith(f"{layer}.")), layer)]


def _built(run_id: str) -> nn.Module:
    from explorer.data import dataset_of
    from explorer.models import build

    spec = store().get(run_id).spec
    return build(spec.model, dataset_of(spec))


@st.cache_data(max_entries=results.KEPT, show_spinner="Reading the weights of every step")
def _weights(run_id: str, layer: str, tensor: str, steps: tuple[int, ...]) -> Spread:
    from explorer.probes.distribution import spread, weights_at

    names = _tensors(run_id, layer) if tensor == ALL else [tensor]
    return spread([weights_at(store().snapshots.load(run_id, step), layer, names) for step in steps])


def _sample(run_id: str, split: str, name: str) -> np.ndarray:
    """Numbers of the examples of a histogram of activations."""
    from explorer.data import dataset_of
    from explorer.probes.representation import affordable, sample

    run, layers = store().get(run_id), representations.layers_of(run_id)
    layer = next(layer for own, layer in layers.items() if name == own or name.startswith(f"{own}."))
    per_example = max(1, layer.activations if name != layer.name else int(np.prod(layer.output.size)))
    most = affordable(run.macs * STEPS[ACTIVATIONS], 0, min(EXAMPLES, max(8, VALUES // per_example)))
    return sample(len(dataset_of(run.spec).split(split)), most)


@st.cache_data(max_entries=results.KEPT, show_spinner="Passing examples through every step")
def _activations(run_id: str, split: str, name: str, steps: tuple[int, ...]) -> Spread:
    from explorer.probes.distribution import spread

    return spread([_outputs(run_id, split, name, step) for step in steps])


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner=False)
def _outputs(run_id: str, split: str, name: str, step: int) -> np.ndarray:
    from explorer.data import dataset_of
    from explorer.probes.distribution import outputs

    dataset, rows = dataset_of(store().get(run_id).spec), _sample(run_id, split, name)
    return outputs(results.rebuilt(run_id, step), dataset, split, rows, name, representations.layers_of(run_id))


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _activities(run_id: str, step: int, split: str) -> tuple[list[Activity], int]:
    from explorer.data import dataset_of
    from explorer.probes.distribution import activities
    from explorer.probes.representation import affordable, sample

    run = store().get(run_id)
    dataset = dataset_of(run.spec)
    rows = sample(len(dataset.split(split)), affordable(run.macs, 0, LIVED))
    layers = representations.layers_of(run_id)
    return activities(results.rebuilt(run_id, step), dataset, split, rows, layers), len(rows)
