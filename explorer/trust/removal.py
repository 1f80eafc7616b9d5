"""Deletion and insertion: what becomes of the answer when what counts most is covered, or uncovered, first."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field

from explorer.attribution import Question
from explorer.trust.base import Check, Found
from explorer.trust.trial import Trial, answered, cover

MARGIN = 0.02
"""Difference from the control that is no accident of a few examples."""


class Removal(Check):
    """Base of checks that cover places in an order."""

    inserting: ClassVar[bool]

    steps: int = Field(28, ge=2, le=1000, description="Into how many equal parts the places are divided.")

    def run(self, trial: Trial) -> Found:
        ours = self._lines(trial)
        random = trial.remember((self.name, self.steps), lambda: self._lines(trial.against()))
        mean = {name: np.mean(lines, 0) for name, lines in (("method", ours), ("random", random))}
        shares = np.linspace(0, 1, self.steps + 1)
        return Found(
            [area(line) for line in ours],
            {"random": float(np.mean([area(line) for line in random]))},
            {name: np.stack([shares, line], 1) for name, line in mean.items()},
        )

    def _lines(self, trial: Trial) -> list[np.ndarray]:
        """Probability of the class of each question after each part was covered or uncovered, (steps + 1,) each."""
        pairs = zip(trial.questions, trial.explained, strict=True)
        covered = [cover(question, self._parts(values)) for question, values in pairs]
        logits = answered(trial.questions, covered)
        return [probability(question, found) for question, found in zip(trial.questions, logits, strict=True)]

    def _parts(self, values: np.ndarray) -> np.ndarray:
        """What is covered after each step, (steps + 1, P) bool."""
        rank = np.empty(len(values), dtype=int)
        rank[np.argsort(-values, kind="stable")] = np.arange(len(values))
        counts = np.round(np.linspace(0, len(values), self.steps + 1)).astype(int)
        first = rank[None] < counts[:, None]
        return ~first if self.inserting else first

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        gained = score - controls["random"] if self.inserting else controls["random"] - score
        act = "brings the answer back" if self.inserting else "takes the answer away"
        if gained > MARGIN:
            return False, f"What it marks {act} sooner than random places do: it points at what the model uses."
        return True, f"What it marks {act} no sooner than random places do."


class Deletion(Removal):
    """Covers the places that speak most for the class first, and watches the probability of the class fall."""

    name = "deletion"
    title = "Deletion"
    order = 6
    better = "lower"
    paper = "Samek et al., 2015; Petsiuk et al., 2018"
    reads = "Mean probability of the class while places are covered, those that speak most for it first."
    inserting = False


class Insertion(Removal):
    """Starts from the baseline, uncovers the places that speak most for the class first, and watches its probability
    rise.
    """

    name = "insertion"
    title = "Insertion"
    order = 7
    better = "higher"
    paper = "Petsiuk et al., 2018"
    reads = "Mean probability of the class while places are uncovered, those that speak most for it first."
    inserting = True


def area(line: np.ndarray) -> float:
    """Area under a line over equal steps from 0 to 1, by the trapezoidal rule."""
    return float((line[1:] + line[:-1]).mean() / 2)


def probability(question: Question, logits: torch.Tensor) -> np.ndarray:
    """Probability of the explained class, (K, classes) → (K,); of a difference of two, of the first of them."""
    target = question.scored.target
    if logits.shape[1] == 1:  # a regression has a value and no probability
        return logits[:, 0].cpu().numpy()
    return logits.softmax(1)[:, target[0] if isinstance(target, tuple) else target].cpu().numpy()
