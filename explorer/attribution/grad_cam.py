"""Grad-CAM, and guided Grad-CAM."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.guided import GuidedBackprop
from explorer.attribution.question import Question
from explorer.models.layers.sequences import PatchEmbedding


class GradCAM(Method):
    """Feature maps of the last convolution, weighted by how much each speaks for the class, enlarged to the size of
    the input.
    """

    name = "grad_cam"
    title = "Grad-CAM"
    order = 10
    paper = "Selvaraju et al., 2017"
    cost = "one gradient"
    reads = "Warm: the last convolution found something here that speaks for the class. Coarse, as its maps are small."

    positive: bool = Field(False, description="Show only what speaks for the class, as in the paper.")

    @classmethod
    def needs(cls, question: Question) -> str | None:
        return None if last_convolution(question.model) else "it needs a convolution, and this model has none."

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import LayerAttribution, LayerGradCam

        x = question.x
        maps = LayerGradCam(question.scored, last_convolution(question.model)).attribute(  # (1, 1, h, w)
            x, target=0, relu_attributions=self.positive
        )
        smooth = "bilinear" if x.ndim == 4 else "linear"  # an image, or a series
        enlarged = LayerAttribution.interpolate(maps, tuple(x.shape[2:]), interpolate_mode=smooth)
        return enlarged.expand_as(x) / x.shape[1]  # shared out among the colours


class GuidedGradCAM(GuidedBackprop):
    """Guided backpropagation where Grad-CAM is warm: fine, but only there."""

    name = "guided_grad_cam"
    title = "Guided Grad-CAM"
    order = 11
    paper = "Selvaraju et al., 2017"
    cost = "two gradients"
    reads = "Warm: a fine structure at a place that speaks for the class. Structure comes from the input itself."

    @classmethod
    def needs(cls, question: Question) -> str | None:
        return GradCAM.needs(question) or super().needs(question)

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import GuidedGradCam as Captum

        smooth = "nearest" if question.x.ndim == 4 else "linear"
        return Captum(question.scored, last_convolution(question.model)).attribute(
            question.x.requires_grad_(), target=0, interpolate_mode=smooth
        )


def last_convolution(model: nn.Module) -> nn.Module | None:
    """The last convolution that looks at places: not one beside a residual block, nor one that only cuts patches."""
    cutting = [module.project for module in model.modules() if isinstance(module, PatchEmbedding)]
    convolutions = (nn.Conv1d, nn.Conv2d)
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, convolutions) and not name.endswith("skip") and module not in cutting
    ]
    return found[-1] if found else None
