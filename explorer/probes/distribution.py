"""How the weights and the outputs of a layer are spread, and which of its units never say anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.data import Dataset, Split
from explorer.models import Planned
from explorer.probes.representation import passes, positions

BINS = 48
"""Most bins of a histogram."""
SATURATED = 0.95
"""A tanh beyond this, to either side, hardly changes any more; a sigmoid, which is half a tanh, likewise."""
_BENDS = {nn.ReLU: "ReLU", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}


@dataclass(frozen=True)
class Spread:
    """Histograms of several sets of values over the same bins.

    Attributes:
        edges: (B + 1,) where the bins end.
        counts: (S, B) how many values of each set are in each bin.
    """

    edges: np.ndarray
    counts: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """(S, B) counts as shares of each set, 0 to 1."""
        return self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)


@dataclass(frozen=True)
class Activity:
    """What the units of one activation did over a sample of examples.

    Attributes:
        name: Name of the module, such as ``relu1`` or ``transformer1.feed_forward.1``.
        kind: ReLU, tanh or sigmoid.
        strongest: (U,) largest magnitude of each channel or unit, over all examples and places.
        saturated: Share of all values that are saturated, 0 to 1; 0 for a ReLU.
        zero: Share of all values that are exactly zero, 0 to 1.
    """

    name: str
    kind: str
    strongest: np.ndarray
    saturated: float
    zero: float

    @property
    def dead(self) -> np.ndarray:
        """Numbers of the units of a ReLU that were zero for every example at every place; none for others."""
        return np.flatnonzero(self.strongest == 0) if self.kind == "ReLU" else np.array([], dtype=int)


def spread(values: Sequence[np.ndarray]) -> Spread:
    """Histograms of several sets of values, from the smallest of all values to the largest; few values get few bins."""
    bins = int(np.clip(1.5 * min(v.size for v in values) ** 0.5, 12, BINS))
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    ends = (float(low), float(high)) if high > low else (float(low) - 0.5, float(high) + 0.5)
    counts = [np.histogram(v, bins, ends)[0] for v in values]
    return Spread(np.linspace(*ends, bins + 1), np.stack(counts))


def tensors_of(model: nn.Module, layer: str) -> list[str]:
    """Names of the weights of a layer, without the layer's own name: ``weight``, ``attention.query.bias`` …"""
    return [name for name, _ in model.get_submodule(layer).named_parameters()]


def weights_at(state: Mapping[str, torch.Tensor], layer: str, names: Sequence[str]) -> np.ndarray:
    """Some weights of a layer as one flat array.

    Args:
        state: Weights of a model by name, as of a snapshot.
        layer: The layer.
        names: Some of `tensors_of`.
    """
    return np.concatenate([state[f"{layer}.{name}"].float().flatten().numpy() for name in names])


def bends(model: nn.Module) -> dict[str, str]:
    """The activations of a model that units can die or saturate in: name to kind, in the model's order."""
    return {name: _BENDS[type(module)] for name, module in model.named_modules() if type(module) in _BENDS}


def outputs(
    model: nn.Module, dataset: Dataset, split: str, rows: np.ndarray, name: str, layers: Mapping[str, Planned]
) -> np.ndarray:
    """All values that a module puts out for some examples, (U, M): a row for each channel or unit; without padding.

    Args:
        model: The model.
        dataset, split, rows: The examples.
        name: Name of the module.
        layers: The layers of the model's plan by name.
    """
    part = dataset.split(split)
    found = [
        _by_unit(seen[name], _positions(part, some, name, layers, seen[name]), _is_sequence(name, layers))
        for some, seen in passes(model, dataset, part, rows, [name])
    ]
    return torch.cat(found, dim=1).cpu().numpy()


def activities(
    model: nn.Module, dataset: Dataset, split: str, rows: np.ndarray, layers: Mapping[str, Planned]
) -> list[Activity]:
    """What the units of every activation of a model do over some examples, in eval mode; padding does not count."""
    kinds, part = bends(model), dataset.split(split)
    strongest: dict[str, torch.Tensor] = {}
    sums = {name: torch.zeros(3, dtype=torch.float64) for name in kinds}  # saturated, zero, all
    for some, seen in passes(model, dataset, part, rows, list(kinds)):
        for name, kind in kinds.items():
            mask = _positions(part, some, name, layers, seen[name])
            values = _by_unit(seen[name], mask, _is_sequence(name, layers)).cpu()  # (U, M)
            most = values.abs().amax(1)
            strongest[name] = torch.maximum(strongest.get(name, most), most)
            counts = [_saturated(values, kind).sum(), (values == 0).sum(), torch.tensor(values.numel())]
            sums[name] += torch.stack(counts).double()
    return [
        Activity(name, kind, strongest[name].numpy(), *(sums[name][:2] / sums[name][2]).tolist())
        for name, kind in kinds.items()
    ]


def _saturated(values: torch.Tensor, kind: str) -> torch.Tensor:
    if kind == "ReLU":
        return torch.zeros_like(values, dtype=torch.bool)
    return (values if kind == "tanh" else 2 * values - 1).abs() > SATURATED


def _owner(name: str, layers: Mapping[str, Planned]) -> Planned:
    """The layer of the plan that a module is, or is a part of."""
    return next(layer for layer in layers.values() if name == layer.name or name.startswith(f"{layer.name}."))


def _is_sequence(name: str, layers: Mapping[str, Planned]) -> bool:
    """Whether units are along the last axis: so they are inside layers that read a sequence."""
    layer = _owner(name, layers)
    return "sequence" in (layer.given.kind, layer.output.kind)


def _positions(
    part: Split, rows: torch.Tensor, name: str, layers: Mapping[str, Planned], output: torch.Tensor
) -> torch.Tensor | None:
    """(N, L) which positions of what a module puts out hold something; None if all do."""
    if output.ndim != 3 or not _is_sequence(name, layers):
        return None
    return positions(part, rows, name, output.shape[1])


def _by_unit(output: torch.Tensor, mask: torch.Tensor | None, sequence: bool) -> torch.Tensor:
    """(N, C, …), (N, D) or (N, L, D) → (C or D, M): a row for each channel or unit."""
    if output.ndim == 3 and sequence:
        output = output[mask] if mask is not None else output.flatten(0, 1)
    return output.transpose(0, 1).flatten(1)
