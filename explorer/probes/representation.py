"""What a layer makes of many examples: one vector for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from explorer.data import PAD, Dataset, Split
from explorer.models import Planned
from explorer.models.memory import at_once
from explorer.probes.capture import capture
from explorer.training import task_of

How = Literal["flattened", "averaged"]
"""All values of a layer side by side, or their mean over space, time or positions."""
WORK = 1.5e9
"""Most multiply-adds of one look at many examples: half a second of one core, or less."""
VALUES = 6_000_000
"""Most values that are kept of one look."""
PASS = 128
"""Most examples worked on at once."""


@dataclass(frozen=True)
class Representation:
    """What one layer makes of N examples.

    Attributes:
        layer: Its name.
        rows: (N,) numbers of the examples in their split.
        values: (N, D) float32, read-only.
    """

    layer: str
    rows: np.ndarray
    values: np.ndarray


def sample(size: int, most: int) -> np.ndarray:
    """Numbers of at most so many of `size` examples, spread evenly."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def affordable(macs: int, values: int, most: int) -> int:
    """How many examples one look may take, `most` at most.

    Args:
        macs: Multiply-adds of the model for one example.
        values: Values that are kept of one example.
        most: As many as are worth it.
    """
    return int(max(2, min(most, WORK // max(1, macs), VALUES // max(1, values))))


def size(layer: Planned, how: How) -> int:
    """Length of the vector that a layer gives an example."""
    shape = layer.output.size
    if how == "flattened" or len(shape) == 1:
        return int(np.prod(shape))
    return shape[-1] if layer.output.kind == "sequence" else shape[0]


def represent(
    model: nn.Module, dataset: Dataset, split: str, rows: Sequence[int] | np.ndarray, layer: Planned, how: How
) -> Representation:
    """What a layer makes of some examples of a split, in eval mode.

    Args:
        model: The model; a translator is given the right translation to write.
        dataset: Where the examples are.
        split: train, validation or test.
        rows: Numbers of the examples.
        layer: One of the model's plan.
        how: ``flattened``: all values side by side, those of padding as zeros; ``averaged``: of images and series
            the mean of each channel over all places, of sequences the mean over all positions but padding.
    """
    part = dataset.split(split)
    found = []
    for chosen, outputs in passes(model, dataset, part, rows, [layer.name]):
        output = outputs[layer.name]
        if layer.output.kind == "sequence":
            mask = positions(part, chosen, layer.name, output.shape[1])
            output = _of_sequence(output, mask, how)
        elif how == "averaged" and output.ndim > 2:
            output = output.flatten(2).mean(2)  # (N, C)
        found.append(output.flatten(1).cpu().numpy())
    values = np.concatenate(found).astype(np.float32)
    values.flags.writeable = False
    return Representation(layer.name, np.asarray(rows), values)


def passes(
    model: nn.Module, dataset: Dataset, part: Split, rows: Sequence[int] | np.ndarray, layers: Sequence[str]
) -> Iterator[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    """Let a model work on some examples of a split, batch by batch, in eval mode and without gradients.

    Yields:
        Numbers of the examples, and what the layers put out for them, by name.
    """
    task, device = task_of(dataset), next(model.parameters()).device

    def run(chosen: torch.Tensor) -> None:
        task.run(model, part.inputs[chosen].to(device), part.targets[chosen].to(device))

    chosen = torch.as_tensor(np.asarray(rows))
    batch = at_once(PASS, lambda: run(chosen[:1]))
    for some in chosen.split(batch):
        with torch.no_grad(), capture(model, layers) as seen:
            run(some)
        yield some, seen


def positions(part: Split, rows: torch.Tensor, layer: str, length: int) -> torch.Tensor | None:
    """(N, L) which positions of a sequence hold something; None if all do, as those of images and series."""
    if part.inputs.dtype != torch.long:
        return None
    tokens = part.targets[rows, :-1] if layer.startswith("decoder.") else part.inputs[rows]
    mask = tokens != PAD
    return nn.functional.pad(mask, (length - mask.shape[1], 0), value=True)  # class tokens stand in front


def _of_sequence(output: torch.Tensor, mask: torch.Tensor | None, how: How) -> torch.Tensor:
    """(N, L, D) → (N, L, D) with zeros in place of padding, or the mean over the positions, (N, D)."""
    if mask is None:
        return output.mean(1) if how == "averaged" else output
    known = mask.to(output)[:, :, None]  # (N, L, 1)
    output = output * known
    return output.sum(1) / known.sum(1).clamp(min=1) if how == "averaged" else output
