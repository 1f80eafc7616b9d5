"""The training loop: a plain generator of events that knows neither threads nor disk."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from explorer.data import Dataset, Split
from explorer.errors import Diverged
from explorer.specs import OPTIMIZERS, TrainSpec
from explorer.training.device import resolve_device
from explorer.training.layout import channels_last

HUGE = 1e10
"""Loss from which on gradients and running averages are checked: squares come near the end of float32 there. Below, it
would only cost."""


@dataclass(frozen=True)
class StepDone:
    """One optimiser step.

    Attributes:
        step: Steps done so far, from 1.
        epoch: Epoch it belongs to, from 1.
        loss: Mean cross-entropy of the batch before the step, in nats.
        accuracy: Share of the batch that was right before the step, 0 to 1.
        samples: Examples in the batch.
        seconds: Time since training began.
    """

    step: int
    epoch: int
    loss: float
    accuracy: float
    samples: int
    seconds: float


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training examples.

    Attributes:
        train: ``loss`` and ``accuracy`` averaged over the epoch's batches, as they were while it went on.
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
        model: Takes (N, *shape), returns logits (N, classes). It is moved to the device that `spec` names.
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
    model.to(device)
    inputs, targets = dataset.train.inputs.to(device), dataset.train.targets.to(device)
    held_out = dataset.validation
    validation = Split(held_out.inputs.to(device), held_out.targets.to(device), held_out.rows)
    optimizer = make_optimizer(model, spec)
    order = torch.Generator().manual_seed(spec.seed)
    with channels_last(model, device), _seeded(spec.seed, device) as random:
        began = time.perf_counter()
        step = 0
        for epoch in range(1, spec.epochs + 1):
            seen, loss_sum, right_sum = 0, 0.0, 0
            for rows in _batches(len(inputs), spec.batch_size, order):
                rows = rows.to(device)  # (N,)
                random.resume()
                model.train()
                statistics = [buffer.clone() for buffer in model.buffers()]
                logits = model(inputs[rows])  # (N, classes)
                loss = F.cross_entropy(logits, targets[rows])
                value = loss.item()
                optimizer.zero_grad()
                loss.backward()
                if not math.isfinite(value) or (value > HUGE and not finite(_moving(model))):
                    for buffer, before in zip(model.buffers(), statistics, strict=True):
                        buffer.copy_(before)  # batch norm has averaged this batch in
                    raise _diverged(f"The loss became {value:g} at step {step + 1}", epoch, spec)
                optimizer.step()
                right = int((logits.detach().argmax(1) == targets[rows]).sum())
                random.pause()
                step += 1
                seen, loss_sum, right_sum = seen + len(rows), loss_sum + value * len(rows), right_sum + right
                yield StepDone(step, epoch, value, right / len(rows), len(rows), time.perf_counter() - began)
            metrics = {"loss": loss_sum / seen, "accuracy": right_sum / seen}
            watched = evaluate(model, validation)
            if not math.isfinite(watched["loss"]):
                raise _diverged(f"The validation loss became {watched['loss']:g} after step {step}", epoch, spec)
            if not finite(model.state_dict().values()):
                raise _diverged(f"Weights or their running averages stopped being finite by step {step}", epoch, spec)
            yield EpochDone(step, epoch, metrics, watched, time.perf_counter() - began)


@torch.no_grad()
def evaluate(model: nn.Module, split: Split, batch_size: int = 1024) -> dict[str, float]:
    """Mean cross-entropy (nats) and accuracy (0 to 1) of a model on a split, in eval mode; its mode is put back."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss, right = 0.0, 0
    for inputs, targets in zip(split.inputs.split(batch_size), split.targets.split(batch_size), strict=True):
        logits = model(inputs.to(device))  # (N, classes)
        loss += F.cross_entropy(logits, targets.to(device), reduction="sum").item()
        right += int((logits.argmax(1) == targets.to(device)).sum())
    model.train(was_training)
    return {"loss": loss / len(split), "accuracy": right / len(split)}


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


class _seeded:
    """Dropout's random numbers come from a stream of the loop's own.

    While the loop waits between two events the caller's stream is put back, so neither disturbs the other.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device, self.seed = device, seed

    def __enter__(self) -> _seeded:
        outer = self._states()
        torch.manual_seed(self.seed)
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
