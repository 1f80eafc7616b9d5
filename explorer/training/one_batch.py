"""Whether a model can learn a single batch by heart: if it cannot, something is broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from explorer.data import Dataset
from explorer.data.parts import first
from explorer.specs import Change, RunSpec, TrainSpec
from explorer.training.events import StepDone
from explorer.training.tasks import Task
from explorer.training.trial import Trial

STEPS = 500
"""Enough for nearly all starter models with their usual settings; most need fewer than half."""
DEAD = 1e-6
"""Share of the largest gradient below which a layer hardly gets any."""
FALLING = 0.9
"""The loss still falls if at the end it is less than this share of what it was halfway."""


class OneBatch(Trial):
    """Trains on the first batch of the train split, again and again, until it is known by heart.

    All that is meant to keep a model from learning by heart is off: dropout, weight decay, label smoothing. Batch norm
    stays as it is in training, with the mean of the batch: that is what a model works with while it learns.
    """

    most = STEPS

    def __init__(self, model: nn.Module, dataset: Dataset, spec: TrainSpec | None = None, **more: Any) -> None:
        spec = spec or TrainSpec()
        super().__init__(model, first(dataset, spec.batch_size), spec, **more)
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0

    @classmethod
    def settings(cls, spec: TrainSpec, examples: int) -> TrainSpec:
        return super().settings(spec, examples).model_copy(update={"weight_decay": 0.0, "label_smoothing": 0.0})

    @classmethod
    def suited(cls, spec: RunSpec, examples: int) -> RunSpec:
        suited = super().suited(spec, examples)
        off = ((0, Change(dropout=0.0)),)
        return suited.model_copy(update={"examples": suited.train.batch_size, "changes": off})

    def ends(self, event: StepDone) -> bool:
        return self.task.learned(event.loss, event.metrics)


@dataclass(frozen=True)
class Verdict:
    """What came of the attempt.

    Attributes:
        learned: Whether the batch is known by heart.
        step: The last step.
        first, last: Losses of the first and the last step.
        falling: Whether the loss was still falling at the end.
        weakest: The layer with the smallest gradient when it was last measured; empty if it never was.
        gradient: The norm of that gradient.
        dead: Whether it is next to nothing beside the largest.
    """

    learned: bool
    step: int
    first: float
    last: float
    falling: bool
    weakest: str = ""
    gradient: float = 0.0
    dead: bool = False


def judge(
    task: Task, losses: Sequence[float], metrics: Mapping[str, float], gradients: Mapping[str, float]
) -> Verdict | None:
    """Judge by the record of a run whether the batch was learned; None if there was no step yet.

    Args:
        task: What is learned.
        losses: Of each step.
        metrics: Of the last step.
        gradients: Norm for each layer, when they were last measured.
    """
    if not len(losses):
        return None
    values, few = np.asarray(losses, float), max(1, len(losses) // 10)
    halfway = values[len(values) // 2 :][:few].mean()
    weakest = min(gradients, key=gradients.__getitem__, default="")
    gradient = gradients.get(weakest, 0.0)
    return Verdict(
        learned=task.learned(values[-1], dict(metrics)),
        step=len(values),
        first=float(values[0]),
        last=float(values[-1]),
        falling=bool(values[-few:].mean() < FALLING * halfway),
        weakest=weakest,
        gradient=gradient,
        dead=gradient <= DEAD * max(gradients.values(), default=0.0),
    )
