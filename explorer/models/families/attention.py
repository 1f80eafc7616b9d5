"""Attention without recurrence."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.models.families.rnn import NO_ORDER
from explorer.specs import ModelSpec


class Attention(Family):
    """Weighs positions by how much they matter and answers from their weighted sum, so that one can see where it
    looked. Dot-product: every position first looks at all others (Vaswani et al., 2017). Additive: a learned score for
    each position, and no look between them (Bahdanau et al., 2014).
    """

    name = "attention"
    title = "Attention"
    order = 4

    score: Literal["dot-product", "additive"] = Field("dot-product", description="How positions are weighed.")
    width: int = Field(64, ge=8, le=4096, multiple_of=8, description="Length of each position's vector.")
    heads: int = Field(1, ge=1, le=8, description="Looks taken side by side; only for dot-product.")

    def needs(self, dataset: Dataset) -> str | None:
        return None if dataset.modality in ("tokens", "series", "image") else NO_ORDER

    def spec(self, dataset: Dataset) -> ModelSpec:
        read = reader(dataset, self.width)
        look = {"kind": "selfattention", "heads": self.heads}
        pool = {"kind": "attentionpool", "units": self.width}
        if dataset.modality == "tokens":  # few texts of many words are soon learned by heart
            dropout = {"kind": "dropout", "share": 0.5}
            looks = [look, {"kind": "meanpool"}] if self.score == "dot-product" else [pool]
            return ModelSpec.of(*read, dropout, *looks, dropout, {"kind": "output"})
        looks = [look, pool] if self.score == "dot-product" else [pool]
        return ModelSpec.of(*read, {"kind": "positions"}, {"kind": "dropout"}, *looks, {"kind": "output"})

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.003, "epochs": 8 if dataset.modality == "tokens" else 20}


def reader(dataset: Dataset, width: int) -> list[dict[str, Any]]:
    """Layers that turn each kind of input into a sequence of vectors of one length."""
    if dataset.modality == "tokens":
        return [{"kind": "embedding", "size": width}]
    if dataset.modality == "series":
        return [{"kind": "steps"}, {"kind": "linear", "units": width}]
    side = min(dataset.shape.size[1:])
    patch = next(size for size in (4, 2, 3, 1) if all(n % size == 0 for n in dataset.shape.size[1:]))
    return [{"kind": "patches", "patch": min(patch, side), "size": width}]
