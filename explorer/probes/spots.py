"""Where one can look into a model: what its layers make, what they remember, where they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from explorer.probes.activations import feature_maps
from explorer.probes.attention import attention_layers, attention_map
from explorer.probes.recurrent import hidden_states, recurrent_layers


@dataclass(frozen=True)
class Spot:
    """One place in a model that can be seen.

    Attributes:
        name: Name of the module that is watched, such as ``transformer1.attention.weights``.
        layer: Name of the model's layer it belongs to, such as ``transformer1``.
        what: What it passes on: the layer's output, hidden states of a recurrent layer, or attention weights.
    """

    name: str
    layer: str
    what: Literal["output", "states", "attention"] = "output"

    @property
    def inner(self) -> str:
        """Which part of the layer it is, such as ``cross_attention`` or ``ahead1``; empty if the layer has one."""
        return self.name[len(self.layer) + 1 :].removesuffix("weights").rstrip(".")


def spots_of(model: nn.Module, layers: Sequence[str]) -> list[Spot]:
    """Every spot of a model, layer by layer.

    Args:
        model: The model.
        layers: Names of its layers, in order.
    """
    inner = [(name, "states") for name in recurrent_layers(model)]
    inner += [(name, "attention") for name in attention_layers(model)]
    found = []
    for layer in layers:
        found += [Spot(name, layer, what) for name, what in inner if name.startswith(f"{layer}.")]
        found.append(Spot(layer, layer))
    return found


def telling(spots: Sequence[Spot], convolutions: Sequence[str] = ()) -> Spot:
    """The spot that tells most of how a model works: its last attention, else its last hidden states on the way ahead,
    else its first convolution, else its first layer.
    """
    for what in ("attention", "states"):
        of = [spot for spot in spots if spot.what == what and "back" not in spot.inner]
        if of:
            return of[-1]
    return next((spot for spot in spots if spot.name in convolutions), spots[0])


def seen_at(model: nn.Module, spot: Spot, x: torch.Tensor, *more: torch.Tensor) -> np.ndarray:
    """What is seen at a spot of one example.

    Args:
        model: The model.
        spot: One of `spots_of`.
        x: One example, (1, …).
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.

    Returns:
        Of an output (C, H, W), (C, L), (L, D) or (D,) as from `feature_maps`; of states (L, H) as from
        `hidden_states`; of attention (heads, L, S) as from `attention_map`.
    """
    if spot.what == "attention":
        return attention_map(model, x, spot.name, *more).weights
    if spot.what == "states":
        return hidden_states(model, x, spot.name, *more).values
    return feature_maps(model, x, spot.name, *more).values
