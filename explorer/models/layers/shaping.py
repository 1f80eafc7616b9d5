"""Layers without weights that only pass values on."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from explorer.errors import SpecError
from explorer.models.layers.base import Call, Layer
from explorer.specs import Shape


class Flatten(Layer):
    """Lays all values out in one row: (N, C, H, W) → (N, C·H·W)."""

    name = "flatten"
    title = "Flatten"
    order = 30
    accepts = ("image", "series", "sequence")
    gives = ("vector",)

    def call(self, given: Shape, outputs: int) -> Call:
        if given.padded:
            raise SpecError("texts differ in length, and padding would change the answer. Use a Mean over positions.")
        return Call(nn.Flatten)


class Dropout(Layer):
    """During training sets a random share of values to zero, so that none is relied on alone (Srivastava, 2014)."""

    name = "dropout"
    title = "Dropout"
    order = 31

    share: float = Field(0.25, ge=0, lt=1, description="Share of values set to zero.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.Dropout, (self.share,))
