"""Learning rate over time: what each step's rate is, as a multiple of the one that was set."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from explorer.specs import TrainSpec

DROPS = 3
"""Stretches of equal length of the step schedule."""
DROP = 0.1
ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 25.0
ONE_CYCLE_END = 1e4
PLATEAU_WAIT = 3
"""Epochs without a smaller validation loss, after which the rate is cut."""
PLATEAU_CUT = 0.3


def _constant(share: float) -> float:
    return 1.0


def _step(share: float) -> float:
    return DROP ** min(DROPS - 1, int(share * DROPS))


def _cosine(share: float) -> float:
    """Loshchilov & Hutter, 2016."""
    return (1 + math.cos(math.pi * share)) / 2


def _one_cycle(share: float) -> float:
    """Smith & Topin, 2017, with cosine arcs as torch has them."""
    if share < ONE_CYCLE_RISE:
        return _arc(1 / ONE_CYCLE_START, 1.0, share / ONE_CYCLE_RISE)
    return _arc(1.0, 1 / ONE_CYCLE_START / ONE_CYCLE_END, (share - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))


def _arc(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


CURVES: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
    "one-cycle": _one_cycle,
    "plateau": _constant,
}


def factor(spec: TrainSpec, step: int, total: int, losses: Sequence[float] = ()) -> float:
    """What the learning rate is multiplied by.

    Args:
        spec: Names the schedule and the steps of warm-up.
        step: Steps done before this one, from 0.
        total: Steps planned.
        losses: Validation losses so far, for the plateau schedule.
    """
    warm = min(1.0, (step + 1) / spec.warmup) if spec.warmup else 1.0
    share = min(1.0, step / max(1, total - 1))
    cut = PLATEAU_CUT ** plateaus(losses) if spec.schedule == "plateau" else 1.0
    return warm * cut * CURVES[spec.schedule](share)


def planned(spec: TrainSpec, total: int, points: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """The learning rate before a run begins: some of its steps (N,), from 1, and the rate of each (N,).

    Args:
        spec: A plateau schedule is taken to see a loss that never stands still.
        total: Steps planned.
        points: Most steps there are, evenly spread.
    """
    steps = np.unique(np.linspace(1, total, min(total, points)).round().astype(int))
    return steps, np.array([spec.learning_rate * factor(spec, int(step) - 1, total) for step in steps])


def plateaus(losses: Sequence[float]) -> int:
    """How often the loss stood still for `PLATEAU_WAIT` epochs, after which waiting begins anew."""
    best, waited, cuts = math.inf, 0, 0
    for loss in losses:
        if loss < best:
            best, waited = loss, 0
        else:
            waited += 1
        if waited >= PLATEAU_WAIT:
            cuts, waited = cuts + 1, 0
    return cuts
