"""Pooling: making images smaller."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.base import WHOLE, Call, Layer, check_window
from explorer.specs import Shape


class _Window(Layer):
    accepts = ("image",)
    module: ClassVar[type[nn.Module]]

    size: int = Field(2, ge=2, le=64, description="Side of the square that becomes one pixel.")

    def call(self, given: Shape, classes: int) -> Call:
        check_window(self.size, 0, given, "size")
        return Call(self.module, (self.size,))

    def windows(self) -> list[tuple[int, int]]:
        return [(self.size, self.size)]


class MaxPool(_Window):
    """Keeps the largest value of each square, channel by channel."""

    name = "maxpool"
    title = "Max pool"
    role = "pool"
    order = 10
    module = nn.MaxPool2d


class AvgPool(_Window):
    """Keeps the mean of each square, channel by channel."""

    name = "avgpool"
    title = "Average pool"
    role = "pool"
    order = 11
    module = nn.AvgPool2d


class GlobalAverage(nn.Module):
    """Mean over all pixels: (N, C, H, W) → (N, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(2, 3))


class GlobalPool(Layer):
    """Keeps one number per channel, its mean over the whole image (Lin et al., 2013).

    (N, C, H, W) → (N, C).
    """

    name = "globalpool"
    title = "Global pool"
    role = "pool"
    order = 12
    accepts = ("image",)
    gives = "vector"

    def call(self, given: Shape, classes: int) -> Call:
        return Call(GlobalAverage)

    def windows(self) -> str:
        return WHOLE
