"""Normalisation."""

from __future__ import annotations

from torch import nn

from explorer.models.layers.base import WHOLE, Call, Layer, of_dimensions
from explorer.specs import Shape


class BatchNorm(Layer):
    """Keeps each channel at mean 0 and spread 1 over the batch, then rescales it (Ioffe & Szegedy, 2015).

    Outside training it uses the running mean and variance it has seen.
    """

    name = "batchnorm"
    title = "Batch norm"
    role = "norm"
    order = 20
    accepts = ("image", "series", "vector")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(of_dimensions(given, nn.BatchNorm2d, nn.BatchNorm1d), (given.size[0],))


class LayerNorm(Layer):
    """Keeps all values of one example, or of one position of a sequence, at mean 0 and spread 1, then rescales them
    (Ba et al., 2016).
    """

    name = "layernorm"
    title = "Layer norm"
    role = "norm"
    order = 21

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.LayerNorm, (given.size[-1] if given.kind == "sequence" else list(given.size),))

    def windows(self) -> str:
        return WHOLE
