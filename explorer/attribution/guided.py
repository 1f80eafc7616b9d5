"""Guided backpropagation and deconvolution: gradients that stop at what is negative."""

from __future__ import annotations

import torch
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.deep_lift import each_once
from explorer.attribution.question import Question


class GuidedBackprop(Method):
    """The gradient, but at every ReLU only what is positive is passed back: it shows what looks like a shape."""

    name = "guided_backprop"
    title = "Guided backpropagation"
    order = 8
    group = "Backward rules"
    paper = "Springenberg et al., 2014"
    cost = "one gradient"
    slope = True
    reads = "Warm: something visible to the network that it passed on. It hardly depends on the class or the weights."

    @classmethod
    def needs(cls, question: Question) -> str | None:
        if not any(isinstance(module, nn.ReLU) for module in question.model.modules()):
            return "it changes how gradients pass ReLU layers, and this model has none."
        return each_once(question)

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import GuidedBackprop as Captum

        return Captum(question.scored).attribute(question.x.requires_grad_(), target=0)


class Deconvolution(GuidedBackprop):
    """The gradient, but at every ReLU what is positive is passed back, whatever the ReLU itself did."""

    name = "deconvolution"
    title = "Deconvolution"
    order = 9
    paper = "Zeiler & Fergus, 2013"
    reads = "Warm: something that could excite what the network saw. It hardly depends on the class or the weights."

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import Deconvolution as Captum

        return Captum(question.scored).attribute(question.x.requires_grad_(), target=0)
