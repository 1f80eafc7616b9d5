"""Integrated gradients."""

from __future__ import annotations

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
        from captum.attr import IntegratedGradients as Captum

        most = question.at_once()
        return Captum(question.quick.forward).attribute(
            question.x,
            baselines=question.baseline,
            target=0,
            n_steps=self.steps,
            internal_batch_size=most if most < self.steps else None,
        )
