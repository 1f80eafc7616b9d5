"""Convolution."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from explorer.models.layers.base import Call, Layer, check_window, of_dimensions
from explorer.specs import Shape


class Conv(Layer):
    """Slides small learned filters over an image or along a series; each filter makes one channel of the output.

    (N, C, H, W) → (N, channels, H', W') or (N, C, L) → (N, channels, L'), see `torch.nn.Conv2d` and `torch.nn.Conv1d`.
    """

    name = "conv"
    title = "Convolution"
    role = "conv"
    order = 1
    accepts = ("image", "series")

    channels: int = Field(16, ge=1, le=4096, description="How many filters, and so how many output channels.")
    kernel: int = Field(3, ge=1, le=31, description="Side of a filter in pixels, or its length in steps.")
    stride: int = Field(1, ge=1, le=16, description="How far a filter moves at a time; 2 halves the size.")
    padding: Literal["same", "none"] = Field(
        "same", description="Same: zeros around the input, so that stride 1 keeps its size. None: it shrinks."
    )

    def call(self, given: Shape, outputs: int) -> Call:
        padding: int | str = (self.kernel - 1) // 2 if self.padding == "same" else 0
        check_window(self.kernel, self.kernel // 2 if padding else 0, given, "kernel")
        options: dict[str, int | str] = {"stride": self.stride} if self.stride > 1 else {}
        if self.padding == "same" and self.kernel % 2 == 0 and self.stride == 1:
            padding = "same"  # one zero more on one side: no single number keeps the size
        if padding:
            options["padding"] = padding
        return Call(of_dimensions(given, nn.Conv2d, nn.Conv1d), (given.size[0], self.channels, self.kernel), options)

    def windows(self) -> list[tuple[int, int]]:
        return [(self.kernel, self.stride)]
