"""Controls: explanations that look at no model, which every other should beat."""

from __future__ import annotations

import torch

from explorer.attribution.base import Drawn, Method
from explorer.attribution.question import Question


class Random(Drawn):
    """Values drawn at random, from -1 to 1. What scores no better than this explains nothing."""

    name = "random"
    title = "Random"
    order = 90
    group = "Controls"
    paper = "a control"
    cost = "nothing"
    reads = "Nothing is to be read: every {part} has a random value."
    control = True

    def run(self, question: Question) -> torch.Tensor:
        shape = question.tokens.shape if question.tokens is not None else question.x.shape
        return (torch.rand(shape) * 2 - 1).to(question.x.device)  # drawn on the CPU: the same on every device


class Constant(Method):
    """The same value everywhere: what scores no better than this says nothing about places."""

    name = "constant"
    title = "Constant"
    order = 91
    group = "Controls"
    paper = "a control"
    cost = "nothing"
    reads = "Nothing is to be read: every {part} has the same value."
    control = True

    def run(self, question: Question) -> torch.Tensor:
        shape = question.tokens.shape if question.tokens is not None else question.x.shape
        return torch.ones(shape, device=question.x.device)


class Sobel(Method):
    """Edges of the image, found without any model. A method that looks like this may show the image, not the answer."""

    name = "sobel"
    title = "Edge detector"
    order = 92
    group = "Controls"
    paper = "a control; Adebayo et al., 2018"
    cost = "nothing"
    reads = "Warm: there is an edge at this {part}. The model plays no part in it."
    control = True

    @classmethod
    def needs(cls, question: Question) -> str | None:
        return None if question.modality == "image" else "edges are found in images, and this input is not one."

    def run(self, question: Question) -> torch.Tensor:
        from skimage.filters import sobel

        channels = [torch.from_numpy(sobel(channel)) for channel in question.x[0].cpu().numpy()]
        return torch.stack(channels)[None].to(question.x)
