"""Positional codes: what is added to each place, and how alike the codes are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.embedding import PositionalEncoding


@dataclass(frozen=True)
class PositionCode:
    """The code of every position of one layer.

    Attributes:
        layer: Its name, such as ``positions1``.
        values: (L, D).
        learned: Whether it is made of weights, rather than of fixed waves.
    """

    layer: str
    values: np.ndarray
    learned: bool

    @property
    def similarity(self) -> np.ndarray:
        """(L, L) cosine of the angle between any two codes, -1 to 1; 0 with a code of zeros."""
        length = np.linalg.norm(self.values.astype(float), axis=1, keepdims=True)
        unit = self.values / np.where(length > 0, length, 1.0)
        return unit @ unit.T


def position_code(model: nn.Module, layer: str) -> PositionCode:
    """The code of a layer that tells places where they stand (Vaswani et al., 2017, section 3.5).

    Raises:
        UnknownName: The model has no such layer.
        NotApplicable: The layer adds no code.
    """
    modules = dict(model.named_modules())
    if layer not in modules:
        raise UnknownName("layer in this model", layer, [name for name in modules if name])
    module = modules[layer]
    if not isinstance(module, PositionalEncoding):
        raise NotApplicable(f"Layer {layer} ({type(module).__name__}) adds no code of positions; only Positions does.")
    return PositionCode(layer, module.table.detach().cpu().numpy().copy(), isinstance(module.table, nn.Parameter))
