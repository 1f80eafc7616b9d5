"""Ground truth: does the explanation mark what is known to decide?"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from explorer.trust.base import Check, Found
from explorer.trust.ranks import mean_known
from explorer.trust.trial import Trial


class Localisation(Check):
    """Base of checks against known evidence."""

    better = "higher"
    paper = "Arras et al., 2022"

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        if trial.evidence is None:
            return (
                "it is not known which places decide. Use a data set in which it is: evidence_images, evidence_words."
            )
        return None

    def run(self, trial: Trial) -> Found:
        control = trial.against()
        scores = [self.one(values, truth) for values, truth in zip(trial.explained, trial.evidence, strict=True)]
        random = [self.one(values, truth) for values, truth in zip(control.explained, trial.evidence, strict=True)]
        share = float(np.mean([truth.mean() for truth in trial.evidence]))
        return Found(scores, {"random": float(mean_known(random)), "share of the evidence": share})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        least = max(controls["random"], controls["share of the evidence"])
        if score > least + 0.5 * (1 - least):
            return False, "Marks mostly what is known to decide."
        if score > least + 0.1 * (1 - least):
            return False, "Marks what is known to decide more than chance would, and much else."
        return True, "Marks what is known to decide no better than chance."

    @abstractmethod
    def one(self, values: np.ndarray, truth: np.ndarray) -> float:
        """The score of one explanation, (P,), against the evidence, (P,) bool."""


class MassAccuracy(Localisation):
    """How much of all that speaks for the class lies on the evidence."""

    name = "mass_accuracy"
    title = "Mass on the evidence"
    order = 9
    reads = "Share of the positive values that lies on the evidence; the evidence's own share is chance."

    def one(self, values: np.ndarray, truth: np.ndarray) -> float:
        positive = values.clip(min=0)
        total = float(positive.sum())
        return float(positive[truth].sum()) / total if total else float("nan")


class RankAccuracy(Localisation):
    """How many of the strongest places, as many as there is evidence, lie on it."""

    name = "rank_accuracy"
    title = "Ranks on the evidence"
    order = 10
    reads = "Share of the strongest places, as many as the evidence has, that lie on it."

    def one(self, values: np.ndarray, truth: np.ndarray) -> float:
        count = int(truth.sum())
        strongest = np.argsort(-values, kind="stable")[:count]
        return float(truth[strongest].mean()) if count else float("nan")


class PointingGame(Localisation):
    """Whether the one strongest place lies on the evidence."""

    name = "pointing_game"
    title = "Pointing game"
    order = 11
    paper = "Zhang et al., 2018; Arras et al., 2022"
    reads = "Share of the examples whose strongest place lies on the evidence."

    def one(self, values: np.ndarray, truth: np.ndarray) -> float:
        return float(truth[values.argmax()])
