"""Carrying out one run: the loop's events into the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from explorer.data import Dataset, load_dataset
from explorer.errors import Diverged, ExplorerError, RunGone, SpecError
from explorer.models import Plan, build, checked
from explorer.runs.store import Run, RunStore, Status
from explorer.specs import RunSpec
from explorer.training import (
    EpochDone,
    StepDone,
    describe_device,
    evaluate,
    resolve_device,
    steps_per_epoch,
    train,
)
from explorer.training.device import training_threads
from explorer.training.optimizer import finite

FLUSH_SECONDS = 0.15
"""How often metrics reach the store."""
BATCH_ROWS = 100_000
"""About how many steps have their metrics written; of a longer run, after its beginning, means over equal stretches."""
SNAPSHOTS = 40
"""Most snapshots a run keeps after the first one, evenly spread; the last always."""


class Stopped(Exception):
    """The run was asked to stop."""


def check(spec: RunSpec) -> tuple[int, int]:
    """Check that a run can work before it is queued.

    Returns:
        Its optimiser steps and its parameters.

    Raises:
        ExplorerError: It cannot; the message says why.
    """
    dataset = load_dataset(spec.dataset)
    made = checked(spec.model, dataset, min(spec.train.batch_size, len(dataset.train)))
    if spec.train.batch_size == 1 or len(dataset.train) == 1:
        _check_norms(made)
    if not made.parameters:
        raise ExplorerError("This model has no weights to train. Add a linear or convolution layer.")
    return steps_per_epoch(len(dataset.train), spec.train.batch_size) * spec.train.epochs, made.parameters


def _check_norms(made: Plan) -> None:
    """Raise `SpecError` where batch norm would get a single value of each channel to take the mean of."""
    with torch.device("meta"):
        for layer in made.layers:
            try:
                if layer.given.kind in ("image", "series", "vector"):
                    layer.call.make().train()(torch.empty(1, *layer.given.size))
            except ValueError:
                raise SpecError(
                    f"Layer {layer.number} ({layer.kind}): batch norm cannot learn from batches of one example. "
                    "Use a batch size of at least 2, or layer norm.",
                    layer.number,
                ) from None


def submit(store: RunStore, spec: RunSpec, title: str = "", owner: str = "") -> Run:
    """Check a run and put it into the store: queued, or running at once if an owner is given.

    Raises:
        ExplorerError: It cannot work; nothing was stored.
    """
    steps, parameters = check(spec)
    return store.create(spec, title, steps, parameters, owner)


def execute(
    store: RunStore, run: Run, owner: str, device: str = "auto", watch: Callable[..., None] | None = None
) -> Run:
    """Train a claimed run to its end, whatever that is, and return its final row.

    Args:
        store: Where events go.
        run: A run that is marked as running for this owner.
        owner: The name under which it was claimed.
        device: What ``auto`` in its settings means here.
        watch: Called with every event; what it raises ends the run as stopped if it is KeyboardInterrupt.
    """
    writer = _Writer(store, run.id, owner, run.total_steps)
    test = None
    try:
        status, reason = Status.FINISHED, ""
        try:
            dataset = load_dataset(run.spec.dataset)
            test = evaluate(_train(run, dataset, writer, device, watch), dataset)
        except (Stopped, KeyboardInterrupt):
            status = Status.STOPPED
            if writer.model is not None:
                test = evaluate(writer.model, dataset)
        except Diverged as error:
            status, reason = Status.FAILED, str(error)
        writer.close(keep_last=status is not Status.FAILED)
    except RunGone:
        if store.find(run.id) is None:  # deleted while it trained: leave nothing behind
            store.snapshots.delete(run.id)
        raise
    except ExplorerError as error:
        status, reason = Status.FAILED, str(error)
    except Exception as error:
        if not _out_of_memory(error):
            store.end(run.id, Status.FAILED, "Something unexpected went wrong; the details are in the server's log.")
            raise
        status, reason = Status.FAILED, "The memory ran out. Use a smaller model or batch."
    store.end(run.id, status, reason, test)
    return store.get(run.id)


def _out_of_memory(error: Exception) -> bool:
    said = "can't allocate memory" in str(error) or "not enough memory" in str(error)  # torch's words on a CPU
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (isinstance(error, RuntimeError) and said)


def _train(
    run: Run, dataset: Dataset, writer: _Writer, device: str, watch: Callable[..., None] | None
) -> torch.nn.Module:
    torch.set_num_threads(training_threads())
    settings = run.spec.train
    if settings.device == "auto":
        settings = settings.model_copy(update={"device": device})
    model = build(run.spec.model, dataset, seed=settings.seed)
    writer.begin(model, describe_device(resolve_device(settings.device)))
    for event in train(model, dataset, settings):
        writer.take(event)
        if watch:
            watch(event)
    return model


@dataclass
class _Writer:
    """Gathers events and writes them a few times a second; keeps snapshots."""

    store: RunStore
    run_id: str
    owner: str
    total_steps: int
    model: torch.nn.Module | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    batches: list[dict[str, float]] = field(default_factory=list)
    last: StepDone | None = None
    flushed_at: float = float("-inf")
    rate_from: tuple[int, float] = (0, 0.0)
    samples: int = 0
    kept: int = -1

    def begin(self, model: torch.nn.Module, device: str) -> None:
        self.model = model
        self.store.snapshots.save(self.run_id, 0, model.state_dict())
        self.kept = 0
        self.store.report(self.run_id, self.owner, device=device)

    def take(self, event: StepDone | EpochDone) -> None:
        if isinstance(event, StepDone):
            self.last = event
            self.samples += event.samples
            self.batches.append({"loss": event.loss, **event.metrics})
            stretch = 1 if event.step <= BATCH_ROWS // 100 else -(-self.total_steps // BATCH_ROWS)
            if event.step % stretch == 0 or event.step == self.total_steps:
                names = self.batches[0]
                self._add("batch", event, {n: sum(b[n] for b in self.batches) / len(self.batches) for n in names})
                self.batches = []
            if event.step % -(-self.total_steps // SNAPSHOTS) == 0:
                self._keep(event.step)
        elif isinstance(event, EpochDone):
            self._add("train", event, event.train)
            self._add("validation", event, event.validation)
        if time.monotonic() - self.flushed_at >= FLUSH_SECONDS and self.flush() == "stop":
            raise Stopped

    def _add(self, split: str, event: StepDone | EpochDone, values: dict[str, float]) -> None:
        place = {"step": event.step, "epoch": event.epoch, "seconds": event.seconds}
        self.rows += [{"split": split, "name": name, "value": value, **place} for name, value in values.items()]

    def _keep(self, step: int) -> None:
        state = self.model.state_dict()
        if step != self.kept and finite(state.values()):  # a run that diverges keeps weights one can still look at
            self.store.snapshots.save(self.run_id, step, state)
            self.kept = step

    def flush(self) -> str:
        rows, self.rows = self.rows, []
        self.flushed_at = time.monotonic()
        progress: dict[str, Any] = {}
        if self.last:
            samples, seconds = self.rate_from
            if self.last.seconds > seconds:
                progress["rate"] = (self.samples - samples) / (self.last.seconds - seconds)
            self.rate_from = (self.samples, self.last.seconds)
            progress |= {"step": self.last.step, "epoch": self.last.epoch}
        return self.store.report(self.run_id, self.owner, rows, **progress)

    def close(self, keep_last: bool) -> None:
        """Write what is left; keep the last weights, unless they belong to a loss that is not finite."""
        if keep_last and self.last:
            self._keep(self.last.step)
        self.flush()
