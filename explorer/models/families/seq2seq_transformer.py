"""Transformer translator."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.specs import ModelSpec

READ = 32_000
"""Pairs a translator reads before it is usually good: few are read often, many seldom."""


class TransformerTranslator(Family):
    """Encoder blocks read the source; decoder blocks write the translation, looking back at what is written and across
    at the source (Vaswani et al., 2017).
    """

    name = "seq2seq_transformer"
    title = "Transformer translator"
    order = 7
    tasks = ("translation",)

    width: int = Field(64, ge=8, le=1024, multiple_of=8, description="Length of each position's vector.")
    depth: int = Field(2, ge=1, le=12, description="Blocks in the encoder, and in the decoder.")
    heads: int = Field(4, ge=1, le=8, description="Looks taken side by side in each block.")

    def spec(self, dataset: Dataset) -> ModelSpec:
        start = [{"kind": "embedding", "size": self.width}, {"kind": "positions"}]
        sizes = {"heads": self.heads, "units": 2 * self.width}
        end = [{"kind": "layernorm"}]
        return ModelSpec.of(*start, *[{"kind": "transformer", **sizes}] * self.depth, *end).with_decoder(
            *start, *[{"kind": "decoderblock", **sizes}] * self.depth, *end, {"kind": "output"}
        )

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.002, "epochs": readings(dataset)}


def readings(dataset: Dataset) -> int:
    """Epochs in which a translator reads about `READ` pairs."""
    return max(1, min(50, round(READ / len(dataset.train))))
