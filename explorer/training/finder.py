"""Finding a learning rate: one short training in which it rises all the time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from explorer.errors import Diverged
from explorer.training.events import Event, StepDone
from explorer.training.trial import Trial

LOWEST, HIGHEST = 1e-6, 10.0
"""Between these the rate rises, by the same factor at every step."""
STEPS = 140
"""Twenty for each power of ten."""
WORSE = 4.0
"""How many times its smallest the loss must be for the test to end."""
AVERAGED = 0.9
"""Share that the running mean of the loss, by which the test ends, keeps at each step."""
WIDTH = 3.0
"""Standard deviation, in steps, of the bell of weights by which the drawn loss is averaged."""
FALL = 0.05
"""Share of the first loss by which it must fall for a rate to be suggested at all."""
CLEAR = 0.2
"""The same for its steepest place to be trusted."""
CAUTION = 10.0
"""What the rate of the smallest loss is divided by where there is no steepest place to trust."""


def rate_at(step: int) -> float:
    """The learning rate of a step, from 0: ``LOWEST`` at the first, ``HIGHEST`` at the last."""
    return LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))


class RangeTest(Trial):
    """The learning rate range test (Smith, 2015): the rate rises exponentially, and the loss says which rates work.

    It ends when the running mean of the loss is `WORSE` times its smallest, when the loss is not finite or has
    exploded, or at the highest rate; none of these is a failure.
    """

    most = STEPS
    kept = (*Trial.kept, "mean", "best")

    def __init__(self, *args: Any, **more: Any) -> None:
        self.mean, self.best = 0.0, math.inf
        super().__init__(*args, **more)

    def __next__(self) -> Event:
        try:
            return super().__next__()
        except Diverged:
            self.over = True
            raise StopIteration from None

    def ends(self, event: StepDone) -> bool:
        self.mean = AVERAGED * self.mean + (1 - AVERAGED) * event.loss
        mean = self.mean / (1 - AVERAGED**event.step)  # without the pull of its start, as in Adam
        self.best = min(self.best, mean)
        return mean > WORSE * self.best

    def _rate(self) -> float:
        return rate_at(self.step)


@dataclass(frozen=True)
class Suggestion:
    """A learning rate to begin with.

    Attributes:
        rate: To two digits.
        loss: The averaged loss there.
        rule: ``steepest``: where the loss falls fastest; ``tenth``: a tenth of the rate with the smallest loss.
    """

    rate: float
    loss: float
    rule: Literal["steepest", "tenth"]


def smooth(losses: Sequence[float]) -> np.ndarray:
    """Losses averaged with their neighbours on both sides, so that nothing is shifted: (steps,) → (steps,).

    The weights are a bell of standard deviation `WIDTH`; near the ends they are those of the neighbours there are. A
    step counts by the logarithm of its loss: one that explodes must not hide what was before it.
    """
    values = np.log(np.maximum(np.asarray(losses, float), 1e-12))
    places = np.arange(len(values))
    weights = np.exp(-0.5 * ((places[:, None] - places) / WIDTH) ** 2)  # (steps, steps)
    return np.exp(weights @ values / weights.sum(1))


def suggest(rates: Sequence[float], losses: Sequence[float]) -> Suggestion | None:
    """The rate at which the averaged loss falls most steeply over the logarithm of the rate; a rule of thumb.

    Only rates below the one with the smallest loss count. Where the loss falls by less than `CLEAR` of its first value,
    the steepest place is mostly noise: then it is a tenth of the rate with the smallest loss.

    Args:
        rates: (steps,) rising.
        losses: (steps,) finite.

    Returns:
        None where the loss falls by less than `FALL` of its first value: no rate can be said to work.
    """
    if len(rates) < 3:
        return None
    averaged, places = smooth(losses), np.log10(np.asarray(rates, float))
    lowest = int(averaged.argmin())
    fallen = 1 - averaged[lowest] / averaged[0]
    if fallen < FALL:
        return None
    if fallen < CLEAR:
        rate, rule = rates[lowest] / CAUTION, "tenth"
    else:
        slopes = np.gradient(averaged, places)[: lowest + 1]
        rate, rule = rates[int(slopes.argmin())], "steepest"
    loss = np.interp(math.log10(rate), places, averaged)
    return Suggestion(float(f"{rate:.2g}"), float(loss), rule)
