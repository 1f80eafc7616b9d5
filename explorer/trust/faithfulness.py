"""Do the values say what covering places does? Infidelity, and faithfulness correlation."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from explorer.attribution import Question
from explorer.trust.base import Check, Found
from explorer.trust.trial import Trial, cover, differences, places

MARGIN = 0.1


class Subsets(Check):
    """Base of checks that cover random sets of places."""

    sets: int = Field(100, ge=10, le=5000, description="Random sets of places that are covered.")
    share: float = Field(0.25, gt=0, lt=1, description="Share of the places in each set.")

    def covered(self, trial: Trial, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The sets, (K, P) bool, and by how much the score falls with each, (K,); the same for every method."""
        question = trial.questions[number]
        count, random = places(question), trial.random(number)
        size = max(1, round(self.share * count))

        def make() -> tuple[np.ndarray, np.ndarray]:
            sets = np.zeros((self.sets, count), dtype=bool)
            for one in sets:
                one[random.choice(count, size, replace=False)] = True
            return sets, falls(question, sets)

        return trial.remember(("covered", number, self.sets, self.share), make)

    def said(self, trial: Trial, number: int) -> np.ndarray:
        """What the values say that covering each place takes away, (P,): of slopes, the slope times the change."""
        values = trial.explained[number]
        return values * differences(trial.questions[number]) if trial.method.slope else values


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
        scores, random, control = [], [], trial.against()
        for number in range(len(trial.questions)):
            sets, fallen = self.covered(trial, number)
            scores.append(pearson(sets @ self.said(trial, number), fallen))
            random.append(pearson(sets @ control.explained[number], fallen))
        return Found(scores, {"random": float(np.nanmean(random))})

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
    reads = "Share of the falls of the score that the values, scaled to fit best, do not tell; 0 is perfect."

    def run(self, trial: Trial) -> Found:
        scores, random, control = [], [], trial.against()
        for number in range(len(trial.questions)):
            sets, fallen = self.covered(trial, number)
            scale = float(np.mean(fallen**2)) or 1.0
            scores.append(infidelity(sets @ self.said(trial, number), fallen) / scale)
            random.append(infidelity(sets @ control.explained[number], fallen) / scale)
        return Found(scores, {"random": float(np.mean(random))})

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score < controls["random"] - MARGIN:
            return False, "Its values tell what covering places does better than random ones do."
        return True, "Its values tell what covering places does no better than random ones do."


def falls(question: Question, sets: np.ndarray) -> np.ndarray:
    """By how much the score falls when each set of places is covered: (K, P) bool → (K,)."""
    return (question.score(question.x)[0] - question.score(cover(question, sets))).double().cpu().numpy()


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
