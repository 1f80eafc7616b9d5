"""Changed copies of training images, so that a model learns what does not matter."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from explorer.specs import TrainSpec


def augments(spec: TrainSpec) -> bool:
    """Whether the settings ask for any."""
    return bool(spec.shift or spec.rotate or spec.noise or spec.erase)


def augment(images: torch.Tensor, spec: TrainSpec) -> torch.Tensor:
    """Shift, turn, blur with noise and blank out parts of images, each by an amount of its own.

    Args:
        images: (N, C, H, W).
        spec: ``shift`` in pixels, ``rotate`` in degrees, ``noise`` as a standard deviation, ``erase`` as the side of
            the blank square in shares of the image's (DeVries & Taylor, 2017). Drawn from torch's current generator.
    """
    count, _, height, width = images.shape
    if spec.shift or spec.rotate:
        draw = torch.rand(3, count, device=images.device) * 2 - 1  # (3, N) from -1 to 1
        angle = draw[0] * math.radians(spec.rotate)
        # Pixels further right and below, in the units of affine_grid: the image is 2 wide and 2 high.
        right, down = draw[1] * 2 * spec.shift / width, draw[2] * 2 * spec.shift / height
        turn = torch.stack(
            [angle.cos(), -angle.sin() * height / width, right, angle.sin() * width / height, angle.cos(), down]
        )
        grid = F.affine_grid(turn.T.reshape(count, 2, 3), list(images.shape), align_corners=False)
        images = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    if spec.noise:
        images = images + spec.noise * torch.randn_like(images)
    if spec.erase:
        tall, wide = max(1, round(spec.erase * height)), max(1, round(spec.erase * width))
        place = torch.rand(2, count, device=images.device)
        top = (place[0] * (height - tall + 1)).long()[:, None, None]
        left = (place[1] * (width - wide + 1)).long()[:, None, None]
        rows = torch.arange(height, device=images.device)[None, :, None]
        columns = torch.arange(width, device=images.device)[None, None, :]
        blank = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)  # (N, H, W)
        images = images.masked_fill(blank[:, None], 0.0)
    return images
