"""Saliency."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.base import Method
from explorer.attribution.question import Question


class Saliency(Method):
    """Gradient of the class' logit with respect to each input value: a small change here moves the answer by how
    much?
    """

    name = "saliency"
    title = "Saliency"
    order = 1
    paper = "Simonyan et al., 2013"
    cost = "one gradient"
    slope = True
    reads = "Warm: the score rises as this {part} gets {more}. Cool: it falls."

    absolute: bool = Field(False, description="Drop the sign and show only how strong the effect is.")

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import Saliency as Captum

        return Captum(question.quick.forward).attribute(question.x.requires_grad_(), target=0, abs=self.absolute)
