"""What a layer of a specification is: its parameters, what it accepts, and the one call that makes its module."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from torch import nn

from explorer.errors import SpecError
from explorer.registry import Declared, Registry
from explorer.specs import Modality, Shape

WORDS = {
    "image": "an image",
    "series": "a series",
    "vector": "a flat vector",
    "tokens": "tokens",
    "sequence": "a sequence of vectors",
}
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

    def source(self) -> str:
        """The call as Python: ``nn.Conv2d(1, 16, 3, padding=1)``."""
        parts = [_word(a) for a in self.args] + [f"{k}={_word(v)}" for k, v in self.kwargs.items()]
        return f"{_word(self.cls)}({', '.join(parts)})"

    def own_classes(self) -> list[type[nn.Module]]:
        """The classes of this project it needs, each after those it is made from."""
        classes: list[type[nn.Module]] = []
        for cls in (*self.args, *self.kwargs.values(), self.cls):
            if isinstance(cls, type) and not _from_torch(cls):
                classes += [*getattr(cls, "made_from", ()), cls]
        return classes


def _from_torch(cls: type) -> bool:
    """Whether `torch.nn` has the class; if not, exported source must carry it."""
    return getattr(nn, cls.__name__, None) is cls


def _word(value: object) -> str:
    if isinstance(value, type):
        return f"nn.{value.__name__}" if _from_torch(value) else value.__name__
    return repr(value)


WHOLE = "whole"
"""Marks a layer each of whose outputs sees everything it was given."""


class Layer(Declared):
    """Base of all layers. A subclass holds its fields, what it accepts, and the call."""

    accepts: ClassVar[tuple[Modality, ...]] = ("image", "series", "vector", "sequence")
    gives: ClassVar[tuple[Modality, ...]] = ()
    """Kinds of output it can have; the same as its input if empty."""
    role: ClassVar[Literal["conv", "linear", "norm", "bend", "pool", "recurrent", "attention", "other"]] = "other"
    """Its colour in pictures."""
    order: ClassVar[int] = 100
    crosses: ClassVar[bool] = False
    """Whether it looks at the source of a translation, and so belongs in a decoder."""

    @abstractmethod
    def call(self, given: Shape, outputs: int) -> Call:
        """The call that makes the module for an input of this shape.

        Args:
            given: Shape of one input.
            outputs: How many numbers the model must put out for this data set.

        Raises:
            SpecError: This input does not work; the message says what to change.
        """

    def kind(self, given: Shape) -> Modality:
        """Kind of its output for this input."""
        return self.gives[0] if self.gives else given.kind

    def looks_ahead(self) -> bool:
        """Whether a position of a sequence may see later ones, which in a decoder are not written yet."""
        return False

    def windows(self) -> list[tuple[int, int]] | str:
        """(kernel, stride) of each sliding window in turn, or `WHOLE`; empty for layers that act on single values."""
        return []


def check_window(kernel: int, padding: int, given: Shape, layer: str) -> None:
    """Raise `SpecError` if a sliding window does not fit into its input."""
    sides = given.size[1:]  # (H, W) or (L,)
    if kernel > min(sides) + 2 * padding:
        size = "×".join(map(str, sides)) if len(sides) > 1 else f"{sides[0]} steps long"
        raise SpecError(
            f"{layer} {kernel} is larger than its {size} input. Use a smaller one or remove a pool before it."
        )


def of_dimensions(given: Shape, images: type[nn.Module], series: type[nn.Module]) -> type[nn.Module]:
    """The class that works on two dimensions for an image, or on one for a series."""
    return images if given.kind == "image" else series


LAYERS = Registry("layer", Layer, "explorer.models.layers")
