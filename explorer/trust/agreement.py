"""Do methods, or attention, agree?"""

from __future__ import annotations

import numpy as np

from explorer.attribution import METHODS
from explorer.trust.base import Check, Found
from explorer.trust.ranks import mean_known, spearman
from explorer.trust.trial import Trial, placed


class Agreement(Check):
    """Asks how far the other methods rank the places as this one does. Where they disagree, at most one is right."""

    name = "agreement"
    title = "Agreement"
    order = 12
    better = "higher"
    paper = "Krishna et al., 2022"
    reads = "Mean rank correlation with the other methods; 1 is the same order of places."
    span = (-0.2, 1.0)

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        return None if trial.rivals else "there is no other method to compare it with."

    def run(self, trial: Trial) -> Found:
        each = np.array([self._one(trial, number) for number in range(len(trial.questions))])  # (N, rivals)
        curves = {
            method.title: np.array([[0.0, float(mean_known(found))]])
            for method, found in zip(trial.rivals, each.T, strict=True)
            if np.isfinite(found).any()
        }
        random = [spearman(one, other) for one, other in zip(trial.explained, trial.against().explained, strict=True)]
        return Found(mean_known(each, 1).tolist(), {"random": float(mean_known(random))}, curves)

    def _one(self, trial: Trial, number: int) -> list[float]:
        question, values = trial.questions[number], trial.explained[number]
        return [spearman(values, placed(question, trial.said(number, method))) for method in trial.rivals]

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score < 0.1:
            return True, "Agrees with hardly any other method: at most one of them is right."
        if score < 0.4:
            return False, "Agrees with the other methods in part. That alone makes neither right."
        return False, "Mostly agrees with the other methods. They may share a blind spot."


class AttentionAgreement(Check):
    """Asks whether attention looks where the explanation says the answer comes from. Often it does not: attention is no
    explanation by itself.
    """

    name = "attention"
    title = "Attention"
    order = 13
    better = "higher"
    paper = "Jain & Wallace, 2019"
    reads = "Rank correlation between where attention looks and how strong the values are, whatever their sign."
    span = (-0.2, 1.0)

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        if trial.attentions is None:
            reason = METHODS["rollout"].needs(trial.questions[0]) or "it was not worked out."
            return f"this model has no attention over the places of its input that could be followed: {reason}"
        return "it compares with attention rollout, which this is." if trial.method.name == "rollout" else None

    def run(self, trial: Trial) -> Found:
        control = trial.against()
        scores = [spearman(abs(v), looked) for v, looked in zip(trial.explained, trial.attentions, strict=True)]
        random = [spearman(abs(v), looked) for v, looked in zip(control.explained, trial.attentions, strict=True)]
        return Found(scores, {"random": float(mean_known(random))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score < 0.3:
            return True, "Attention looks elsewhere than this method says the answer comes from."
        return False, "Attention looks where this method says the answer comes from."
