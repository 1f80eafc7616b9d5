"""Attention: additive over positions, and scaled dot-product between them."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.errors import SpecError
from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Shape


class AdditiveAttention(nn.Module):
    """A learned score for each position, softmax over positions, weighted sum: (N, L, D) → (N, D).

    ``score = v · tanh(W h + b)`` (Bahdanau et al., 2014; Yang et al., 2016, equations 5 to 7). So that they can be
    seen, modules pass them on: ``scores`` behind the mask, ``weights`` the softmax, (N, L), and ``value`` what is
    weighed, (N, L, D).
    """

    masked = True

    def __init__(self, size: int, units: int) -> None:
        super().__init__()
        self.project = nn.Linear(size, units)
        self.tanh = nn.Tanh()
        self.score = nn.Linear(units, 1, bias=False)
        self.scores, self.weights, self.value = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        scores = self.score(self.tanh(self.project(x)))[:, :, 0]  # (N, L)
        if mask is not None:
            scores = scores.masked_fill(~mask, -1e9)
        weights = self.weights(self.scores(scores).softmax(1))  # (N, L)
        return (weights[:, None] @ self.value(x))[:, 0]  # (N, D)


class AttentionPool(Layer):
    """Weighs the positions by a learned score and keeps their weighted sum, so that one can see which ones counted
    (Bahdanau et al., 2014).

    (N, L, D) → (N, D).
    """

    name = "attentionpool"
    title = "Attention over positions"
    role = "attention"
    order = 61
    accepts = ("sequence",)
    gives = ("vector",)

    units: int = Field(32, ge=1, le=4096, description="Size of the hidden layer that scores a position.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(AdditiveAttention, (given.size[1], self.units))

    def windows(self) -> str:
        return WHOLE


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in several heads (Vaswani et al., 2017, equation 1 and section 3.2.2).

    ``softmax(Q Kᵀ / √d) V`` for each head on its d = D / heads columns: (N, L, D) → (N, L, D). Queries come from x;
    keys and values from `source` where it is given, else from x too. The modules ``scores``, behind the mask, and
    ``weights``, the softmax, pass them on, (N, heads, L, positions of the source), so that they can be seen.
    """

    masked = True

    def __init__(self, size: int, heads: int = 1, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.value = nn.Linear(size, size)
        self.scores, self.weights = nn.Identity(), nn.Identity()
        self.out = nn.Linear(size, size)

    def forward(
        self, x: torch.Tensor, mask: torch.Tensor | None = None, source: torch.Tensor | None = None
    ) -> torch.Tensor:
        source = x if source is None else source
        query, key, value = self.split(self.query(x)), self.split(self.key(source)), self.split(self.value(source))
        scores = query @ key.transpose(2, 3) / query.shape[3] ** 0.5  # (N, heads, L, S)
        if mask is not None:  # (N, S), True where there is a token
            scores = scores.masked_fill(~mask[:, None, None], -1e9)
        if self.causal:
            ahead = torch.ones(scores.shape[2:], dtype=torch.bool, device=x.device).triu(1)  # (L, S)
            scores = scores.masked_fill(ahead, -1e9)
        weights = self.weights(self.scores(scores).softmax(3))
        return self.out((weights @ value).transpose(1, 2).flatten(2))  # heads side by side again

    def split(self, x: torch.Tensor) -> torch.Tensor:
        """(N, L, D) → (N, heads, L, D / heads)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


def check_heads(size: int, heads: int) -> None:
    """Raise `SpecError` if the columns cannot be shared out among the heads."""
    if size % heads:
        raise SpecError(f"{heads} heads cannot share {size} values equally. Choose a number of heads that divides it.")


class SelfAttention(Layer):
    """Every position looks at all positions and takes a weighted mean of what they offer (Vaswani et al., 2017)."""

    name = "selfattention"
    title = "Self-attention"
    role = "attention"
    order = 60
    accepts = ("sequence",)

    heads: int = Field(1, ge=1, le=64, description="How many looks are taken side by side, each at its own columns.")
    causal: bool = Field(False, description="Whether a position may look only at itself and what came before it.")

    def call(self, given: Shape, outputs: int) -> Call:
        check_heads(given.size[1], self.heads)
        return Call(MultiHeadAttention, (given.size[1], self.heads), {"causal": True} if self.causal else {})

    def looks_ahead(self) -> bool:
        return not self.causal

    def windows(self) -> str:
        return WHOLE
