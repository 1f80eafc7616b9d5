"""Multilayer perceptron."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.specs import ModelSpec


class MLP(Family):
    """Linear layers with activations between them. It does not know which pixels are neighbours, nor which word came
    first.
    """

    name = "mlp"
    title = "MLP"
    order = 1

    width: int = Field(64, ge=1, le=4096, description="Units of each hidden layer.")
    depth: int = Field(2, ge=1, le=20, description="Hidden layers.")

    def spec(self, dataset: Dataset) -> ModelSpec:
        start = {
            "vector": [],
            "tokens": [{"kind": "embedding", "size": self.width}, {"kind": "meanpool"}],
        }.get(dataset.modality, [{"kind": "flatten"}])
        hidden = [{"kind": "linear", "units": self.width}, {"kind": "relu"}]
        if dataset.modality == "vector":
            hidden.append({"kind": "dropout"})  # tables are small, and soon learned by heart
        hidden *= self.depth
        return ModelSpec.of(*start, *hidden, {"kind": "output"})

    def training(self, dataset: Dataset) -> dict[str, Any]:
        if dataset.modality != "vector":
            return {}
        return {"epochs": 40, "batch_size": 32}
