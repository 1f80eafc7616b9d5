"""What a model does without some of its channels, units or heads."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from explorer.data import Dataset, Split
from explorer.models import Planned
from explorer.models.layers.attention import MultiHeadAttention
from explorer.probes.capture import ablated, quiet
from explorer.probes.representation import passes, positions
from explorer.training import Task, task_of
from explorer.training.measure import measure, most_at_once


@dataclass(frozen=True)
class Part:
    """A layer whose units can be switched off.

    Attributes:
        name: Name of the module, such as ``relu1`` or ``transformer1.attention``.
        unit: What is switched off: a head, a channel or a unit.
        count: How many there are.
        axis: Along which axis of the output they lie, as in `ablated`.
    """

    name: str
    unit: Literal["head", "channel", "unit"]
    count: int
    axis: int = 1

    def off(
        self, model: nn.Module, units: Sequence[int], means: torch.Tensor | None = None
    ) -> AbstractContextManager[None]:
        """Switch some of them off, to zero or to their `means`."""
        to = 0.0 if means is None else means[list(units)]
        return ablated(model, self.name, units, to, self.axis)


Off = tuple[Part, Sequence[int], torch.Tensor | None]
"""A part, the units of it that are off, and the means that take their place; zeros if None."""


@contextmanager
def without(model: nn.Module, off: Sequence[Off]) -> Iterator[None]:
    """Switch units of several layers off at once; as `ablated`, it leaves the model as it was."""
    with quiet(model), ExitStack() as stack:
        for part, units, means in off:
            stack.enter_context(part.off(model, units, means))
        yield


@dataclass(frozen=True)
class Ranking:
    """What it costs to switch each unit of a layer off, one at a time.

    Attributes:
        loss, metric: Of the whole model: the mean loss, and the metric of the task.
        losses, metrics: (U,) the same without each unit.
        examples: Over how many examples.
    """

    loss: float
    metric: float
    losses: np.ndarray
    metrics: np.ndarray
    examples: int

    @property
    def costs(self) -> np.ndarray:
        """(U,) by how much the loss is higher without each unit; below zero, the model is better without it."""
        return self.losses - self.loss

    @property
    def order(self) -> np.ndarray:
        """(U,) numbers of the units, the one whose removal costs most first."""
        return np.argsort(-self.costs, kind="stable")


def parts_of(model: nn.Module, layers: Sequence[Planned]) -> list[Part]:
    """Everything of a model that can be switched off in parts: heads of every attention; channels, units or columns of
    every layer but those that only reshape, and the last, which is the answer itself.
    """
    found = []
    heads = {name: module for name, module in model.named_modules() if isinstance(module, MultiHeadAttention)}
    for layer in layers[:-1]:
        inner = [name for name in heads if name == layer.name or name.startswith(f"{layer.name}.")]
        found += [Part(name, "head", heads[name].heads) for name in inner]
        if layer.name in heads or (layer.role == "other" and layer.parameters == 0):
            continue
        shape = layer.output.size
        if layer.output.kind == "sequence":
            found.append(Part(layer.name, "unit", shape[-1], -1))
        else:
            found.append(Part(layer.name, "channel" if len(shape) > 1 else "unit", shape[0]))
    return found


def telling_part(parts: Sequence[Part], layers: Sequence[Planned]) -> Part:
    """The part that tells most: the first attention of several heads, else the first activation, else the last."""
    bends = {layer.name for layer in layers if layer.role == "bend"}
    several = (part for part in parts if part.unit == "head" and part.count > 1)
    return next(several, next((part for part in parts if part.name in bends), parts[-1]))


def means_of(model: nn.Module, dataset: Dataset, part: Part, rows: np.ndarray) -> torch.Tensor:
    """Mean of each unit over training examples and places, without padding: (U,), or of heads (heads, D / heads).

    Args:
        model: The model.
        dataset: What it has learned.
        part: The layer.
        rows: Numbers of training examples.
    """
    split, total, count = dataset.train, 0.0, 0
    module = model.get_submodule(part.name)
    for some, values in _values(model, dataset, part, rows, module):
        if part.axis == 1 and part.unit != "head":
            values = values.transpose(0, 1).flatten(1).T  # (M, U)
        else:
            mask = positions(split, some, part.name, values.shape[1])
            values = values.flatten(0, 1) if mask is None else values[mask]  # (M, U)
        total, count = total + values.double().sum(0), count + len(values)
    mean = (total / count).float()
    return mean.unflatten(0, (module.heads, -1)) if part.unit == "head" else mean


def _values(
    model: nn.Module, dataset: Dataset, part: Part, rows: np.ndarray, module: nn.Module
) -> Generator[tuple[torch.Tensor, torch.Tensor], None, None]:
    """Numbers of examples, and what is replaced when their units are switched off."""
    if part.unit != "head":
        for some, seen in passes(model, dataset, dataset.train, rows, [part.name]):
            yield some, seen[part.name]
        return
    # What the heads found is the weights applied to the values, which stand beside each other.
    inner = [f"{part.name}.weights", f"{part.name}.value"]
    for some, seen in passes(model, dataset, dataset.train, rows, inner):
        weights, value = (seen[name] for name in inner)
        yield some, (weights @ module.split(value)).transpose(1, 2).flatten(2)  # (N, L, D)


def scores(
    model: nn.Module, dataset: Dataset, split: str, rows: np.ndarray, off: Sequence[Off] = ()
) -> dict[str, float]:
    """Mean ``loss`` and the metric of a model on some examples while units of some layers are off.

    Args:
        model: The model; it is left as it is.
        dataset: What it has learned.
        split, rows: The examples.
        off: What is switched off; the means as from `means_of`.
    """
    with without(model, off):
        return measure(model, *_measured(model, dataset, split, rows))


def ranking(
    model: nn.Module, dataset: Dataset, split: str, rows: np.ndarray, part: Part, means: torch.Tensor | None = None
) -> Generator[float, None, Ranking]:
    """Switch every unit of a layer off by itself, one after the other.

    Args:
        model, dataset, split, rows: As for `scores`.
        part: The layer.
        means: What takes the place of its units, as from `means_of`; zeros if None.

    Yields:
        How far it is, 0 to 1.
    """
    how, metric = _measured(model, dataset, split, rows), task_of(dataset).metric
    with part.off(model, []):
        whole = measure(model, *how)
    found = []
    for unit in range(part.count):
        yield unit / part.count
        with part.off(model, [unit], means):
            found.append(measure(model, *how))
    losses, metrics = (np.array([one[name] for one in found]) for name in ("loss", metric))
    return Ranking(whole["loss"], whole[metric], losses, metrics, len(rows))


def _measured(model: nn.Module, dataset: Dataset, split: str, rows: np.ndarray) -> tuple[Split, Task, int]:
    part, chosen, task = dataset.split(split), torch.as_tensor(rows), task_of(dataset)
    some = Split(part.inputs[chosen], part.targets[chosen], part.rows[rows])
    return some, task, most_at_once(model, some, task)
