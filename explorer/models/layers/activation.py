"""Activations: what stands between linear layers, so that they do not collapse into one."""

from __future__ import annotations

from pydantic import Field
from torch import nn

from explorer.models.layers.base import Call, Layer
from explorer.specs import Shape


class ReLU(Layer):
    """Keeps positive values and sets negative ones to zero: ``max(0, x)``."""

    name = "relu"
    title = "ReLU"
    role = "bend"
    order = 40

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.ReLU)


class GELU(Layer):
    """A smooth ReLU: ``x · Φ(x)``, Φ being the normal distribution function (Hendrycks & Gimpel, 2016)."""

    name = "gelu"
    title = "GELU"
    role = "bend"
    order = 41

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.GELU)


class LeakyReLU(Layer):
    """Keeps positive values and shrinks negative ones: ``max(slope · x, x)`` (Maas et al., 2013)."""

    name = "leaky_relu"
    title = "Leaky ReLU"
    role = "bend"
    order = 42

    slope: float = Field(0.01, ge=0, le=1, description="What negative values are multiplied by.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.LeakyReLU, (self.slope,))


class Tanh(Layer):
    """Squeezes every value into -1 to 1."""

    name = "tanh"
    title = "Tanh"
    role = "bend"
    order = 43

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.Tanh)


class Sigmoid(Layer):
    """Squeezes every value into 0 to 1: ``1 / (1 + exp(-x))``."""

    name = "sigmoid"
    title = "Sigmoid"
    role = "bend"
    order = 44

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(nn.Sigmoid)
