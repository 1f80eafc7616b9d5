"""The Transformer's encoder block."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.attention import MultiHeadAttention, check_heads
from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Shape


class EncoderBlock(nn.Module):
    """Self-attention and a small network at every position, each added to its input: (N, L, D) → (N, L, D).

    Norm first: ``x + attention(norm1(x))``, then ``x + feed_forward(norm2(x))`` (Xiong et al., 2020); norm last:
    ``norm1(x + attention(x))``, then ``norm2(x + feed_forward(x))`` (Vaswani et al., 2017).
    """

    masked = True
    made_from = (MultiHeadAttention,)

    def __init__(
        self,
        size: int,
        heads: int,
        units: int,
        dropout: float = 0.0,
        norm_first: bool = True,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.attention = MultiHeadAttention(size, heads, causal)
        self.feed_forward = nn.Sequential(
            nn.Linear(size, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, size)
        )
        self.norm1 = nn.LayerNorm(size)
        self.norm2 = nn.LayerNorm(size)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if self.norm_first:
            x = x + self.dropout1(self.attention(self.norm1(x), mask))
            return x + self.dropout2(self.feed_forward(self.norm2(x)))
        x = self.norm1(x + self.dropout1(self.attention(x, mask)))
        return self.norm2(x + self.dropout2(self.feed_forward(x)))


class Transformer(Layer):
    """A Transformer block: every position looks at all others, then thinks by itself (Vaswani et al., 2017)."""

    name = "transformer"
    title = "Transformer block"
    role = "attention"
    order = 62
    accepts = ("sequence",)

    heads: int = Field(4, ge=1, le=64, description="How many looks are taken side by side.")
    units: int = Field(128, ge=1, le=16384, description="Hidden units of the small network at every position.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of values set to zero during training.")
    norm: Literal["first", "last"] = Field(
        "first", description="First: normalise before each part, which trains more easily. Last: as in the first paper."
    )
    causal: bool = Field(False, description="Whether a position may look only at itself and what came before it.")

    def call(self, given: Shape, outputs: int) -> Call:
        check_heads(given.size[1], self.heads)
        options = {"dropout": self.dropout} if self.dropout else {}
        if self.norm == "last":
            options["norm_first"] = False
        if self.causal:
            options["causal"] = True
        return Call(EncoderBlock, (given.size[1], self.heads, self.units), options)

    def looks_ahead(self) -> bool:
        return not self.causal

    def windows(self) -> str:
        return WHOLE
