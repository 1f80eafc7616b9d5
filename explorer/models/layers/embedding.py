"""From tokens to vectors, and where each stands."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.base import Call, Layer
from explorer.specs import Shape


class Embedding(Layer):
    """Looks up a learned vector for each word or character (Bengio et al., 2003).

    (N, L) token numbers → (N, L, size). Padding is a vector of zeros.
    """

    name = "embedding"
    title = "Embedding"
    role = "linear"
    order = 50
    accepts = ("tokens",)
    gives = ("sequence",)

    size: int = Field(32, ge=1, le=4096, description="Length of each token's vector.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.Embedding, (given.vocabulary, self.size), {"padding_idx": 0})


class PositionalEncoding(nn.Module):
    """Adds to each position a code that says where it is: (N, L, D) → (N, L, D).

    Sinusoidal (Vaswani et al., 2017, section 3.5): ``code[p, 2i] = sin(p / 10000^(2i/D))``, cosine for odd columns.
    Learned: a weight for each position and column. What is added can be seen at the module ``code``, (L, D).
    """

    def __init__(self, length: int, size: int, learned: bool = False) -> None:
        super().__init__()
        self.code = nn.Identity()
        if learned:
            self.table = nn.Parameter(torch.randn(length, size) * 0.02)
            return
        places = torch.arange(length)[:, None] / 10_000 ** (torch.arange(0, size, 2) / size)  # (length, ceil(size/2))
        table = torch.stack([places.sin(), places.cos()], dim=2).flatten(1)[:, :size]
        self.register_buffer("table", table, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.code(self.table[: x.shape[1]])


class Positions(Layer):
    """Tells each position where it stands, which attention could not know otherwise (Vaswani et al., 2017)."""

    name = "positions"
    title = "Positions"
    role = "other"
    order = 51
    accepts = ("sequence",)

    code: Literal["sinusoidal", "learned"] = Field(
        "sinusoidal", description="Sinusoidal: fixed waves of many lengths. Learned: weights like any other."
    )

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(PositionalEncoding, given.size, {"learned": True} if self.code == "learned" else {})


class ClassToken(nn.Module):
    """Puts one learned vector in front of the sequence (Devlin et al., 2018): (N, L, D) → (N, L + 1, D)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.vector = nn.Parameter(torch.randn(size) * 0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.vector.expand(len(x), 1, -1), x], dim=1)


class Cls(Layer):
    """Puts one learned vector in front of the sequence, in which attention gathers what the answer needs; take it out
    again with First position (Devlin et al., 2018).
    """

    name = "cls"
    title = "Class token"
    role = "other"
    order = 52
    accepts = ("sequence",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(ClassToken, (given.size[1],))

    def looks_ahead(self) -> bool:
        return True  # it moves every position by one
