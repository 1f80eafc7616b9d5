"""A small network, and what tests of its runs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import explorer as ex
from explorer.runs.execute import execute, submit
from explorer.training import StepDone

DROPOUT = ex.ModelSpec.of(
    {"kind": "conv"},
    {"kind": "batchnorm"},
    {"kind": "relu"},
    {"kind": "flatten"},
    {"kind": "dropout"},
    {"kind": "output"},
)
NETWORK = ex.RunSpec(dataset="digits", model=DROPOUT, train=ex.TrainSpec(epochs=6, batch_size=32), family="cnn")
LONG = NETWORK.model_copy(update={"train": ex.TrainSpec(epochs=10_000)})


def now(store: ex.RunStore, spec: ex.RunSpec, watch: Callable[[Any], None] | None = None) -> ex.Run:
    """Train in this process."""
    with store.owners.hold() as owner:
        return execute(store, submit(store, spec, owner=owner), owner, watch=watch)


def at(store: ex.RunStore, step: int, act: Callable[[str], None]) -> Callable[[Any], None]:
    """Do something once a run has come to a step."""

    def watch(event: Any) -> None:
        if isinstance(event, StepDone) and event.step == step:
            act(store.list(1)[0].id)

    return watch


def weights(store: ex.RunStore, run: ex.Run) -> dict[str, torch.Tensor]:
    return store.snapshots.load(run.id, store.get(run.id).step)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
