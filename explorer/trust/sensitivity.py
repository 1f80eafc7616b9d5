"""Max sensitivity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from pydantic import Field

from explorer.trust.base import Check, Found
from explorer.trust.trial import Trial

LARGE = 1.0


class Sensitivity(Check):
    """Changes the input by a little noise that no eye would see, and asks how much the explanation changes at most."""

    name = "sensitivity"
    title = "Max sensitivity"
    order = 8
    better = "lower"
    paper = "Yeh et al., 2019"
    reads = "Largest change of the explanation under small noise, as a share of its own length."

    radius: float = Field(0.02, gt=0, le=1, description="Most by which a value is changed.")
    copies: int = Field(8, ge=1, le=200, description="Noisy copies that are tried.")

    def run(self, trial: Trial) -> Found:
        scores, anew = [], []
        for number, question in enumerate(trial.questions):
            values, random = trial.explained[number], trial.random(number)
            noise = random.uniform(-self.radius, self.radius, (self.copies, *question.x.shape[1:]))
            length, largest = float(np.linalg.norm(values)), 0.0
            for change in torch.from_numpy(noise).to(question.x):
                other = trial.explain(replace(question, x=question.x + change))
                largest = max(largest, float(np.linalg.norm(other - values)))
            scores.append(largest / length if length else float("nan"))
            one, *others = random.uniform(-1, 1, (1 + self.copies, len(values)))
            anew.append(max(float(np.linalg.norm(other - one)) for other in others) / float(np.linalg.norm(one)))
        return Found(scores, {"random, drawn anew": float(np.mean(anew))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score < LARGE / 2:
            return False, "Hardly changes when the input hardly changes."
        if score < LARGE:
            return False, "Changes by up to its half when the input hardly changes: do not read details into it."
        return True, "Changes altogether when the input hardly changes: do not rely on one picture of it."
