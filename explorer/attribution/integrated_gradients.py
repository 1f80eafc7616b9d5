"""Integrated gradients."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.attribution.base import Method
from explorer.models import at_once


class IntegratedGradients(Method):
    """Gradients added up on the way from a black image to the input (Sundararajan et al., 2017). Its values add up to
    the difference between the two class scores.
    """

    name = "integrated_gradients"
    title = "Integrated gradients"
    order = 2
    reads = "Warm: this {part}, compared with that of {baseline}, speaks for the class. Cool: it speaks against it."

    steps: int = Field(50, ge=2, le=1000, description="Points on the way; more give a smaller completeness error.")

    def run(self, model: nn.Module, x: torch.Tensor, target: int) -> tuple[torch.Tensor, float]:
        from captum.attr import IntegratedGradients as Captum

        values, delta = Captum(model).attribute(
            x,
            baselines=0.0,
            target=target,
            n_steps=self.steps,
            internal_batch_size=at_once(128, lambda: model(x)),
            return_convergence_delta=True,
        )
        return values, abs(float(delta[0]))
