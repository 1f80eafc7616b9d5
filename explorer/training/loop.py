"""The training loop: a plain generator of events that knows neither threads nor disk."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from explorer.data import PAD, Dataset, Split
from explorer.errors import Diverged
from explorer.models.memory import at_once
from explorer.specs import OPTIMIZERS, TrainSpec
from explorer.training.device import resolve_device
from explorer.training.layout import channels_last
from explorer.training.tasks import Task, task_of

HUGE = 1e10
"""Loss from which on gradients and running averages are checked: squares come near the end of float32 there. Below, it
would only cost."""
AT_ONCE = 1024
"""Most examples a model is measured on at once."""


@dataclass(frozen=True)
class StepDone:
    """One optimiser step.

    Attributes:
        step: Steps done so far, from 1.
        epoch: Epoch it belongs to, from 1.
        loss: Mean loss of the batch before the step: cross-entropy in nats, or squared error of standardised values.
        metrics: Metrics of the batch before the step, such as ``{"accuracy": 0.9}``.
        samples: Examples in the batch.
        seconds: Time since training began.
    """

    step: int
    epoch: int
    loss: float
    metrics: dict[str, float]
    samples: int
    seconds: float


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training examples.

    Attributes:
        train: ``loss`` and the task's metrics over the epoch's batches, as they were while it went on.
        validation: The same of the validation split, at the end of the epoch.
    """

    step: int
    epoch: int
    train: dict[str, float]
    validation: dict[str, float]
    seconds: float


def train(model: nn.Module, dataset: Dataset, spec: TrainSpec | None = None) -> Iterator[StepDone | EpochDone]:
    """Train a model in place, yielding what happens as it happens.

    The examples are kept on the device and indexed in a seeded order, so the same seed gives the same losses to the
    last bit on the same CPU. Between two events the model may be looked at; the loop sets its mode again itself.

    Args:
        model: Takes (N, *shape), returns (N, outputs). It is moved to the device that `spec` names, and in the
            end back to where it was.
        dataset: Its train split is learned, its validation split watched.
        spec: How to train; the defaults of `TrainSpec` if None.

    Yields:
        `StepDone` after every step, `EpochDone` after every epoch.

    Raises:
        SpecError: The device is not there.
        Diverged: The loss of a batch, its gradient or a running average is not finite (the model is as it was before
            that step), or at the end of an epoch the validation loss or a weight is not.
    """
    spec = spec or TrainSpec()
    device = resolve_device(spec.device)
    inputs, targets = dataset.train.inputs.to(device), dataset.train.targets.to(device)
    held_out = dataset.validation
    validation = Split(held_out.inputs.to(device), held_out.targets.to(device), held_out.rows)
    task = task_of(dataset)
    order = torch.Generator().manual_seed(spec.seed)
    with _on(model, device), channels_last(model, device), _seeded(spec.seed, device) as random:
        optimizer = make_optimizer(model, spec)
        began = time.perf_counter()
        step = 0
        for epoch in range(1, spec.epochs + 1):
            seen, loss_sum, sums = 0, 0.0, []
            for rows in _batches(len(inputs), spec.batch_size, order):
                rows = rows.to(device)  # (N,)
                random.resume()
                model.train()
                statistics = [buffer.clone() for buffer in model.buffers()]
                wanted = _trimmed(targets[rows])
                outputs = task.run(model, _trimmed(inputs[rows]), wanted)  # (N, outputs)
                loss = task.loss(outputs, wanted)
                value = loss.item()
                optimizer.zero_grad()
                loss.backward()
                if not math.isfinite(value) or (value > HUGE and not finite(_moving(model))):
                    for buffer, before in zip(model.buffers(), statistics, strict=True):
                        buffer.copy_(before)  # batch norm has averaged this batch in
                    raise _diverged(f"The loss became {value:g} at step {step + 1}", epoch, spec)
                optimizer.step()
                sums.append(task.sums(outputs.detach(), wanted).tolist())
                random.pause()
                step += 1
                count = task.count(wanted)
                seen, loss_sum = seen + count, loss_sum + value * count
                metrics = task.metrics(sums[-1], count)
                yield StepDone(step, epoch, value, metrics, len(rows), time.perf_counter() - began)
            metrics = {"loss": loss_sum / seen, **task.metrics(_add(sums), seen)}
            with evaluating(model):
                watched = _measure(model, validation, task)
            if not math.isfinite(watched["loss"]):
                raise _diverged(f"The validation loss became {watched['loss']:g} after step {step}", epoch, spec)
            if not finite(model.state_dict().values()):
                raise _diverged(f"Weights or their running averages stopped being finite by step {step}", epoch, spec)
            yield EpochDone(step, epoch, metrics, watched, time.perf_counter() - began)


def evaluate(model: nn.Module, dataset: Dataset, split: str = "test", batch_size: int = AT_ONCE) -> dict[str, float]:
    """Mean ``loss`` and the task's metrics of a model on a split, in eval mode; its mode is put back.

    Args:
        model: Takes (N, *shape), returns (N, outputs).
        dataset: What it has learned.
        split: train, validation or test.
        batch_size: Most examples worked on at once; fewer of a model that makes much of each.
    """
    task, part = task_of(dataset), dataset.split(split)
    with evaluating(model):
        return _measure(model, part, task, batch_size) | task.final(model, part)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode, and afterwards every one of its modules back into the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@torch.no_grad()
def _measure(model: nn.Module, split: Split, task: Task, most: int = AT_ONCE) -> dict[str, float]:
    device = next(model.parameters()).device
    batch_size = at_once(most, lambda: task.run(model, split.inputs[:1].to(device), split.targets[:1].to(device)))
    loss, sums, seen = 0.0, [], 0
    for inputs, targets in zip(split.inputs.split(batch_size), split.targets.split(batch_size), strict=True):
        targets = _trimmed(targets).to(device)
        outputs = task.run(model, _trimmed(inputs).to(device), targets)  # (N, outputs)
        count = task.count(targets)
        loss, seen = loss + task.loss(outputs, targets).item() * count, seen + count
        sums.append(task.sums(outputs, targets).tolist())
    return {"loss": loss / seen, **task.metrics(_add(sums), seen)}


def _trimmed(batch: torch.Tensor) -> torch.Tensor:
    """A batch of texts without the columns that are padding in all of them: they change no answer, but cost time."""
    if batch.dtype != torch.long or batch.ndim != 2:
        return batch
    return batch[:, : max(1, int((batch != PAD).any(0).sum()))]


def _add(sums: list[list[float]]) -> list[float]:
    return [sum(column) for column in zip(*sums, strict=True)]


def make_optimizer(model: nn.Module, spec: TrainSpec) -> torch.optim.Optimizer:
    """The optimiser a spec names, in its fused form where torch has one."""
    cls = getattr(torch.optim, OPTIMIZERS[spec.optimizer])
    options = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay}
    if spec.optimizer == "sgd":
        options["momentum"] = spec.momentum
    if "fused" in inspect.signature(cls).parameters:
        options["fused"] = True
    return cls(model.parameters(), **options)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """How many batches an epoch has; a last batch of one example is left out, as batch norm cannot use it."""
    full, rest = divmod(examples, batch_size)
    return full + (rest > 1 or examples == 1) if batch_size > 1 else examples


def suggest_rate(rate: float) -> float:
    """A learning rate to try after one that was too high: a tenth, but never above 0.01."""
    return min(rate / 10, 0.01)


def finite(tensors: Iterable[torch.Tensor | None]) -> bool:
    """Whether all numbers in all tensors are finite; None stands for a gradient that is not there."""
    return all(bool(values.isfinite().all()) for values in tensors if values is not None)


def _moving(model: nn.Module) -> Iterator[torch.Tensor | None]:
    yield from (weight.grad for weight in model.parameters())
    yield from model.buffers()


def _diverged(what: str, epoch: int, spec: TrainSpec) -> Diverged:
    return Diverged(
        f"{what} (epoch {epoch}) with learning rate {spec.learning_rate:g}. "
        f"Try a smaller one, such as {suggest_rate(spec.learning_rate):g}."
    )


def _batches(examples: int, batch_size: int, order: torch.Generator) -> Iterator[torch.Tensor]:
    rows = torch.randperm(examples, generator=order)
    yield from rows.split(batch_size)[: steps_per_epoch(examples, batch_size)]


@contextmanager
def _on(model: nn.Module, device: torch.device) -> Iterator[None]:
    before = next(model.parameters()).device
    model.to(device)
    try:
        yield
    finally:
        model.to(before)


class _seeded:
    """Dropout's random numbers come from a stream of the loop's own.

    While the loop waits between two events the caller's stream is put back, so neither disturbs the other.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device, self.seed = device, seed

    def __enter__(self) -> _seeded:
        outer = self._states()
        torch.manual_seed(self.seed)  # of all devices; those that are used are put back
        self.inner, self.outer, self.active = self._states(), outer, False
        self._restore(outer)
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def resume(self) -> None:
        self.outer = self._states()
        self._restore(self.inner)
        self.active = True

    def pause(self) -> None:
        if self.active:
            self.inner = self._states()
            self._restore(self.outer)
            self.active = False

    def _states(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device))
        if self.device.type == "mps":
            states.append(torch.mps.get_rng_state())
        return states

    def _restore(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states[1], self.device)
        if self.device.type == "mps":
            torch.mps.set_rng_state(states[1])
