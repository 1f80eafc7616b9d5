"""With what an example is compared: baselines, and random references."""

from __future__ import annotations

import torch

from explorer.data import Dataset
from explorer.errors import SpecError
from explorer.specs import Modality

BASELINES: dict[str, tuple[Modality, ...]] = {
    "zero": ("image", "series", "vector", "tokens"),
    "mean": ("image", "series", "vector"),
    "blurred": ("image", "series"),
    "example": ("image", "series", "vector", "tokens"),
}
"""Kinds of baseline, and for which inputs each makes sense."""
BLUR = 6
"""The standard deviation of a blur, as the part of the longest side."""


def baseline(dataset: Dataset, x: torch.Tensor, kind: str, example: int = 0) -> torch.Tensor | None:
    """What an example is compared with.

    Args:
        dataset: Whose train split means and examples are taken from.
        x: The example, (1, …).
        kind: ``zero`` (of tokens: padding); ``mean`` of the train split; ``blurred``, the example without its detail
            (Fong & Vedaldi, 2017); or ``example``, another one, of the train split.
        example: Its number.

    Returns:
        (1, …) as `x`, or None for zeros.

    Raises:
        SpecError: No such kind for this input, or no such example.
    """
    known = [name for name, kinds in BASELINES.items() if dataset.modality in kinds]
    if kind not in known:
        raise SpecError(f"There is no baseline {kind!r} for this input. Choose one of: {', '.join(known)}.")
    if kind == "zero":
        return None
    if kind == "mean":
        return dataset.train.inputs.mean(0, keepdim=True)
    if kind == "blurred":
        return _blurred(x)
    if not 0 <= example < len(dataset.train):
        raise SpecError(f"There is no train example {example}. Choose one from 0 to {len(dataset.train) - 1}.")
    return dataset.train.inputs[example : example + 1]


def references(dataset: Dataset, count: int, seed: int) -> torch.Tensor:
    """(M, …) different examples of the train split, drawn at random; fewer where it has fewer."""
    chosen = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(seed))[:count]
    return dataset.train.inputs[chosen]


def _blurred(x: torch.Tensor) -> torch.Tensor:
    """Places, not channels, smoothed by a Gaussian; beyond the edge goes on what is at it."""
    from scipy.ndimage import gaussian_filter

    sides = x.shape[2:]
    spread = max(1.0, max(sides) / BLUR)
    smooth = gaussian_filter(x.cpu().numpy(), (0, 0, *[spread] * len(sides)), mode="nearest")
    return torch.from_numpy(smooth)
