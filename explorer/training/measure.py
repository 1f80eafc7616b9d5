"""How good a model is on a split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from explorer.data import PAD, Dataset, Split
from explorer.models.memory import at_once
from explorer.training.tasks import Task, task_of

AT_ONCE = 1024
"""Most examples a model is measured on at once."""


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
        return measure(model, part, task, most_at_once(model, part, task, batch_size)) | task.final(model, part)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode, and afterwards every one of its modules back into the mode it was in."""
    modes = {module: module.training for module in model.modules()}
    learning = [module for module, training in modes.items() if training]
    for module in learning:  # setting what is set already takes as long as a small network's answer
        module.training = False
    try:
        yield
    finally:
        for module, training in modes.items():
            if module.training != training:
                module.training = training


def most_at_once(model: nn.Module, split: Split, task: Task, most: int = AT_ONCE) -> int:
    """How many examples a model may be measured on at once."""
    device = next(model.parameters()).device
    return at_once(most, lambda: task.run(model, split.inputs[:1].to(device), split.targets[:1].to(device)))


@torch.no_grad()
def measure(model: nn.Module, split: Split, task: Task, batch_size: int) -> dict[str, float]:
    """Mean ``loss`` and metrics of a model in eval mode."""
    device = next(model.parameters()).device
    loss, sums, seen = 0.0, [], 0
    for inputs, targets in zip(split.inputs.split(batch_size), split.targets.split(batch_size), strict=True):
        targets = trimmed(targets).to(device)
        outputs = task.run(model, trimmed(inputs).to(device), targets)  # (N, outputs)
        count = task.count(targets)
        loss, seen = loss + task.loss(outputs, targets).item() * count, seen + count
        sums.append(task.sums(outputs, targets).tolist())
    return {"loss": loss / seen, **task.metrics(added(sums), seen)}


def trimmed(batch: torch.Tensor) -> torch.Tensor:
    """A batch of texts without the columns that are padding in all of them: they change no answer, but cost time."""
    if batch.dtype != torch.long or batch.ndim != 2:
        return batch
    return batch[:, : max(1, int((batch != PAD).any(0).sum()))]


def added(sums: list[list[float]]) -> list[float]:
    """Column by column."""
    return [sum(column) for column in zip(*sums, strict=True)]
