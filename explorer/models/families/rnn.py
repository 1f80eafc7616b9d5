"""Recurrent network."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from explorer.data import Dataset
from explorer.models.families.base import Family
from explorer.specs import ModelSpec

READERS = {
    "tokens": {"kind": "embedding", "size": 32},
    "series": {"kind": "steps"},
    "image": {"kind": "rows"},
}
"""What turns each kind of input into a sequence."""
NO_ORDER = "its inputs have no order to be read in."


class Recurrent(Family):
    """Reads one step after the other and keeps a hidden state of what it has read (Elman, 1990). Texts are read both
    ways by an LSTM, series by a GRU, images row by row by an LSTM.
    """

    name = "rnn"
    title = "RNN"
    order = 3

    cell: Literal["auto", "rnn", "lstm", "gru"] = Field("auto", description="The recurrent layer; auto suits the data.")
    width: int = Field(64, ge=1, le=4096, description="Size of the hidden state, for each way it reads.")
    layers: int = Field(1, ge=1, le=8, description="Recurrent layers on top of each other.")

    def needs(self, dataset: Dataset) -> str | None:
        return None if dataset.modality in READERS else NO_ORDER

    def spec(self, dataset: Dataset) -> ModelSpec:
        cell = self.cell if self.cell != "auto" else "gru" if dataset.modality == "series" else "lstm"
        recurrent: dict[str, Any] = {"kind": cell, "units": self.width}
        if self.layers > 1:
            recurrent["layers"] = self.layers
        if dataset.modality == "tokens":
            recurrent["both_ways"] = True
        dropout = [{"kind": "dropout"}] if dataset.modality == "tokens" else []
        return ModelSpec.of(READERS[dataset.modality], *dropout, recurrent, *dropout, {"kind": "output"})

    def training(self, dataset: Dataset) -> dict[str, Any]:
        return {"learning_rate": 0.003, "epochs": 30 if dataset.modality == "series" else 20}
