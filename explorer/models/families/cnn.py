"""Convolutional network."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.specs import ModelSpec


class CNN(Family):
    """Small filters slid over the image or along the series, pooled, then a linear classifier (LeCun et al., 1998).

    Small images are pooled once, larger ones after each convolution.
    """

    name = "cnn"
    title = "CNN"
    order = 2

    width: int = Field(
        16, ge=1, le=1024, description="Channels of the first convolution; the second has twice as many."
    )

    def needs(self, dataset: Dataset) -> str | None:
        return None if dataset.modality in ("image", "series") else "its inputs are neither images nor series."

    def spec(self, dataset: Dataset) -> ModelSpec:
        kernel = {"kernel": 5} if dataset.modality == "series" else {}

        def block(channels: int) -> list[dict]:
            return [{"kind": "conv", "channels": channels, **kernel}, {"kind": "batchnorm"}, {"kind": "relu"}]

        pool = [{"kind": "maxpool"}]
        large = min(dataset.shape.size[1:]) >= 16
        return ModelSpec.of(
            *block(self.width),
            *(pool if large else []),
            *block(2 * self.width),
            *pool,
            {"kind": "flatten"},
            *([{"kind": "dropout"}] if dataset.modality == "series" else []),
            {"kind": "linear", "units": 64},
            {"kind": "relu"},
            {"kind": "output"},
        )

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.003} if dataset.modality == "series" else {}
