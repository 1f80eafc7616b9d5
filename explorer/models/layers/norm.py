"""Normalisation."""

from __future__ import annotations

from torch import nn

from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Shape


class BatchNorm(Layer):
    """Keeps each channel at mean 0 and spread 1 over the batch, then rescales it (Ioffe & Szegedy, 2015).

    Outside training it uses the running mean and variance it has seen.
    """

    name = "batchnorm"
    title = "Batch norm"
    role = "norm"
    order = 20

    def call(self, given: Shape, classes: int) -> Call:
        return Call(nn.BatchNorm2d if given.kind == "image" else nn.BatchNorm1d, (given.size[0],))


class LayerNorm(Layer):
    """Keeps all values of one example at mean 0 and spread 1, then rescales them (Ba et al., 2016)."""

    name = "layernorm"
    title = "Layer norm"
    role = "norm"
    order = 21

    def call(self, given: Shape, classes: int) -> Call:
        return Call(nn.LayerNorm, (list(given.size),))

    def windows(self) -> str:
        return WHOLE
