"""The residual block of He et al., 2015."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.base import Call, Layer
from explorer.specs import Shape


class ResidualBlock(nn.Module):
    """Two convolutions of width 3 whose result is added to the input (He et al., 2015, figure 2).

    ``y = relu(norm2(conv2(relu(norm1(conv1(x))))) + skip(x))``, (N, C, H, W) → (N, channels, H/stride, W/stride), or
    (N, C, L) → (N, channels, L/stride) in one dimension. The skip is the input itself, or a convolution of width 1
    where the shape changes.
    """

    def __init__(self, inputs: int, channels: int, stride: int = 1, dimensions: int = 2) -> None:
        super().__init__()
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if dimensions == 2 else (nn.Conv1d, nn.BatchNorm1d)
        self.conv1 = conv(inputs, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = norm(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = conv(channels, channels, 3, padding=1, bias=False)
        self.norm2 = norm(channels)
        same = inputs == channels and stride == 1
        self.skip = nn.Identity() if same else conv(inputs, channels, 1, stride=stride, bias=False)
        self.relu2 = nn.ReLU()  # its own module: some explanations need one activation module per use

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu1(self.norm1(self.conv1(x)))  # (N, channels, H/stride, W/stride)
        y = self.norm2(self.conv2(y))  # (N, channels, H/stride, W/stride)
        return self.relu2(y + self.skip(x))


class Residual(Layer):
    """Two convolutions whose result is added to their input, so that gradients pass unhindered (He et al., 2015)."""

    name = "residual"
    title = "Residual block"
    role = "conv"
    order = 4
    accepts = ("image", "series")

    channels: int = Field(16, ge=1, le=4096, description="Output channels.")
    stride: int = Field(1, ge=1, le=16, description="How far the first filter moves at a time; 2 halves the size.")

    def call(self, given: Shape, outputs: int) -> Call:
        options = {"stride": self.stride} if self.stride > 1 else {}
        if given.kind == "series":
            options["dimensions"] = 1
        return Call(ResidualBlock, (given.size[0], self.channels), options)

    def windows(self) -> list[tuple[int, int]]:
        return [(3, self.stride), (3, 1)]
