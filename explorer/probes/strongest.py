"""Which examples excite a layer most, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.models.memory import at_once
from explorer.probes.capture import capture, quiet
from explorer.training.measure import AT_ONCE


@dataclass(frozen=True)
class Peaks:
    """The largest value of every channel of a layer, for each of N examples.

    Attributes:
        values: (N, C).
        places: (N, C, 2) or (N, C, 1): where in the map or sequence it is, the first of several equal ones; (N, C, 0)
            for a layer of plain units.
    """

    values: np.ndarray
    places: np.ndarray

    def first(self, channel: int, count: int = 9) -> np.ndarray:
        """Numbers of the examples with the largest values of a channel, the largest first."""
        return np.argsort(-self.values[:, channel], kind="stable")[:count]


def peaks(
    model: nn.Module,
    inputs: torch.Tensor,
    layer: str = "",
    *written: torch.Tensor,
    known: torch.Tensor | None = None,
) -> Peaks:
    """Find where each channel of a layer, or each answer of a model, is largest in every example.

    Args:
        model: Any module.
        inputs: (N, …).
        layer: A submodule that puts out (N, C, H, W), (N, C, L) or (N, C); or empty for what the model answers.
        *written: (N, T) what a decoder is given, too.
        known: If the layer puts out a sequence, (N, L, C): (N, L) whether there is something at each of its positions
            rather than padding.

    Raises:
        UnknownName: The model has no such layer.
    """
    values, places = [], []
    with quiet(model), torch.no_grad():
        size = at_once(AT_ONCE, lambda: model(inputs[:1], *(tokens[:1] for tokens in written)))
        for rows in torch.arange(len(inputs)).split(size):
            maps = _maps(model, [given[rows] for given in (inputs, *written)], layer)  # (n, C, …) or (n, L, C)
            if known is not None:
                maps = maps.masked_fill(~known[rows, :, None], -torch.inf).transpose(1, 2)  # (n, C, L)
            found, at = maps.flatten(2).max(2) if maps.ndim > 2 else (maps, torch.zeros_like(maps, dtype=torch.long))
            values.append(found.cpu().numpy())
            places.append(np.stack(np.unravel_index(at.cpu().numpy(), tuple(maps.shape[2:]) or (1,)), axis=-1))
    axes = maps.ndim - 2
    return Peaks(np.concatenate(values), np.concatenate(places)[..., : max(axes, 0)])


def _maps(model: nn.Module, batch: list[torch.Tensor], layer: str) -> torch.Tensor:
    if not layer:
        return model(*batch)
    with capture(model, [layer]) as seen:
        model(*batch)
    return seen[layer]
