"""SmoothGrad."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.base import Drawn
from explorer.attribution.question import Question


class SmoothGrad(Drawn):
    """Saliency averaged over copies of the input with noise added, which a single gradient follows too closely."""

    name = "smooth_grad"
    title = "SmoothGrad"
    order = 4
    paper = "Smilkov et al., 2017"
    cost = "one gradient for each noisy copy"
    slope = True
    reads = "Warm: near this input, the score rises as this {part} gets {more}. Cool: it falls."

    copies: int = Field(25, ge=2, le=500, description="Noisy copies that are averaged.")
    noise: float = Field(0.15, gt=0, le=2, description="Standard deviation of the noise, as a share of the range.")

    def run(self, question: Question) -> torch.Tensor:
        # Captum's own draws on the device of the model. Drawn on the CPU, the noise of one seed is the same everywhere.
        x, total = question.x, torch.zeros_like(question.x)
        spread = float(x.max() - x.min()) or 1.0
        noise = torch.randn(self.copies, *x.shape[1:]).to(x) * self.noise * spread
        for points in (x + noise).split(question.at_once(self.copies)):
            points = points.detach().requires_grad_()
            (slope,) = torch.autograd.grad(question.quick(points).sum(), points)
            total += slope.sum(0, keepdim=True)
        return total / self.copies
