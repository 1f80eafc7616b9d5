"""Transformer encoder."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.attention import reader
from explorer.models.families.base import Family
from explorer.models.families.rnn import NO_ORDER
from explorer.specs import ModelSpec


class Transformer(Family):
    """Blocks in which every position looks at all others (Vaswani et al., 2017). On images it is a small Vision
    Transformer, which reads patches as if they were words (Dosovitskiy et al., 2020).
    """

    name = "transformer"
    title = "Transformer"
    order = 5

    width: int = Field(64, ge=8, le=1024, multiple_of=8, description="Length of each position's vector.")
    depth: int = Field(0, ge=0, le=12, description="Blocks on top of each other; 0: one for texts, two for the rest.")
    heads: int = Field(4, ge=1, le=8, description="Looks taken side by side in each block.")

    def needs(self, dataset: Dataset) -> str | None:
        return None if dataset.modality in ("tokens", "series", "image") else NO_ORDER

    def spec(self, dataset: Dataset) -> ModelSpec:
        words = dataset.modality == "tokens"
        # Words say most of what a text says, their order little: codes that begin small and dropout keep the few texts
        # from being learned by heart. Patches mean little without their place.
        code = {"code": "learned"} if words else {}
        dropout = [{"kind": "dropout", "share": 0.5}] if words else []
        block = {"kind": "transformer", "heads": self.heads, "units": 2 * self.width}
        return ModelSpec.of(
            *reader(dataset, self.width),
            {"kind": "positions", **code},
            *dropout,
            *[block] * (self.depth or (1 if words else 2)),
            {"kind": "layernorm"},
            {"kind": "meanpool"},
            *dropout,
            {"kind": "output"},
        )

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.003, "epochs": 10} if dataset.modality == "tokens" else {"learning_rate": 0.001}
