"""Saliency."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method


class Saliency(Method):
    """Gradient of the class' logit with respect to each pixel (Simonyan et al., 2013): a small change here moves the
    answer by how much?
    """

    name = "saliency"
    title = "Saliency"
    order = 1
    reads = "Warm: the score rises as this {part} gets {more}. Cool: it falls."

    absolute: bool = Field(False, description="Drop the sign and show only how strong the effect is.")

    def run(self, model: nn.Module, x: torch.Tensor, target: int) -> tuple[torch.Tensor, None]:
        from captum.attr import Saliency as Captum

        return Captum(model).attribute(x.requires_grad_(), target=target, abs=self.absolute), None
