"""Models that read tokens."""

from __future__ import annotations

import torch
from torch import nn


class TokenModel(nn.Sequential):
    """Layers for padded tokens, (N, L) numbers of which 0 is padding.

    Layers that look across positions are told which ones hold a token, so that padding never changes an answer.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.after(self[0](tokens), tokens != 0)

    def after(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What comes after the embedding: vectors (N, L, D), and which of them stand for a token, (N, L)."""
        for layer in self[1:]:
            x = layer(x, mask) if getattr(layer, "masked", False) else layer(x)
            if x.ndim == 3 and x.shape[1] > mask.shape[1]:  # a class token was put in front
                mask = nn.functional.pad(mask, (1, 0), value=True)
        return x
