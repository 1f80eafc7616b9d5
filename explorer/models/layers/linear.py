"""Fully connected layers."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from explorer.errors import SpecError
from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Shape


class Linear(Layer):
    """Every output is a weighted sum of all inputs, plus a bias.

    ``y = W x + b``, (N, D) → (N, units); on a sequence the same at every position, (N, L, D) → (N, L, units).
    """

    name = "linear"
    title = "Linear"
    role = "linear"
    order = 2
    accepts = ("vector", "sequence")

    units: int = Field(64, ge=1, le=65536, description="How many numbers come out.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.Linear, (given.size[-1], self.units))

    def windows(self) -> str:
        return WHOLE


class Output(Layer):
    """A linear layer with one score (logit) per class; it adapts to the data set.

    (N, D) → (N, classes). Two classes share one logit, and a regression has one value: (N, 1). In a decoder there is
    a score for each token of the target's vocabulary at every position: (N, T, D) → (N, T, vocabulary).
    """

    name = "output"
    title = "Output"
    role = "linear"
    order = 3
    accepts = ("vector", "sequence")

    def call(self, given: Shape, outputs: int) -> Call:
        if given.kind == "sequence" and not given.source:
            raise SpecError(
                "it got a sequence of vectors, but needs one vector. Put a layer before it that makes one of them: "
                "Mean over positions, First position, Last position or Attention over positions."
            )
        return Call(nn.Linear, (given.size[-1], outputs))

    def windows(self) -> str:
        return WHOLE
