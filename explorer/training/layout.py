"""How convolution weights lie in memory while they are trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def channels_last(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Lay convolution weights out as the CPU is fastest with: the default CNN then trains in a third less time.

    Afterwards they lie as usual, so that the model answers as one rebuilt from its snapshot, to the last bit.
    See https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html.
    """
    if device.type == "cpu":
        _lay_out(model, torch.channels_last)
    try:
        yield
    finally:
        if device.type == "cpu":
            _lay_out(model, torch.contiguous_format)


def _lay_out(model: nn.Module, memory_format: torch.memory_format) -> None:
    for weight in model.parameters():
        if weight.dim() == 4:  # (out, in, H, W)
            # Not contiguous(): with one channel it would see no difference, and keep the strides that layers go by.
            weight.data = weight.data.clone(memory_format=memory_format)
