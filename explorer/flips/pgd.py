"""Projected gradient descent."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.flips.attack import Attack, odds
from explorer.flips.fgsm import Fgsm, bounded
from explorer.flips.room import Room
from explorer.models.seeded import seeded

STRIDE = 2.5
"""How far all steps together could go, in strengths, so that they reach every corner (Madry et al., 2017)."""


class Pgd(Attack):
    """Many small steps along the sign of the gradient from a random start, each brought back to where no value moves
    further than the strength. What comes out is never weaker than FGSM, whose step is tried, too.
    """

    name = "pgd"
    title = "PGD"
    order = 2
    paper = "Madry et al., 2017"
    cost = "a gradient a step"

    steps: int = Field(10, ge=1, le=200, description="How many steps.")
    seed: int = Field(0, ge=0, lt=2**31, description="Fixes the random start.")

    def run(
        self, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strengths: torch.Tensor, room: Room
    ) -> torch.Tensor:
        from captum.robust import PGD

        captum = PGD(model, odds)
        captum.bound, captum.fgsm.zero_thresh = bounded(captum.fgsm, room).bound, 0.0
        with seeded(self.seed):
            many = captum.perturb(
                x,
                strengths,
                STRIDE * strengths / self.steps,
                self.steps,
                labels,
                random_start=True,
                mask=room.sized(x).to(x),
            )
        once = Fgsm().run(model, x, labels, strengths, room)
        with torch.no_grad():
            stronger = odds(model(many), labels) >= odds(model(once), labels)
        return torch.where(stronger.reshape(strengths.shape), many, once)
