"""A run as the store hands it out."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from explorer.errors import ExplorerError
from explorer.registry import explain
from explorer.specs import RunSpec, TrainSpec, parse


class Status(enum.StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to the run."""
        return self not in (Status.QUEUED, *GOING)


GOING = (Status.RUNNING, Status.PAUSED)
"""A run that has begun and is not over."""


@dataclass(frozen=True)
class Run:
    """One row of the store.

    Attributes:
        id: Eight hexadecimal digits.
        spec: What it was made from; None if the row is damaged (then `reason` says so).
        reason: Why it ended, or, while it goes on, what was asked of it and not done, for a person; empty while all is
            well.
        step, total_steps: Optimiser steps done and planned.
        macs: Multiply-adds for one example, forwards.
        sweep: What the runs have in common that were made together, such as the folds of a cross-validation; or empty.
        rate: Training examples per second, lately.
        speed: Most steps per second, for slow motion; 0 for as fast as it goes.
        trained: Seconds spent training; pauses do not count.
        samples: Examples it was trained on so far, each as often as it was seen.
        memory: Most bytes that training took beyond what was there before it, on its device and in its process.
        best_step: The kept step with the smallest validation loss, or None.
        test: Metrics of the test split once it has ended, such as ``{"accuracy": 0.98}``.
        created, started, ended: Seconds since 1970, or None.
    """

    id: str
    title: str
    spec: RunSpec | None
    status: Status
    reason: str
    step: int
    total_steps: int
    epoch: int
    parameters: int
    macs: int
    device: str
    rate: float
    speed: float
    trained: float
    samples: int
    memory: int
    sweep: str
    best_step: int | None
    test: dict[str, float]
    created: float
    started: float | None
    ended: float | None

    @property
    def progress(self) -> float:
        """Share of the planned steps that are done, 0 to 1."""
        return min(1.0, self.step / self.total_steps) if self.total_steps else 0.0

    @property
    def settings(self) -> TrainSpec:
        """How it is trained by now; only of a run that has a spec."""
        return self.spec.settings_at(self.step)


_WHOLE = TypeAdapter(Run)


@lru_cache(maxsize=256)
def _spec(text: str) -> RunSpec:
    """The same text is read many times a second while runs are watched."""
    return parse(RunSpec, text, "run")


def from_row(row: Any) -> Run:
    """A run from its row in the store; a damaged row becomes a failed run that says so."""
    values = {name: row[name] for name in Run.__dataclass_fields__}
    try:
        read = {"spec": _spec(row["spec"]), "test": json.loads(row["test"])}
        return _WHOLE.validate_python(values | read)
    except (ExplorerError, ValueError, TypeError, RecursionError) as error:
        detail = explain(error, ()) if isinstance(error, ValidationError) else str(error)
    return Run(
        id=str(row["id"]),
        title=str(row["title"]),
        spec=None,
        status=Status.FAILED,
        reason=f"The record of this run is damaged and cannot be used: delete it. ({detail[:200]})",
        step=0,
        total_steps=0,
        epoch=0,
        parameters=0,
        macs=0,
        device="",
        rate=0.0,
        speed=0.0,
        trained=0.0,
        samples=0,
        memory=0,
        sweep="",
        best_step=None,
        test={},
        created=row["created"] if isinstance(row["created"], float) else 0.0,
        started=None,
        ended=None,
    )
