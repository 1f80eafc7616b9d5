"""Grad-CAM."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method


class GradCAM(Method):
    """Feature maps of the last convolution, weighted by how much each speaks for the class (Selvaraju et al., 2017),
    enlarged to the size of the input.
    """

    name = "grad_cam"
    title = "Grad-CAM"
    order = 3
    reads = "Warm: the last convolution found something here that speaks for the class. Coarse, as its maps are small."

    positive: bool = Field(False, description="Show only what speaks for the class, as in the paper.")

    @classmethod
    def needs(cls, model: nn.Module, x: torch.Tensor) -> str | None:
        return None if _last_convolution(model) else "it needs a convolution, and this model has none."

    def run(self, model: nn.Module, x: torch.Tensor, target: int) -> tuple[torch.Tensor, None]:
        from captum.attr import LayerAttribution, LayerGradCam

        maps = LayerGradCam(model, _last_convolution(model)).attribute(  # (1, 1, h, w)
            x, target=target, relu_attributions=self.positive
        )
        smooth = "bilinear" if x.ndim == 4 else "linear"  # an image, or a series
        enlarged = LayerAttribution.interpolate(maps, tuple(x.shape[2:]), interpolate_mode=smooth)
        return enlarged.expand_as(x) / x.shape[1], None  # shared out among the colours


def _last_convolution(model: nn.Module) -> nn.Module | None:
    # A 1×1 convolution beside a residual block only carries its input across.
    convolutions = (nn.Conv1d, nn.Conv2d)
    found = [m for name, m in model.named_modules() if isinstance(m, convolutions) and not name.endswith("skip")]
    return found[-1] if found else None
