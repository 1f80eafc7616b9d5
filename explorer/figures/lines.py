"""The lines of learning curves: what was measured, as columns, and what is drawn of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tsdownsample import LTTBDownsampler

AXES = {"step": "Steps", "epoch": "Epochs", "seconds": "Seconds"}
"""What may be drawn along the bottom."""
POINTS = 400
"""Most points drawn of one line."""


@dataclass(frozen=True)
class Line:
    """One metric of one split, oldest first; all arrays are (N,).

    Attributes:
        step: Optimiser steps, rising.
        epoch: Epochs, counted from 1.
        seconds: Seconds of training.
        value: What was measured.
    """

    step: np.ndarray
    epoch: np.ndarray
    seconds: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.step)

    def along(self, x: str) -> np.ndarray:
        """Where the points lie along the bottom: (N,) steps, seconds or epochs, the batches of one between its ends."""
        if x == "epoch":
            return self._epochs()
        return self.step.astype(np.int32) if x == "step" else self.seconds  # whole numbers are half as long to send

    def _epochs(self) -> np.ndarray:
        if not len(self):
            return np.zeros(0)
        last = np.flatnonzero(np.diff(self.epoch, append=np.inf))  # the last point of each epoch
        epoch, end = self.epoch[last], self.step[last].astype(float)
        before = np.concatenate([[0], epoch[:-1]])
        start = np.where(epoch - 1 == before, np.concatenate([[0.0], end[:-1]]), self.step[0] - 1.0)
        length = np.maximum(end - start, 1.0)
        # The newest epoch goes on: it is taken to become as long as the longest so far.
        length[-1] = max(length[-1], np.diff(end, prepend=0.0).max())
        of = np.searchsorted(epoch, self.epoch)
        return self.epoch - 1 + (self.step - start[of]) / length[of]


NOTHING = Line(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
"""A line without points."""

Lines = Mapping[tuple[str, str], Line]
"""Lines of a run by split (batch, train, validation) and metric."""


def lines(metrics: pd.DataFrame) -> Lines:
    """The lines in a table of metrics, as from `RunStore.metrics`; axes that nobody draws may be missing."""
    table = metrics.reindex(columns=["split", "name", *AXES, "value"], fill_value=0)
    return {
        (str(split), str(name)): Line(*(mine[column].to_numpy() for column in (*AXES, "value")))
        for (split, name), mine in table.groupby(["split", "name"], sort=False)
    }


def smooth(values: np.ndarray, share: float) -> np.ndarray:
    """Exponential moving average, (N,), without the pull of its start (as in Adam)."""
    return pd.Series(values).ewm(alpha=1 - share).mean().to_numpy() if share else values


def thin(x: np.ndarray, values: np.ndarray, also: int | None = None) -> np.ndarray:
    """Which points to draw: the places of about `POINTS` that look like all.

    Both ends, the highest, the lowest and those that stand out are among them: largest triangle, three buckets
    (Steinarsson, Downsampling Time Series for Visual Representation, 2013).

    Args:
        x: Where the points lie, (N,), rising.
        values: How high, (N,).
        also: Place of a point that is drawn in any case.
    """
    if len(x) <= POINTS:
        return np.arange(len(x))
    kept = LTTBDownsampler().downsample(np.ascontiguousarray(x), np.ascontiguousarray(values), n_out=POINTS - 3)
    outstanding = [int(values.argmin()), int(values.argmax())] + ([] if also is None else [also])
    return np.union1d(kept.astype(int), outstanding)
