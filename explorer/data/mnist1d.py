"""Digits as short noisy signals, as the package mnist1d draws them.

The package itself takes two seconds, imports matplotlib, and seeds the random numbers of the whole process, so that two
threads would spoil each other's signals. Here are the same random numbers in the same order, and so the same signals.
"""

from __future__ import annotations

import numpy as np

from explorer.data.assemble import Table
from explorer.data.source import DataSource

DIGITS = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""Each digit as one line from top to bottom."""
OF_EACH, SEED = 500, 42
STEPS, LONG, PADDING = 40, 72, (36, 60)
"""Steps of a signal, of what it is made from, and fewest and most steps of silence beside a digit."""
SCALE, MOST_MOVED, SMOOTH_NOISE, NOISE, TILT = 0.4, 48, 0.25, 0.02, 0.75


class Mnist1d(DataSource):
    """5,000 short signals of 40 steps, each drawn like one of the ten digits, then stretched, moved, tilted and buried
    in noise. The pattern may be anywhere: a model must find it.

    Follows Greydanus & Kobak (2020), *Scaling down deep learning with MNIST-1D*.
    """

    name = "mnist1d"
    title = "MNIST-1D signals"
    modality = "series"
    order = 30
    source = "MNIST-1D (Greydanus & Kobak, 2020), drawn here with the recipe and the seed of the package mnist1d"
    licence = "Apache 2.0"

    def read(self) -> Table:
        random = np.random.RandomState(SEED)
        lines = np.array(DIGITS)
        lines = (lines - lines.mean(1, keepdims=True)) / lines.std(1, keepdims=True)
        lines = (lines - lines[:, :1]) / 6
        targets = np.repeat(np.arange(len(lines)), OF_EACH)
        signals = np.stack([signal(lines[digit], random) for digit in targets])
        return Table(signals.astype(np.float32)[:, None], targets, tuple("0123456789"))  # (N, 1, 40)


def signal(line: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """One digit's line (12,), padded, scaled, moved, hidden in noise and tilted: (40,)."""
    fewest, most = PADDING
    padded = np.concatenate([line + 1e-8, np.zeros(fewest + int(random.rand() * (most - fewest + 1)))])
    moved = resampled(padded, LONG) * (1 + SCALE * (random.rand() - 0.5))
    moved = np.roll(moved, random.choice(MOST_MOVED))
    smooth = smoothed(SMOOTH_NOISE * random.randn(LONG))
    noisy = np.where(moved != 0, moved, smooth) + NOISE * random.randn(LONG)
    tilted = noisy - TILT * (random.rand() - 0.5) * np.linspace(-0.5, 0.5, LONG)
    return resampled(tilted, STEPS)


def resampled(values: np.ndarray, count: int) -> np.ndarray:
    """`count` values at even distances along straight lines through `values`."""
    return np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(values)), values)


BELL = np.exp(-0.5 * (np.arange(-8, 9) / 2) ** 2)
BELL /= BELL.sum()


def smoothed(values: np.ndarray) -> np.ndarray:
    """Blurred with a Gaussian two steps wide, mirrored at the ends."""
    return np.convolve(np.pad(values, len(BELL) // 2, mode="symmetric"), BELL, mode="valid")
