"""Experiments that are ready to run: several runs that belong together."""

from __future__ import annotations

from explorer.runs.execute import submit
from explorer.runs.run import Run
from explorer.runs.store import RunStore, new_id
from explorer.specs import ModelSpec, RunSpec, TrainSpec

EPOCHS = 10
FORGET_BIAS = 5.0
"""The forget gates begin open: sigmoid(5) = 0.993, and half of the memory is left after 100 steps. At 0 they begin half
open, and an LSTM forgets as fast as a vanilla RNN."""


def vanishing() -> dict[str, RunSpec]:
    """A vanilla RNN and an LSTM that must remember a symbol over 99 steps, by title; all else is the same."""

    def spec(kind: str, **more: float) -> RunSpec:
        model = ModelSpec.of({"kind": "embedding", "size": 32}, {"kind": kind, "units": 64, **more}, {"kind": "output"})
        return RunSpec(dataset="first_symbol", model=model, train=TrainSpec(epochs=EPOCHS), family="rnn")

    return {
        "Vanilla RNN remembering a symbol": spec("rnn"),
        "LSTM remembering a symbol": spec("lstm", forget_bias=FORGET_BIAS),
    }


def start_vanishing(store: RunStore, session: str = "") -> list[Run]:
    """Queue both; the same ``sweep`` says that they belong together."""
    sweep = new_id()
    return [submit(store, spec, title, session=session, sweep=sweep) for title, spec in vanishing().items()]
