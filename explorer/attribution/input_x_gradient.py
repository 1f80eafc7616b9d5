"""Input times gradient."""

from __future__ import annotations

import torch

from explorer.attribution.base import Method
from explorer.attribution.question import Question


class InputXGradient(Method):
    """The gradient times the input value itself: in a linear model, all that this value adds to the score."""

    name = "input_x_gradient"
    title = "Input × gradient"
    order = 2
    paper = "Shrikumar et al., 2016"
    cost = "one gradient"
    reads = "Warm: this {part}, as it is, adds to the score if the model is taken as linear here. Cool: it takes away."

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import InputXGradient as Captum

        return Captum(question.quick.forward).attribute(question.x.requires_grad_(), target=0)
