"""Fast gradient sign method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from explorer.flips.attack import Attack, odds
from explorer.flips.room import Room

if TYPE_CHECKING:
    from captum.robust import FGSM


class Fgsm(Attack):
    """One step along the sign of the gradient: every value moves equally far, in the direction in which the class
    loses.
    """

    name = "fgsm"
    title = "FGSM"
    order = 1
    paper = "Goodfellow et al., 2014"
    cost = "one gradient"

    def run(
        self, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strengths: torch.Tensor, room: Room
    ) -> torch.Tensor:
        from captum.robust import FGSM

        return bounded(FGSM(model, odds), room).perturb(x, strengths, labels, mask=room.sized(x).to(x))


def bounded(captum: FGSM, room: Room) -> FGSM:
    """Captum's attack, with ends for each value of its own, and without its threshold: it leaves values whose gradient
    is below 1e-6, which are all of them where the model is sure.
    """
    captum.bound = lambda x: x.clamp(room.low, room.high)
    captum.zero_thresh = 0.0
    return captum
