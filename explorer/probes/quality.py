"""How good answers are: from arrays of answers to tables and numbers.

scikit-learn does the counting; it is imported by the function that needs it, since that takes seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

BINS = 10
"""Bars of a calibration curve."""
CURVE_POINTS = 300
"""Most points kept of a curve over thresholds."""
Z = 1.959964
"""So many standard deviations of a normal distribution to each side hold 95 % of it."""
AVERAGES = ("mean of classes", "mean of examples")
"""What the macro and the weighted average are called."""


def by_class(truth: np.ndarray, predicted: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """Precision, recall and F1 of each class, and their averages.

    Args:
        truth, predicted: (N,) class numbers.
        classes: Names of the classes.

    Returns:
        One row for each class, then `AVERAGES`: the plain mean over classes (macro) and the mean weighted by examples
        (weighted). Columns ``class``, ``precision``, ``recall``, ``f1`` (0 to 1) and ``examples``. A class that neither
        occurs nor is answered has no numbers (NaN) and counts in no average; one that is never answered has precision
        0, one that does not occur recall 0.
    """
    from sklearn.metrics import precision_recall_fscore_support

    present = np.union1d(truth, predicted)
    table = np.full((len(classes) + 2, 4), np.nan)
    table[: len(classes), 3] = 0
    table[present] = np.stack(
        precision_recall_fscore_support(truth, predicted, labels=present, zero_division=0.0), axis=1
    )
    for row, average in ((-2, "macro"), (-1, "weighted")):
        found = precision_recall_fscore_support(truth, predicted, labels=present, average=average, zero_division=0.0)
        table[row] = [*found[:3], len(truth)]
    frame = pd.DataFrame(table, columns=["precision", "recall", "f1", "examples"]).astype({"examples": int})
    frame.insert(0, "class", [*classes, *AVERAGES])
    return frame


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How often each class was answered for each true one: (true, answered) counts."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def calibration(sure: np.ndarray, right: np.ndarray, bins: int = BINS) -> pd.DataFrame:
    """How often answers are right that are as sure as each other (Guo et al., 2017).

    Args:
        sure: (N,) probability of each answer.
        right: (N,) whether it is right.
        bins: Equal stretches of 0 to 1 to sort the answers into.

    Returns:
        One row for each stretch: ``low``, ``high``, ``examples``, ``sure`` (mean probability of the answer) and
        ``right`` (share that is right); NaN where there are no examples.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)  # (low, high]
    count = np.bincount(place, minlength=bins)
    some = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "examples": count,
            "sure": np.bincount(place, sure, minlength=bins) / some,
            "right": np.bincount(place, right, minlength=bins) / some,
        }
    )


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error, 0 to 1: how far sureness is from the share right, on average over the examples."""
    gaps = (table["sure"] - table["right"]).abs() * table["examples"]
    return float(gaps.sum() / table["examples"].sum())


@dataclass(frozen=True)
class TradeOffs:
    """What becomes of a binary model's mistakes as the probability from which it says "yes" moves.

    Attributes:
        roc: Columns ``threshold``, ``false_positive_rate``, ``true_positive_rate``.
        precision_recall: Columns ``threshold``, ``recall``, ``precision``.
        auc: Area under the ROC curve: 1 is perfect, 0.5 is guessing.
        average_precision: Mean of the precision over the recall: 1 is perfect, `share` is guessing.
        used: ``false_positive_rate``, ``recall`` and ``precision`` as the model answers; NaN for a share of nothing.
        share: Share of the examples that are of the class.
    """

    roc: pd.DataFrame
    precision_recall: pd.DataFrame
    auc: float
    average_precision: float
    used: dict[str, float]
    share: float


def trade_offs(positive: np.ndarray, probability: np.ndarray, answered: np.ndarray) -> TradeOffs | None:
    """ROC and precision-recall curve, or None where only one of the two classes occurs.

    Args:
        positive: (N,) whether an example is of the class in question.
        probability: (N,) of that class.
        answered: (N,) whether that class is answered.
    """
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    if positive.all() or not positive.any():
        return None
    false, true, at = roc_curve(positive, probability)
    roc = pd.DataFrame({"threshold": np.minimum(at, 1.0), "false_positive_rate": false, "true_positive_rate": true})
    precision, recall, at = precision_recall_curve(positive, probability)
    curve = pd.DataFrame({"threshold": np.append(at, 1.0), "recall": recall, "precision": precision})
    return TradeOffs(
        _thinned(roc),
        _thinned(curve),
        float(roc_auc_score(positive, probability)),
        float(average_precision_score(positive, probability)),
        {
            "false_positive_rate": float(answered[~positive].mean()),
            "recall": float(answered[positive].mean()),
            "precision": float(positive[answered].mean()) if answered.any() else math.nan,
        },
        float(positive.mean()),
    )


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """At most `CURVE_POINTS` rows, the first and the last among them."""
    if len(curve) <= CURVE_POINTS:
        return curve
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, CURVE_POINTS).round().astype(int))]


def errors(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Of a regression: ``mae`` and ``rmse`` in units of the data, and ``r2``, the share of the variance explained."""
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    r2 = float(r2_score(truth, predicted)) if len(truth) > 1 else math.nan
    return {
        "mae": float(mean_absolute_error(truth, predicted)),
        "rmse": float(root_mean_squared_error(truth, predicted)),
        "r2": r2,
    }


def interval(count: np.ndarray | float, total: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Where a share that was seen `count` times in `total` truly lies, with 95 % confidence (Wilson, 1927).

    Returns:
        Lower and upper end, 0 to 1; all of it where `total` is 0.
    """
    count, total = np.asarray(count, dtype=float), np.asarray(total, dtype=float)
    known = np.maximum(total, 1)
    share, z2 = count / known, Z * Z
    centre = (share + z2 / (2 * known)) / (1 + z2 / known)
    half = Z / (1 + z2 / known) * np.sqrt(share * (1 - share) / known + z2 / (4 * known**2))
    return np.where(total > 0, (centre - half).clip(0, 1), 0.0), np.where(total > 0, (centre + half).clip(0, 1), 1.0)


def worst_first(loss: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Numbers of examples, those with the largest loss first.

    Args:
        loss: (N,).
        among: (N,) which examples count; all if None.
    """
    rows = np.arange(len(loss)) if among is None else np.flatnonzero(among)
    return rows[np.argsort(-loss[rows], kind="stable")]


def least_sure_first(probabilities: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Numbers of examples, those first whose answer is the least probable.

    Args:
        probabilities: (N, classes).
        among: (N,) which examples count; all if None.
    """
    return worst_first(-probabilities.max(axis=1), among)
