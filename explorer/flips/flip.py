"""A change of an input, and what became of the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from explorer.attribution import Question

Lead = Callable[[torch.Tensor], torch.Tensor]
"""By how many logits the wanted class leads, (N, …) → (N,)."""
STILL = 1e-6
"""A value that changed less than this did not change."""


@dataclass(frozen=True)
class Flip:
    """A change that was looked for so that the answer becomes another.

    Attributes:
        method, params: How it was looked for.
        input, changed: (*shape) the input before and after: numbers, or tokens.
        before, after: (classes,) probabilities.
        target: The class the answer should become.
        lead: By how many logits it leads at the end; negative if another class still does.
        flipped: Whether it leads by as much as was asked for. If not, `changed` is as close as the search came.
        steps: How often the change was improved.
    """

    method: str
    input: np.ndarray
    changed: np.ndarray
    before: np.ndarray
    after: np.ndarray
    target: int
    lead: float
    flipped: bool
    steps: int
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> int:
        """The answer before."""
        return int(self.before.argmax())

    @property
    def answer(self) -> int:
        """The answer after."""
        return int(self.after.argmax())

    @property
    def change(self) -> np.ndarray:
        """(*shape) what was added."""
        return self.changed - self.input

    @property
    def places(self) -> np.ndarray:
        """(*shape) bool: which values changed."""
        return np.abs(self.change) > STILL

    @property
    def l1(self) -> float:
        """Sum of all changes without their sign."""
        return float(np.abs(self.change).sum())

    @property
    def l2(self) -> float:
        """Length of the change."""
        return float(np.linalg.norm(self.change))


def led(logits: torch.Tensor, target: int) -> torch.Tensor:
    """By how much a class leads before the best other one: logits (N, classes) → (N,)."""
    others = logits.clone()
    others[:, target] = -torch.inf
    return logits[:, target] - others.amax(1)


def runner_up(question: Question, x: torch.Tensor) -> int:
    """The class the model answers after its first choice."""
    return int(question.logits(x)[0].argsort(descending=True, stable=True)[1])


def pruned(
    before: torch.Tensor, after: torch.Tensor, parts: Sequence[torch.Tensor], lead: Lead, wanted: float
) -> torch.Tensor:
    """Take back what the change does not need: while there is a part without which the class still leads by more than
    is wanted, the one least needed.

    Args:
        before, after: (1, …).
        parts: (1, …) bool masks.
        lead: Asks the model.
        wanted: By how much the class must lead.
    """
    while True:
        tried = [torch.where(part, before, after) for part in parts if (before != after)[part].any()]
        if not tried:
            return after
        leads = lead(torch.cat(tried))
        if leads.max() <= wanted:
            return after
        after = tried[int(leads.argmax())]
