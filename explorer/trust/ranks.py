"""Rank correlation of explanations, and means of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation of two explanations, (P,) each; ties share their mean rank.

    NaN if one of them says the same of every place.
    """
    from scipy.stats import rankdata

    one, other = rankdata(one), rankdata(other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def mean_known(values: Sequence[float] | np.ndarray, axis: int | None = None) -> np.ndarray:
    """Mean of the values that are finite; NaN where none is, as of explanations that say the same everywhere."""
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    count = known.sum(axis)
    total = np.where(known, values, 0.0).sum(axis)
    return np.divide(total, count, out=np.full(np.shape(count), np.nan), where=count > 0)
