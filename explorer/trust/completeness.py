"""Completeness."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from explorer.trust.base import Check, Found
from explorer.trust.trial import Trial


class Completeness(Check):
    """Whether the values add up to what they promise: the difference between the score and the baseline's."""

    name = "completeness"
    title = "Completeness"
    order = 1
    better = "lower"
    paper = "Sundararajan et al., 2017"
    reads = "How far the sum of the values is from the difference of the scores, as a share of it."

    bound: float = Field(0.05, gt=0, le=1, description="Share from which on the values do not add up.")

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        return None if trial.method.complete else f"{trial.method.title} does not promise that its values add up."

    def run(self, trial: Trial) -> Found:
        others = trial.method.complete == "references"
        scores, random = [], []
        control = trial.against()
        for number, question in enumerate(trial.questions):
            base = question.references if others else question.baseline
            change = float(question.score(question.x)[0] - question.score(base).mean())
            for values, kept in ((trial.explained[number], scores), (control.explained[number], random)):
                kept.append(abs(float(values.sum()) - change) / max(abs(change), 1e-6))
        return Found(scores, {"random": float(np.median(random))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score <= self.bound:
            return False, f"The values add up: {score:.1%} of the difference is missing."
        return True, f"The values do not add up: {score:.0%} of the difference is missing. Give it more steps."
