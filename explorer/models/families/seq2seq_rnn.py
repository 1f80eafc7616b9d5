"""Recurrent translator."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.models.families.seq2seq_transformer import readings
from explorer.specs import ModelSpec


class RecurrentTranslator(Family):
    """A GRU reads the source both ways; another writes the translation and before each word looks at the source where
    it needs to (Bahdanau et al., 2014).
    """

    name = "seq2seq_rnn"
    title = "GRU translator"
    order = 6
    tasks = ("translation",)

    width: int = Field(64, ge=8, le=1024, description="Size of the hidden states and of each token's vector.")

    def spec(self, dataset: Dataset) -> ModelSpec:
        embedding = {"kind": "embedding", "size": self.width}
        return ModelSpec.of(
            embedding, {"kind": "gru", "units": self.width, "both_ways": True, "output": "all"}
        ).with_decoder(embedding, {"kind": "grudecoder", "units": 2 * self.width}, {"kind": "output"})

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.003, "epochs": readings(dataset)}
