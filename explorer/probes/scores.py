"""Attention step by step: from scores to what each place takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.models.layers.attention import MultiHeadAttention
from explorer.probes.activations import one
from explorer.probes.attention import MASKED, by_head, of_attention
from explorer.probes.capture import capture


@dataclass(frozen=True)
class AttentionSteps:
    """Every step of one attention for one example, in float64, worked out from its queries, keys and values.

    Additive attention scores with a small network instead of queries and keys: `query`, `key`, `products` and `scaled`
    are None, and it has one head.

    Attributes:
        layer: Name of the module that passes the weights on, such as ``transformer1.attention.weights``.
        query: (heads, L, d).
        key, value: (heads, S, d).
        products: (heads, L, S): ``Q Kᵀ``.
        scaled: ``Q Kᵀ / √d``.
        masked: The scores behind the mask: minus infinity where a place may not look.
        weights: Their softmax over the S places.
        mixed: (heads, L, d): ``weights V``, what each place takes.
        output: (L, D): what the layer puts out; of a decoding GRU the context it looked up.
        again: (L, D): the same, worked out from `mixed`.
    """

    layer: str
    query: np.ndarray | None
    key: np.ndarray | None
    value: np.ndarray
    products: np.ndarray | None
    scaled: np.ndarray | None
    masked: np.ndarray
    weights: np.ndarray
    mixed: np.ndarray
    output: np.ndarray
    again: np.ndarray

    @property
    def error(self) -> float:
        """Largest difference between `output` and `again`."""
        return float(np.abs(self.output - self.again).max(initial=0.0))


def attention_steps(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> AttentionSteps:
    """Every step of one attention (Vaswani et al., 2017, equation 1; Bahdanau et al., 2014, appendix A.1.2).

    Args:
        model: A model with attention.
        x: One example, (1, …).
        layer: One of `attention_layers`.
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.

    Raises:
        UnknownName: The model has no such module.
        NotApplicable: The module does not pass attention weights on.
    """
    name = of_attention(model, layer).removesuffix(".weights")
    module = model.get_submodule(name)
    dot = isinstance(module, MultiHeadAttention)
    parts = [f"{name}.{part}" for part in (("query", "key") if dot else ()) + ("value", "scores")]
    with torch.no_grad(), capture(model, [*parts, name]) as seen:
        model(one(x), *more)
    scores = by_head(seen[f"{name}.scores"]).astype(float)
    output = _rows(seen[name])
    if dot:
        return _dot_product(
            layer, module, {part: seen[f"{name}.{part}"] for part in ("query", "key", "value")}, scores, output
        )
    masked = np.where(scores > MASKED, scores, -np.inf)
    value, weights = _rows(seen[f"{name}.value"])[None], softmax(masked)
    mixed = weights @ value  # (1, L, E)
    return AttentionSteps(
        layer, None, None, value, None, None, masked, weights, mixed, output[:, -value.shape[2] :], mixed[0]
    )


def softmax(scores: np.ndarray) -> np.ndarray:
    """Over the last axis; minus infinity weighs nothing."""
    raised = np.exp(scores - scores.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def _dot_product(
    layer: str, module: MultiHeadAttention, seen: dict[str, torch.Tensor], scores: np.ndarray, output: np.ndarray
) -> AttentionSteps:
    query, key, value = (module.split(seen[part])[0].cpu().double().numpy() for part in ("query", "key", "value"))
    products = query @ key.swapaxes(1, 2)  # (heads, L, S)
    scaled = products / query.shape[2] ** 0.5
    masked = np.where(scores > MASKED, scaled, -np.inf)
    weights = softmax(masked)
    mixed = weights @ value  # (heads, L, d)
    side_by_side = mixed.swapaxes(0, 1).reshape(mixed.shape[1], -1)  # (L, D)
    out, bias = (part.detach().cpu().double().numpy() for part in (module.out.weight, module.out.bias))
    again = side_by_side @ out.T + bias
    return AttentionSteps(layer, query, key, value, products, scaled, masked, weights, mixed, output, again)


def _rows(seen: torch.Tensor) -> np.ndarray:
    """What was seen of one example, (1, D) or (1, L, D), as (L, D)."""
    return np.atleast_2d(seen[0].cpu().double().numpy())
