"""Rank correlation of explanations."""

from __future__ import annotations

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
