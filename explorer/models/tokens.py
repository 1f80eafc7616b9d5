"""Models that read tokens."""

from __future__ import annotations

import torch
from torch import nn


class TokenModel(nn.Sequential):
    """Layers for padded tokens, (N, L) numbers of which 0 is padding.

    Layers that look across positions are told which ones hold a token, so that padding never changes an answer.
    """

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x, mask = tokens, tokens != 0  # (N, L)
        for layer in self:
            x = layer(x, mask) if getattr(layer, "masked", False) else layer(x)
            if x.ndim == 3 and x.shape[1] > mask.shape[1]:  # a class token was put in front
                mask = nn.functional.pad(mask, (1, 0), value=True)
        return x
