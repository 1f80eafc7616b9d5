"""Where attention looks, read from the modules that pass its weights on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable
from explorer.probes.activations import feature_maps


@dataclass(frozen=True)
class AttentionMap:
    """Where one attention looks in one example.

    Attributes:
        layer: Name of the module that passes the weights on, such as ``transformer1.attention.weights``.
        weights: (heads, L, S): how much each of L places takes from each of S; the S weights of a place add up to 1.
            Additive attention over positions looks from one place only.
    """

    layer: str
    weights: np.ndarray


def attention_layers(model: nn.Module) -> list[str]:
    """Names of the modules of a model that pass attention weights on, in the model's order."""
    return [
        f"{name}.weights"
        for name, module in model.named_modules()
        if isinstance(getattr(module, "weights", None), nn.Identity)
    ]


def attention_map(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> AttentionMap:
    """Where one attention looks (Bahdanau et al., 2014; Vaswani et al., 2017).

    Args:
        model: A model with attention.
        x: One example, (1, …).
        layer: One of `attention_layers`.
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.

    Raises:
        UnknownName: The model has no such module.
        NotApplicable: The module does not pass attention weights on.
    """
    known = attention_layers(model)
    if layer not in known and layer in dict(model.named_modules()):
        raise NotApplicable(
            f"{layer} passes no attention weights on. "
            + (f"Choose one of: {', '.join(known)}." if known else "This model has no attention.")
        )
    weights = feature_maps(model, x, layer, *more).values  # (S,), (L, S) or (heads, L, S)
    return AttentionMap(layer, weights.reshape((1,) * (3 - weights.ndim) + weights.shape))
