"""Integrated gradients."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field

from explorer.attribution.base import Method
from explorer.attribution.question import Question


class IntegratedGradients(Method):
    """Gradients added up on the way from the baseline to the input. The values add up to the difference between the
    two scores.
    """

    name = "integrated_gradients"
    title = "Integrated gradients"
    order = 3
    paper = "Sundararajan et al., 2017"
    cost = "one gradient for each step"
    reads = "Warm: this {part}, compared with that of {baseline}, speaks for the class. Cool: it speaks against it."
    complete = "baseline"

    steps: int = Field(50, ge=2, le=1000, description="Points on the way; more give a smaller completeness error.")

    def run(self, question: Question) -> torch.Tensor:
        # As Captum does it, by the rule of Gauss and Legendre, but with less around it: half of its time is not spent
        # in the model.
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        x, base = question.x, question.baseline
        shape, most = (-1, *[1] * (x.ndim - 1)), question.at_once()
        shares = torch.from_numpy((1 + nodes) / 2).to(x).reshape(shape)  # (steps, 1, …)
        counts = torch.from_numpy(weights / 2).to(x).reshape(shape)
        total = torch.zeros_like(x)
        for share, count in zip(shares.split(most), counts.split(most), strict=True):
            points = (base + share * (x - base)).requires_grad_()
            (slope,) = torch.autograd.grad(question.quick(points).sum(), points)
            total += (count * slope).sum(0, keepdim=True)
        return total * (x - base)
