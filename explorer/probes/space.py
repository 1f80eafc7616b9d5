"""The space of a layer's vectors: principal components and nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

AXES = 3
"""Principal components that are kept."""

Measure = Literal["cosine", "euclidean"]
"""How far apart vectors are: one minus the cosine of the angle between them, or the length of their difference."""


@dataclass(frozen=True)
class Basis:
    """The directions in which vectors differ most (Pearson, 1901).

    Attributes:
        mean: (D,) where the axes cross.
        axes: (K, D) of length 1, at right angles, the one with the most variance first; zeros where there are fewer.
        shares: (K,) share of the whole variance along each, 0 to 1.
    """

    mean: np.ndarray
    axes: np.ndarray
    shares: np.ndarray

    def points(self, values: np.ndarray) -> np.ndarray:
        """Where vectors (N, D) lie on the axes: (N, K)."""
        return (values - self.mean) @ self.axes.T

    def explained(self, values: np.ndarray) -> np.ndarray:
        """(K,) share of the variance of other vectors (N, D) that lies along each axis, 0 to 1."""
        return _shares(self.points(values).var(axis=0), values)


def pca(values: np.ndarray, count: int = AXES) -> Basis:
    """Principal components of vectors (N, D), exactly.

    Signs are those of `sklearn.decomposition.PCA`: of each axis the largest entry is positive.

    Args:
        values: (N, D).
        count: How many axes.
    """
    from scipy.linalg import eigh

    centred = values - values.mean(axis=0, dtype=np.float64)
    examples, length = centred.shape
    found = min(count, examples, length)
    if examples < length:  # the same axes by way of the smaller matrix
        _, vectors = eigh(centred @ centred.T, subset_by_index=(examples - found, examples - 1))
        axes = vectors.T @ centred
    else:
        _, vectors = eigh(centred.T @ centred, subset_by_index=(length - found, length - 1))
        axes = vectors.T
    axes = axes[::-1]  # the largest first
    norms = np.linalg.norm(axes, axis=1, keepdims=True)
    axes = np.divide(axes, norms, out=np.zeros_like(axes), where=norms > 1e-9 * norms.max(initial=0.0))
    axes *= np.where(axes[np.arange(found), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    axes = np.concatenate([axes, np.zeros((count - found, length))])
    return Basis(values.mean(axis=0, dtype=np.float64), axes, _shares((centred @ axes.T).var(axis=0), values))


def _shares(along: np.ndarray, values: np.ndarray) -> np.ndarray:
    whole = values.var(axis=0, dtype=np.float64).sum()
    return along / whole if whole > 0 else np.zeros_like(along)


def distances(values: np.ndarray, one: np.ndarray, measure: Measure) -> np.ndarray:
    """How far vectors (N, D) are from one (D,): (N,). A vector of zeros has no direction: its cosine is taken as 0."""
    values, one = values.astype(np.float64), one.astype(np.float64)
    if measure == "euclidean":
        return np.linalg.norm(values - one, axis=1)
    lengths = np.linalg.norm(values, axis=1) * np.linalg.norm(one)
    return 1 - np.divide(values @ one, lengths, out=np.zeros(len(values)), where=lengths > 0)


def nearest(far: np.ndarray, count: int, leave_out: int | None = None) -> np.ndarray:
    """Numbers of the nearest, the nearest first; of equally near ones the first.

    Args:
        far: (N,) distances.
        count: How many.
        leave_out: The number of the one they are the neighbours of, if it is among them.
    """
    order = np.argsort(far, kind="stable")
    return order[order != leave_out][:count] if leave_out is not None else order[:count]
