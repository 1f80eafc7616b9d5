"""How spread out and how far attention heads look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.probes.attention import AttentionMap


@dataclass(frozen=True)
class Heads:
    """Every head of one attention in two numbers, each a mean over the places that look.

    Attributes:
        layer: Name of the module, such as ``transformer1.attention.weights``.
        entropy: (heads,) in nats: 0 if every place looks at one place only.
        highest: The entropy, in nats, of looking at all allowed places alike.
        distance: (heads,) how far away, on average, the places are that are looked at; None where places that look and
            places that are looked at do not stand on one line.
    """

    layer: str
    entropy: np.ndarray
    highest: float
    distance: np.ndarray | None

    @property
    def share(self) -> np.ndarray:
        """(heads,) entropy as a share of the highest; 0 where there is only one place to look at."""
        return self.entropy / self.highest if self.highest else np.zeros_like(self.entropy)


def heads(seen: AttentionMap, spots: np.ndarray | None = None) -> Heads:
    """Entropy and mean distance of every head (Clark et al., 2019; Dosovitskiy et al., 2020, appendix D.7).

    Args:
        seen: Weights of one attention.
        spots: (L, D) where each place stands: its number in a text or series, row and column of a patch. NaN for one
            that stands nowhere, as a class token does; it counts for no distance. None if there are no distances.
    """
    weights = seen.weights.astype(float)
    safe = np.where(weights > 0, weights, 1.0)
    entropy = -(weights * np.log(safe)).sum(2).mean(1)
    highest = float(np.log(np.maximum(seen.allowed.sum(1), 1)).mean())
    return Heads(seen.layer, entropy, highest, None if spots is None else _distance(weights, spots))


def _distance(weights: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """(heads,) mean over the places that look of the weighed distance to what they look at."""
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=2)  # (L, L), NaN where there is none
    somewhere = ~np.isnan(apart)
    standing = ~np.isnan(spots).any(1)
    shares = np.where(somewhere, weights, 0.0)[:, standing]  # (heads, standing, L)
    whole = shares.sum(2)
    far = (shares * np.nan_to_num(apart)[standing]).sum(2) / np.where(whole > 0, whole, 1.0)
    return far.mean(1)
