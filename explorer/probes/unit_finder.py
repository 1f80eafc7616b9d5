"""Units that follow a pattern: which unit is high, or low, where the pattern is?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.errors import NotApplicable

DRAWS = 100
"""Random patterns of each kind that the control is made from."""


@dataclass(frozen=True)
class Following:
    """How closely each of H units follows a pattern.

    Attributes:
        r: (H,) Pearson's correlation of each unit with the pattern, 1 where it is and 0 elsewhere; 0 for a unit that
            never changes.
        places, marked: How many places there are, and at how many the pattern is.
        scattered: The largest ``|r|`` that any unit reaches with as many marks at random places.
        moved: The same where the marks of each example are moved along it, all as far, so that neighbours stay
            neighbours: units change slowly, and so follow runs of marks more easily than scattered ones.
    """

    r: np.ndarray
    places: int
    marked: int
    scattered: float
    moved: float

    @property
    def chance(self) -> float:
        """The larger of the two controls."""
        return max(self.scattered, self.moved)

    @property
    def ranked(self) -> np.ndarray:
        """(H,) numbers of the units, from the one that follows it most, either way."""
        return np.argsort(-np.abs(self.r), kind="stable")


def following(
    values: Sequence[np.ndarray], marks: Sequence[np.ndarray], seed: int = 0, draws: int = DRAWS
) -> Following:
    """Correlate units with a pattern, over all places of all examples together.

    Args:
        values: For each example (L, H): the units at each of its places.
        marks: For each example (L,) bool: where the pattern is.
        seed: Fixes the random patterns of the control.
        draws: How many of each kind there are.

    Raises:
        NotApplicable: The pattern is nowhere, or everywhere.
    """
    marked, places = sum(int(mark.sum()) for mark in marks), sum(map(len, marks))
    if marked in (0, places):
        raise NotApplicable(
            f"The pattern is at {'none' if not marked else 'every one'} of the {places:,} places, so nothing can "
            "follow it. Choose one that is at some of them."
        )
    units = _standardised(np.concatenate(values).T.astype(np.float64))  # (H, P)
    random = np.random.default_rng(seed)
    whole = np.concatenate(marks)
    scattered = random.permuted(np.tile(whole, (draws, 1)), axis=1)  # (draws, P)
    moved = _moved(marks, draws, random)
    r = _standardised(whole[None].astype(np.float64))[0] @ units.T
    return Following(r.clip(-1, 1), places, marked, _largest(scattered, units), _largest(moved, units))


def _moved(marks: Sequence[np.ndarray], draws: int, random: np.random.Generator) -> np.ndarray:
    """(draws, P): the marks of each example moved along it; what leaves it at the end comes in again at its start."""
    lengths = np.array([len(mark) for mark in marks])
    length = np.repeat(lengths, lengths)  # (P,) of the example that each place is in
    start = np.repeat(np.cumsum(lengths) - lengths, lengths)
    far = np.repeat(random.integers(1, np.maximum(lengths, 2), size=(draws, len(lengths))), lengths, axis=1)
    return np.concatenate(marks)[start + (np.arange(len(length)) - start - far) % length]


def _largest(patterns: np.ndarray, units: np.ndarray) -> float:
    return float(np.abs(_standardised(patterns.astype(np.float32)) @ units.T.astype(np.float32)).max().clip(0, 1))


def _standardised(rows: np.ndarray) -> np.ndarray:
    """Rows less their mean, each of length 1, so that products are correlations; all zero where nothing changes."""
    rows = rows - rows.mean(axis=1, keepdims=True)
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    still = length <= 1e-7 * np.sqrt(rows.shape[1])  # below the rounding of values around 1
    return np.where(still, 0.0, rows / np.where(still, 1.0, length))
