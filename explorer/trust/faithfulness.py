"""Do the values say what covering places does? Infidelity, and faithfulness correlation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from pydantic import Field

from explorer.trust.base import Check, Found
from explorer.trust.ranks import mean_known
from explorer.trust.trial import Trial, answered, changes, cover, placed, places

MARGIN = 0.1


class Subsets(Check):
    """Base of checks that cover random sets of places."""

    sets: int = Field(100, ge=10, le=5000, description="Random sets of places that are covered.")
    share: float = Field(0.25, gt=0, lt=1, description="Share of the places in each set.")

    def covered(self, trial: Trial) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each question the sets, (K, P) bool, and by how much the score falls with each, (K,); the same for every
        method.
        """
        return trial.remember(("covered", self.sets, self.share), lambda: self._cover(trial))

    def _cover(self, trial: Trial) -> list[tuple[np.ndarray, np.ndarray]]:
        sets = [self._sets(trial.random(number), places(one)) for number, one in enumerate(trial.questions)]
        inputs = [
            torch.cat([question.x, cover(question, chosen)])
            for question, chosen in zip(trial.questions, sets, strict=True)
        ]
        found = []
        for question, chosen, logits in zip(trial.questions, sets, answered(trial.questions, inputs), strict=True):
            scores = question.scored.pick(logits).double().cpu().numpy()
            found.append((chosen, scores[0] - scores[1:]))
        return found

    def _sets(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Random sets of places, (K, P) bool."""
        size = max(1, round(self.share * count))
        return random.random((self.sets, count)).argpartition(size - 1, axis=1).argsort(axis=1) < size

    def said(self, trial: Trial, number: int) -> np.ndarray:
        """What the values say that covering each place takes away, (P,): of slopes, each times the change of its value,
        and only then summed over the colours of a pixel.
        """
        if not trial.method.slope:
            return trial.explained[number]
        question, said = trial.questions[number], trial.said(number)
        return placed(question, replace(said, values=said.values * changes(question)))


class Faithfulness(Subsets):
    """Covers random sets of places and asks whether the score falls by as much as their values say."""

    name = "faithfulness"
    title = "Faithfulness correlation"
    order = 5
    better = "higher"
    paper = "Bhatt et al., 2020"
    reads = "Correlation between the sum of the values of covered places and the fall of the score; 1 is perfect."
    span = (-1.0, 1.0)

    def run(self, trial: Trial) -> Found:
        scores, random, control, falls = [], [], trial.against(), self.covered(trial)
        for number in range(len(trial.questions)):
            sets, fallen = falls[number]
            scores.append(pearson(sets @ self.said(trial, number), fallen))
            random.append(pearson(sets @ control.explained[number], fallen))
        return Found(scores, {"random": float(mean_known(random))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score > controls["random"] + MARGIN:
            return False, "Its values tell better than random ones what covering places does to the score."
        return True, "Its values tell no better than random ones what covering places does to the score."


class Infidelity(Subsets):
    """Mean squared difference between what the values say that covering a set of places does and what it does, with the
    values scaled so that they fit best.
    """

    name = "infidelity"
    title = "Infidelity"
    order = 4
    better = "lower"
    paper = "Yeh et al., 2019"
    reads = (
        "Share of the falls of the score that the values, scaled to fit best, do not tell; 0 is perfect. It is what "
        "Captum calls normalized infidelity, divided by the mean square of the falls."
    )

    def run(self, trial: Trial) -> Found:
        scores, random, constant, control, falls = [], [], [], trial.against(), self.covered(trial)
        for number in range(len(trial.questions)):
            sets, fallen = falls[number]
            scale = float(np.mean(fallen**2)) or 1.0
            scores.append(infidelity(sets @ self.said(trial, number), fallen) / scale)
            random.append(infidelity(sets @ control.explained[number], fallen) / scale)
            constant.append(infidelity(np.ones(len(fallen)), fallen) / scale)  # the same for every set of places
        return Found(scores, {"constant": float(np.mean(constant)), "random": float(np.mean(random))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score < min(controls.values()) * (1 - MARGIN):
            return False, "Its values tell what covering places does better than the same or random values would."
        return True, "Its values tell what covering places does no better than the same or random values would."


def infidelity(said: np.ndarray, fallen: np.ndarray) -> float:
    """``mean((b · said - fallen)²)`` with the b that makes it smallest."""
    power = float(said @ said)
    best = float(said @ fallen) / power if power else 0.0
    return float(np.mean((best * said - fallen) ** 2))


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation; NaN if one of them does not vary."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])
