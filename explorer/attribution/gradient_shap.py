"""Gradient SHAP."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.base import Drawn
from explorer.attribution.question import Question


class GradientShap(Drawn):
    """Expected gradients: integrated gradients with random points on the way and random references to come from."""

    name = "gradient_shap"
    title = "Gradient SHAP"
    order = 5
    paper = "Lundberg & Lee, 2017; Erion et al., 2019"
    cost = "one gradient for each sample"
    reads = "Warm: this {part}, compared with those of the references, speaks for the class. Cool: against it."
    complete = "references"

    samples: int = Field(50, ge=2, le=1000, description="Random points; more give less noise.")

    def run(self, question: Question) -> torch.Tensor:
        # Captum's own draws from NumPy's global generator, which all sessions of a server share. Drawn on the CPU, the
        # numbers are the same on every device.
        x, count = question.x, self.samples
        others = question.references[torch.randint(len(question.references), (count,))]  # (S, …)
        share = torch.rand(count, *[1] * (x.ndim - 1)).to(x)
        points, total, most = others + share * (x - others), torch.zeros_like(x), question.at_once()
        for part, base in zip(points.split(most), others.split(most), strict=True):
            part = part.clone().requires_grad_()
            (slope,) = torch.autograd.grad(question.quick(part).sum(), part)
            total += (slope * (x - base)).sum(0, keepdim=True)
        return total / count
