"""How one output value of a layer comes about, number by number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn
from torch.nn import functional as F

from explorer.errors import NotApplicable, UnknownName
from explorer.probes.activations import one
from explorer.probes.capture import capture


@dataclass(frozen=True)
class Sum:
    """How a convolution makes one output value: ``total = sum(patch * weights) + bias``.

    Attributes:
        layer: Name of the convolution.
        channel, at: Which output value: its channel and its place, (row, column) or (step,).
        patch: (C, kh, kw) or (C, k): what the filter lies on; zeros where it reaches beyond the edge.
        weights: The filter, of the same shape.
        bias: What is added, 0 if the layer has none.
        total: The output value.
    """

    layer: str
    channel: int
    at: tuple[int, ...]
    patch: np.ndarray
    weights: np.ndarray
    bias: float
    total: float

    @property
    def products(self) -> np.ndarray:
        """(C, kh, kw) or (C, k), in double precision."""
        return self.patch.astype(float) * self.weights

    @property
    def contributions(self) -> np.ndarray:
        """(C,) what each input channel adds."""
        return self.products.reshape(len(self.patch), -1).sum(axis=1)


@dataclass(frozen=True)
class Winners:
    """Which value of each window a max pool keeps.

    Attributes:
        given: (C, H, W) or (C, L): what it chooses from.
        places: (C, H', W', 2) or (C, L', 1): where in it the kept value stands; the first of several equal ones.
        size, stride: Side of a window, and how far it moves at a time.
    """

    given: np.ndarray
    places: np.ndarray
    size: int
    stride: int

    def window(self, at: tuple[int, ...]) -> tuple[slice, ...]:
        """The part of one channel that an output value is chosen from."""
        return tuple(slice(place * self.stride, place * self.stride + self.size) for place in at)


def convolution_at(model: nn.Module, x: torch.Tensor, layer: str, channel: int, at: tuple[int, ...]) -> Sum:
    """Take one output value of a convolution apart.

    Args:
        model: Any module.
        x: One example, (1, …).
        layer: Name of a submodule, an `nn.Conv1d` or `nn.Conv2d` of one group without dilation.
        channel: Output channel.
        at: (row, column) or (step,) in its output.

    Raises:
        UnknownName: The model has no such layer.
        NotApplicable: The layer is no such convolution, or has no such value.
    """
    module = _found(model, layer)
    if not isinstance(module, nn.Conv1d | nn.Conv2d) or module.groups > 1 or set(module.dilation) != {1}:
        raise NotApplicable(f"Layer {layer} ({type(module).__name__}) is no plain convolution.")
    with torch.no_grad(), capture(model, [layer], given=True) as given, capture(model, [layer]) as made:
        model(one(x))
    out = made[layer][0]
    if not 0 <= channel < len(out) or len(at) != out.ndim - 1 or not _within(at, out.shape[1:]):
        raise NotApplicable(f"{layer} puts out {'×'.join(map(str, out.shape))} values; {(channel, *at)} is not there.")
    padded = F.pad(given[layer][0], module._reversed_padding_repeated_twice)  # (C, H, W) with zeros around
    starts = [place * stride for place, stride in zip(at, module.stride, strict=True)]
    parts = [slice(start, start + size) for start, size in zip(starts, module.kernel_size, strict=True)]
    patch = padded[(slice(None), *parts)]
    return Sum(
        layer=layer,
        channel=channel,
        at=tuple(at),
        patch=patch.cpu().numpy().copy(),
        weights=module.weight[channel].detach().cpu().numpy().copy(),
        bias=0.0 if module.bias is None else module.bias[channel].item(),
        total=out[(channel, *at)].item(),
    )


def winners(model: nn.Module, x: torch.Tensor, layer: str) -> Winners:
    """Which values a max pool keeps of one example, (1, …).

    Raises:
        UnknownName: The model has no such layer.
        NotApplicable: The layer is no max pool, or one with padding.
    """
    module = _found(model, layer)
    if not isinstance(module, nn.MaxPool1d | nn.MaxPool2d) or module.padding:
        raise NotApplicable(f"Layer {layer} ({type(module).__name__}) is no max pool without padding.")
    with torch.no_grad(), capture(model, [layer], given=True) as given:
        model(one(x))
    values = given[layer][0].cpu().numpy()  # (C, H, W) or (C, L)
    size, stride, axes = module.kernel_size, module.stride, tuple(range(1, values.ndim))
    steps = (slice(None, None, stride),) * len(axes)
    windows = sliding_window_view(values, (size,) * len(axes), axes)[(slice(None), *steps)]  # (C, H', W', size, size)
    flat = windows.reshape(*windows.shape[: values.ndim], -1).argmax(-1)
    within = np.stack(np.unravel_index(flat, (size,) * len(axes)), axis=-1)
    corners = np.stack(np.meshgrid(*(np.arange(n) * stride for n in flat.shape[1:]), indexing="ij"), axis=-1)
    return Winners(values.copy(), within + corners, size, stride)


def _found(model: nn.Module, layer: str) -> nn.Module:
    modules = {name: module for name, module in model.named_modules() if name}
    if layer not in modules:
        raise UnknownName("layer in this model", layer, modules)
    return modules[layer]


def _within(at: tuple[int, ...], size: tuple[int, ...]) -> bool:
    return all(0 <= place < end for place, end in zip(at, size, strict=True))
