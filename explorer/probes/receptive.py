"""Which part of the input one output value of a layer depends on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from explorer.errors import NotApplicable
from explorer.models.layers.residual import ResidualBlock
from explorer.probes.activations import one
from explorer.probes.capture import capture

Box = tuple[tuple[int, int], ...]
"""For each axis, (height, width) or (steps,), the first place and the one past the last."""

_SLIDING = (nn.Conv1d, nn.Conv2d, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d)
_SINGLE = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.Dropout, nn.Identity),
    *(nn.ReLU, nn.GELU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid),
)


@dataclass(frozen=True)
class Window:
    """One window that slides over what it is given.

    Attributes:
        given: Size of what it slides over, (height, width) or (steps,).
        kernel, stride, before: For each axis its length, how far it moves at a time, and how many zeros were put before
            the first place; empty for a layer each of whose outputs sees all it is given.
    """

    given: tuple[int, ...]
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    before: tuple[int, ...] = ()

    def seen(self, box: Box) -> Box:
        """What a box of its output depends on, without the padding."""
        if not self.kernel:
            return tuple((0, size) for size in self.given)
        axes = zip(box, self.given, self.kernel, self.stride, self.before, strict=True)
        return tuple(
            (max(0, first * stride - before), min(size, (end - 1) * stride - before + kernel))
            for (first, end), size, kernel, stride, before in axes
        )


@dataclass(frozen=True)
class Path:
    """All windows between the input of a model and the output of one layer, in order.

    Attributes:
        size: Size of the input, (height, width) or (steps,).
    """

    size: tuple[int, ...]
    windows: tuple[Window, ...]

    def field(self, at: tuple[int, ...] = ()) -> Box:
        """The receptive field of one output value (Araujo et al., 2019), within the input.

        Args:
            at: Its place, (row, column) or (step,); empty for a layer behind one that sees everything.
        """
        box = tuple((place, place + 1) for place in at)
        for window in reversed(self.windows):
            box = window.seen(box)
        return box


def path_to(model: nn.Module, x: torch.Tensor, layer: str) -> Path:
    """The way from the input to one layer, by which receptive fields are found.

    Args:
        model: An `nn.Sequential` whose input is an image or a series.
        x: One example, (1, C, H, W) or (1, C, L).
        layer: Name of one of its layers, or empty for the whole model.

    Raises:
        NotApplicable: There are no pixels or steps, or no such layer among the model's own.
    """
    children = dict(model.named_children())
    if one(x).ndim < 3 or not x.is_floating_point():
        raise NotApplicable("Receptive fields are parts of images or series, and this input is neither.")
    names = list(children)
    if layer and layer not in names:
        raise NotApplicable(f"{layer} is not one of the model's own layers: {', '.join(names)}.")
    names = names[: names.index(layer) + 1] if layer else names
    with torch.no_grad(), capture(model, names, given=True) as given:
        model(x)
    windows: list[Window] = []
    for name in names:
        found = _windows(children[name], tuple(given[name].shape[2:]))
        windows += found
        if any(not window.kernel for window in found):
            break  # what follows sees everything, too
    return Path(tuple(x.shape[2:]), tuple(windows))


def _windows(module: nn.Module, given: tuple[int, ...]) -> list[Window]:
    if isinstance(module, _SINGLE):
        return []
    if isinstance(module, ResidualBlock):  # its skip sees no more than the way around it
        first = _window(module.conv1, given)
        between = tuple((size - 1) // stride + 1 for size, stride in zip(given, first.stride, strict=True))
        return [first, _window(module.conv2, between)]
    return [_window(module, given)] if isinstance(module, _SLIDING) else [Window(given)]


def _window(module: nn.Module, given: tuple[int, ...]) -> Window:
    axes = len(given)
    kernel, stride = _each(module.kernel_size, axes), _each(module.stride, axes)
    before = tuple((k - 1) // 2 for k in kernel) if module.padding == "same" else _each(module.padding, axes)
    return Window(given, kernel, stride, before)


def _each(value: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    return (value,) * axes if isinstance(value, int) else tuple(value)
