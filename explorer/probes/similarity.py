"""Units in an order in which those that change alike stand beside each other."""

from __future__ import annotations

import numpy as np

CAREFUL = 256
"""Up to so many units the two sides of each join are turned so that neighbours are as alike as can be."""


def by_similarity(values: np.ndarray) -> np.ndarray:
    """Order units by hierarchical clustering (average linkage) of how alike they change.

    The distance of two units is 1 less their correlation over the places, so that units that go opposite ways are far
    apart; a unit that never changes is as far from all others as one that has nothing to do with them. For few units
    the order of the leaves is the best one (Bar-Joseph et al., 2001).

    Args:
        values: (L, H).

    Returns:
        (H,) numbers of the units.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    units = values.shape[1]
    if units < 3 or len(values) < 2:
        return np.arange(units)
    centred = values.T.astype(np.float64) - values.T.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    centred = np.where(length > 1e-7, centred / np.where(length > 1e-7, length, 1.0), 0.0)
    distance = (1 - centred @ centred.T).clip(0, 2)
    np.fill_diagonal(distance, 0.0)
    joined = linkage(squareform(distance, checks=False), "average", optimal_ordering=units <= CAREFUL)
    return leaves_list(joined)
