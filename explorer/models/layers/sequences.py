"""Between images, series and sequences, and from a sequence to one vector."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.errors import SpecError
from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Shape


class ImageRows(nn.Module):
    """One vector for each row of an image, from top to bottom: (N, C, H, W) → (N, H, C·W)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2).flatten(2)


class Rows(Layer):
    """Reads an image row by row, as if it were a text: (N, C, H, W) → (N, H, C·W)."""

    name = "rows"
    title = "Image to rows"
    order = 32
    accepts = ("image",)
    gives = ("sequence",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(ImageRows)


class PatchEmbedding(nn.Module):
    """One vector for each square patch of an image (Dosovitskiy et al., 2020): (N, C, H, W) → (N, patches, size)."""

    def __init__(self, channels: int, size: int, patch: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, size, patch, stride=patch)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.project(x).flatten(2).transpose(1, 2)


class Patches(Layer):
    """Cuts an image into square patches and makes a vector of each, as Vision Transformers do
    (Dosovitskiy et al., 2020).

    (N, C, H, W) → (N, patches, size), row by row.
    """

    name = "patches"
    title = "Image to patches"
    role = "linear"
    order = 33
    accepts = ("image",)
    gives = ("sequence",)

    patch: int = Field(4, ge=1, le=64, description="Side of a patch in pixels; it must divide both sides.")
    size: int = Field(64, ge=1, le=4096, description="Length of each patch's vector.")

    def call(self, given: Shape, outputs: int) -> Call:
        height, width = given.size[1:]
        if height % self.patch or width % self.patch:
            raise SpecError(f"patch {self.patch} does not divide the {height}×{width} image. Choose one that does.")
        return Call(PatchEmbedding, (given.size[0], self.size, self.patch))

    def windows(self) -> list[tuple[int, int]]:
        return [(self.patch, self.patch)]


class TimeSteps(nn.Module):
    """One vector for each step of a series: (N, C, L) → (N, L, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.transpose(1, 2)


class Steps(Layer):
    """Reads a series step by step: (N, C, L) → (N, L, C)."""

    name = "steps"
    title = "Series to steps"
    order = 34
    accepts = ("series",)
    gives = ("sequence",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(TimeSteps)


class MeanOverPositions(nn.Module):
    """Mean over all positions that are not padding: (N, L, D) → (N, D)."""

    masked = True

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if mask is None:
            return x.mean(1)
        mask = mask[:, :, None].to(x.dtype)  # (N, L, 1)
        return (x * mask).sum(1) / mask.sum(1).clamp(min=1)


class MeanPool(Layer):
    """Keeps the mean of all positions; padding does not count."""

    name = "meanpool"
    title = "Mean over positions"
    role = "pool"
    order = 13
    accepts = ("sequence",)
    gives = ("vector",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(MeanOverPositions)

    def windows(self) -> str:
        return WHOLE


class FirstPosition(nn.Module):
    """The vector at the first position: (N, L, D) → (N, D)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0]


class First(Layer):
    """Keeps the vector at the first position: where a class token stands, what it has gathered."""

    name = "first"
    title = "First position"
    role = "pool"
    order = 14
    accepts = ("sequence",)
    gives = ("vector",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(FirstPosition)


class LastPosition(nn.Module):
    """The vector at the last position that is not padding: (N, L, D) → (N, D)."""

    masked = True

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if mask is None:
            return x[:, -1]
        last = mask.sum(1).clamp(min=1) - 1  # (N,)
        return x[torch.arange(len(x), device=x.device), last]


class Last(Layer):
    """Keeps the vector at the last position: the only one that a causal model lets see everything."""

    name = "last"
    title = "Last position"
    role = "pool"
    order = 15
    accepts = ("sequence",)
    gives = ("vector",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(LastPosition)
