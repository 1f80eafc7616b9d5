"""Which input values are changed together: squares or superpixels of an image, stretches of a series, words."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from pydantic import Field

from explorer.attribution.base import Drawn, Method
from explorer.attribution.question import Question
from explorer.data import PAD

ACROSS, ALONG = 7, 20
"""Squares along a side of an image, and stretches along a series, if no size is chosen."""


def regions(question: Question, size: int = 0, shape: str = "squares") -> torch.Tensor:
    """The number of the region that each value of the input belongs to, (1, …), from 0, without gaps.

    All colours of a pixel, and all columns of a token's vector, are one region; each channel of a series and each
    column of a table is by itself. Padding goes with the last word: changing it changes nothing.

    Args:
        question: What is asked.
        size: Side of a square in pixels, or steps in a stretch; 0 chooses one.
        shape: ``squares``, or ``superpixels`` (SLIC, Achanta et al., 2012), which follow edges.
    """
    x = question.x
    if question.modality == "image":
        height, width = x.shape[2:]
        size = min(size or max(1, round(min(height, width) / ACROSS)), height, width)
        flat = _superpixels(x, size) if shape == "superpixels" else _squares(height, width, size)
        return flat.expand(1, x.shape[1], -1, -1)
    if question.modality == "series":
        size = size or max(1, round(x.shape[2] / ALONG))
        stretch = torch.arange(x.shape[2]) // size  # (L,)
        return (stretch + (stretch[-1] + 1) * torch.arange(x.shape[1])[:, None])[None]  # (1, C, L)
    if question.modality == "tokens":
        there = int((question.tokens != PAD).sum())
        return torch.arange(x.shape[1]).clamp(max=max(0, there - 1))[None, :, None].expand_as(x)
    return torch.arange(x.shape[1])[None]


def shared(question: Question, values: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Values that stand for whole regions, shared out among their members, so that they add up."""
    counted = numbers if question.tokens is None else numbers[(question.tokens != PAD)[:, :, None].expand_as(numbers)]
    members = torch.bincount(counted.flatten(), minlength=int(numbers.max()) + 1).to(values.dtype)
    return values / members[numbers].expand_as(values)


def _squares(height: int, width: int, size: int) -> torch.Tensor:
    across = -(-width // size)
    return torch.arange(height)[:, None] // size * across + torch.arange(width) // size  # (H, W)


def _superpixels(x: torch.Tensor, size: int) -> torch.Tensor:
    from skimage.segmentation import slic

    image = np.moveaxis(x[0].cpu().numpy(), 0, -1)  # (H, W, C)
    count = max(2, round(image.shape[0] * image.shape[1] / size**2))
    labels = slic(image, n_segments=count, compactness=0.1, start_label=0, channel_axis=-1)
    return torch.from_numpy(np.unique(labels, return_inverse=True)[1].reshape(labels.shape))


class ByRegion(Method):
    """Base of methods that take regions of the input away and watch the score."""

    group = "Covering"

    size: int = Field(0, ge=0, le=64, description="Side of a square in pixels, or steps of a stretch; 0 chooses one.")
    shape: Literal["squares", "superpixels"] = Field(
        "squares", description="Of images: squares, or superpixels, which follow edges."
    )

    def numbers(self, question: Question) -> torch.Tensor:
        """The region of each value, (1, …)."""
        return regions(question, self.size, self.shape).contiguous().to(question.x.device)


class DrawnByRegion(ByRegion, Drawn):
    """The same for methods that draw random numbers."""
