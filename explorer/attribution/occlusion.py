"""Occlusion."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method
from explorer.models import at_once


class Occlusion(Method):
    """How far the class' logit falls when a small black square covers this place (Zeiler & Fergus, 2013)."""

    name = "occlusion"
    title = "Occlusion"
    order = 4
    reads = "Warm: covering this place lowers the class score. Cool: covering it raises the score."

    size: int = Field(0, ge=0, le=64, description="Side of the square in pixels; 0 takes a fifth of the image.")

    @classmethod
    def needs(cls, model: nn.Module, x: torch.Tensor) -> str | None:
        return None if x.ndim == 4 else "it covers parts of an image, and this input is not one."

    def run(self, model: nn.Module, x: torch.Tensor, target: int) -> tuple[torch.Tensor, None]:
        from captum.attr import Occlusion as Captum

        channels, height, width = x.shape[1:]
        size = min(self.size or max(2, round(min(height, width) / 5)), height, width)
        stride = max(1, size // 3)
        with torch.no_grad():
            values = Captum(model).attribute(
                x,
                target=target,
                baselines=0.0,
                perturbations_per_eval=at_once(64, lambda: model(x)),
                sliding_window_shapes=(channels, size, size),
                strides=(channels, stride, stride),
            )
        return values / channels, None  # one square covers all colours: its effect is shared out among them
