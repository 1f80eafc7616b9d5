"""Pooling: making images and series smaller."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.base import WHOLE, Call, Layer, check_window, of_dimensions
from explorer.specs import Shape


class _Window(Layer):
    accepts = ("image", "series")
    images: ClassVar[type[nn.Module]]
    series: ClassVar[type[nn.Module]]

    size: int = Field(
        2, ge=2, le=64, description="Side of the square that becomes one pixel, or steps that become one."
    )

    def call(self, given: Shape, outputs: int) -> Call:
        check_window(self.size, 0, given, "size")
        return Call(of_dimensions(given, self.images, self.series), (self.size,))

    def windows(self) -> list[tuple[int, int]]:
        return [(self.size, self.size)]


class MaxPool(_Window):
    """Keeps the largest value of each square, or stretch of time, channel by channel."""

    name = "maxpool"
    title = "Max pool"
    role = "pool"
    order = 10
    images, series = nn.MaxPool2d, nn.MaxPool1d


class AvgPool(_Window):
    """Keeps the mean of each square, or stretch of time, channel by channel."""

    name = "avgpool"
    title = "Average pool"
    role = "pool"
    order = 11
    images, series = nn.AvgPool2d, nn.AvgPool1d


class GlobalAverage(nn.Module):
    """Mean over all pixels or steps: (N, C, H, W) or (N, C, L) → (N, C)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).mean(dim=2)


class GlobalPool(Layer):
    """Keeps one number per channel, its mean over the whole image or series (Lin et al., 2013).

    (N, C, H, W) or (N, C, L) → (N, C).
    """

    name = "globalpool"
    title = "Global average pool"
    role = "pool"
    order = 12
    accepts = ("image", "series")
    gives = ("vector",)

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(GlobalAverage)

    def windows(self) -> str:
        return WHOLE
