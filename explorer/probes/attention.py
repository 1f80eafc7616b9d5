"""Where attention looks, read from the modules that pass its weights on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.probes.activations import one
from explorer.probes.capture import capture

MASKED = -1e8
"""Scores below this were put there by a mask."""


@dataclass(frozen=True)
class AttentionMap:
    """Where one attention looks in one example.

    Attributes:
        layer: Name of the module that passes the weights on, such as ``transformer1.attention.weights``.
        weights: (heads, L, S): how much each of L places takes from each of S; the S weights of a place add up to 1.
            Additive attention over positions looks from one place only.
        allowed: (L, S): whether a place may look at another: not at padding, and in causal attention not ahead.
    """

    layer: str
    weights: np.ndarray
    allowed: np.ndarray


def attention_layers(model: nn.Module) -> list[str]:
    """Names of the modules of a model that pass attention weights on, in the model's order."""
    return [
        f"{name}.weights"
        for name, module in model.named_modules()
        if isinstance(getattr(module, "weights", None), nn.Identity)
    ]


def attention_maps(model: nn.Module, x: torch.Tensor, *more: torch.Tensor) -> tuple[AttentionMap, ...]:
    """Where every attention of a model looks (Bahdanau et al., 2014; Vaswani et al., 2017), in the model's order.

    Args:
        model: Any model; one without attention has no maps.
        x: One example, (1, …).
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.
    """
    return _maps(model, attention_layers(model), x, *more)


def attention_map(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> AttentionMap:
    """The same for one attention.

    Args:
        model: A model with attention.
        x: One example, (1, …).
        layer: One of `attention_layers`.
        *more: As for `attention_maps`.

    Raises:
        UnknownName: The model has no such module.
        NotApplicable: The module does not pass attention weights on.
    """
    return _maps(model, [of_attention(model, layer)], x, *more)[0]


def of_attention(model: nn.Module, layer: str) -> str:
    """Check that a module passes attention weights on; returns its name."""
    known, modules = attention_layers(model), dict(model.named_modules())
    if layer not in modules:
        raise UnknownName("layer in this model", layer, [name for name in modules if name])
    if layer not in known:
        raise NotApplicable(
            f"{layer} passes no attention weights on. "
            + (f"Choose one of: {', '.join(known)}." if known else "This model has no attention.")
        )
    return layer


def _maps(model: nn.Module, layers: list[str], x: torch.Tensor, *more: torch.Tensor) -> tuple[AttentionMap, ...]:
    scores = [f"{layer.removesuffix('weights')}scores" for layer in layers]
    with torch.no_grad(), capture(model, [*layers, *scores]) as seen:
        model(one(x), *more)
    return tuple(
        AttentionMap(layer, by_head(seen[layer]), by_head(seen[score])[0] > MASKED)
        for layer, score in zip(layers, scores, strict=True)
    )


def by_head(seen: torch.Tensor) -> np.ndarray:
    """What was seen of one example, (1, S), (1, L, S) or (1, heads, L, S), as (heads, L, S)."""
    values = seen[0].detach().cpu().numpy().copy()
    return values.reshape((1,) * (3 - values.ndim) + values.shape)
