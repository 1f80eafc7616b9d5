"""Multilayer perceptron."""

from __future__ import annotations

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.specs import ModelSpec


class MLP(Family):
    """Linear layers with bends between them. It does not know which pixels are neighbours."""

    name = "mlp"
    title = "MLP"
    order = 1

    width: int = Field(64, ge=1, le=4096, description="Units of each hidden layer.")
    depth: int = Field(2, ge=1, le=20, description="Hidden layers.")

    def spec(self, dataset: Dataset) -> ModelSpec:
        hidden = [{"kind": "linear", "units": self.width}, {"kind": "relu"}] * self.depth
        start = [{"kind": "flatten"}] if dataset.modality == "image" else []
        return ModelSpec.of(*start, *hidden, {"kind": "output"})
