"""How the loss falls with size: a power law through the points of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 4
"""Fewest different sizes through which a law is drawn."""


@dataclass(frozen=True)
class PowerLaw:
    """``loss ≈ a · n^-b`` (Hestness et al., 2017; Kaplan et al., 2020).

    Attributes:
        fit: Share of the variance of the logarithms that it explains (R²), 0 to 1.
        points: How many losses it was fitted to.
    """

    a: float
    b: float
    fit: float
    points: int

    def at(self, n: np.ndarray) -> np.ndarray:
        """The loss at sizes (N,)."""
        return self.a * n**-self.b

    def __str__(self) -> str:
        return f"loss ≈ {self.a:.3g} · n^{-self.b:.3g}, R² {self.fit:.2f} over {self.points} runs"


def power_law(n: Sequence[float] | np.ndarray, loss: Sequence[float] | np.ndarray) -> PowerLaw | None:
    """The least-squares line through the logarithms of sizes (N,) and losses (N,).

    Returns:
        The law, or None if there are fewer than `LEAST` different sizes with positive, finite losses.
    """
    n, loss = np.asarray(n, float), np.asarray(loss, float)
    usable = np.isfinite(n) & np.isfinite(loss) & (n > 0) & (loss > 0)
    x, y = np.log(n[usable]), np.log(loss[usable])
    if len(np.unique(x)) < LEAST:
        return None
    away, rest = x - x.mean(), y - y.mean()
    slope = float(away @ rest / (away @ away))
    spread = float(rest @ rest)
    fit = slope**2 * float(away @ away) / spread if spread else 1.0
    return PowerLaw(float(np.exp(y.mean() - slope * x.mean())), -slope, fit, len(x))
