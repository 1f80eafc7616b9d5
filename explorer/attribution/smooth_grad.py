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
        from captum.attr import NoiseTunnel, Saliency

        spread = float(question.x.max() - question.x.min()) or 1.0
        return NoiseTunnel(Saliency(question.quick.forward)).attribute(
            question.x.requires_grad_(),
            nt_samples=self.copies,
            nt_samples_batch_size=question.at_once(self.copies),
            stdevs=self.noise * spread,
            target=0,
            abs=False,
        )
