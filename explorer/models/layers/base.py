"""What a layer of a specification is: its parameters, what it accepts, and the one call that makes its module."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from torch import nn

from explorer.errors import SpecError
from explorer.registry import Declared, Registry
from explorer.specs import Modality, Shape

WORDS = {"image": "an image", "vector": "a flat vector"}
"""How messages call each kind of input."""


@dataclass(frozen=True)
class Call:
    """How a module is made. Building the model makes the call, exporting it prints the call: they cannot differ."""

    cls: type[nn.Module]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)

    def make(self) -> nn.Module:
        """The module, freshly initialised."""
        return self.cls(*self.args, **self.kwargs)

    @property
    def from_torch(self) -> bool:
        """Whether `torch.nn` has the class; if not, exported source must carry it."""
        return getattr(nn, self.cls.__name__, None) is self.cls

    def source(self) -> str:
        """The call as Python: ``nn.Conv2d(1, 16, 3, padding=1)``."""
        parts = [repr(a) for a in self.args] + [f"{k}={v!r}" for k, v in self.kwargs.items()]
        return f"{'nn.' if self.from_torch else ''}{self.cls.__name__}({', '.join(parts)})"


WHOLE = "whole"
"""Marks a layer each of whose outputs sees everything it was given."""


class Layer(Declared):
    """Base of all layers. A subclass holds its fields, what it accepts, and the call."""

    accepts: ClassVar[tuple[Modality, ...]] = ("image", "vector")
    gives: ClassVar[Modality | None] = None
    """Kind of its output; None if the same as its input."""
    role: ClassVar[Literal["conv", "linear", "norm", "bend", "pool", "other"]] = "other"
    """Its colour in pictures."""
    order: ClassVar[int] = 100

    @abstractmethod
    def call(self, given: Shape, classes: int) -> Call:
        """The call that makes the module for an input of this shape.

        Args:
            given: Shape of one input.
            classes: How many classes the data set has.

        Raises:
            SpecError: This input does not work; the message says what to change.
        """

    def windows(self) -> list[tuple[int, int]] | str:
        """(kernel, stride) of each sliding window in turn, or `WHOLE`; empty for layers that act on single values."""
        return []


def check_window(kernel: int, padding: int, given: Shape, layer: str) -> None:
    """Raise `SpecError` if a sliding window does not fit into its input."""
    height, width = given.size[1:]
    if kernel > min(height, width) + 2 * padding:
        raise SpecError(
            f"{layer} {kernel} is larger than its {height}×{width} input. Use a smaller one or remove a pool before it."
        )


LAYERS = Registry("layer", Layer, "explorer.models.layers")
