"""What a translator looks at while it writes, token by token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from explorer.data import PAD, START
from explorer.models.layers.decoder import AttentionGRU
from explorer.models.translator import Translator, translate
from explorer.probes.activations import one
from explorer.probes.attention import AttentionMap, attention_layers, by_head
from explorer.probes.capture import capture, quiet

BEST = 5
"""Tokens kept of each step."""


@dataclass(frozen=True)
class Alignment:
    """One translation, step by step.

    Attributes:
        read: (T,) token the decoder was given at each step: the start token, then those before.
        wrote: (T,) token that follows: the right one, or the most probable one where the model writes by itself.
        maps: For each attention across at the source, (heads, T, S) weights.
        best, shares: (T, k) the most probable next tokens at each step, and their probabilities.
        share: (T,) probability of the token in `wrote`.
    """

    read: np.ndarray
    wrote: np.ndarray
    maps: tuple[AttentionMap, ...]
    best: np.ndarray
    shares: np.ndarray
    share: np.ndarray


def forced(model: Translator, x: torch.Tensor, right: torch.Tensor) -> Alignment:
    """While it is given the right translation (teacher forcing).

    Args:
        model: A translator.
        x: One source, (1, S) tokens.
        right: Its translation, (1, T + 1) tokens from start to end; padding behind it is left out.
    """
    return _steps(model, x, right[:, : max(2, int((right != PAD).sum()))])


def free(model: Translator, x: torch.Tensor, longest: int) -> Alignment:
    """While it writes by itself, always the most probable token (greedily).

    Args:
        model: A translator.
        x: One source, (1, S) tokens.
        longest: Most tokens to write; not more than the decoder was made for, ``dataset.target_shape.size[0]``.
    """
    with quiet(model):
        wrote = translate(model, one(x), longest)
    start = torch.full((1, 1), START, device=wrote.device)
    return _steps(model, x, torch.cat([start, wrote], dim=1))


def across(model: Translator) -> list[str]:
    """Names of the modules that pass on the weights of attention across at the source."""
    modules = dict(model.named_modules())
    parts = {name: name.removesuffix(".weights") for name in attention_layers(model)}
    return [
        name
        for name, part in parts.items()
        if part.endswith(".cross_attention") or isinstance(modules[part], AttentionGRU)
    ]


def _steps(model: Translator, x: torch.Tensor, tokens: torch.Tensor) -> Alignment:
    """All steps at once: no position of a decoder sees the ones after it."""
    read, wrote = tokens[:, :-1], tokens[0, 1:]
    layers = across(model)
    with torch.no_grad(), capture(model, layers) as seen:
        shares = model(one(x), read)[0].softmax(1)  # (T, vocabulary)
    allowed = (x != PAD).expand(len(wrote), -1).cpu().numpy()
    best = shares.topk(min(BEST, shares.shape[1]), dim=1)
    return Alignment(
        read[0].cpu().numpy().copy(),
        wrote.cpu().numpy().copy(),
        tuple(AttentionMap(layer, by_head(seen[layer]), allowed) for layer in layers),
        best.indices.cpu().numpy().copy(),
        best.values.cpu().numpy().copy(),
        shares.gather(1, wrote[:, None])[:, 0].cpu().numpy().copy(),
    )
