"""Short trainings that answer one question about a model and its settings."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import nn

from explorer.data import Dataset
from explorer.specs import RunSpec, TrainSpec
from explorer.training.events import Event, StepDone
from explorer.training.loop import Training


class Trial(Training):
    """A training with a number of steps of its own, whatever the epochs, and an end of its own.

    The order of the examples wraps around: as many passes as its steps need are one long epoch. Nothing is validated.
    What the settings say of schedules, early stopping and changed images is left out, so that nothing but the question
    is measured.
    """

    most: ClassVar[int]
    """Steps after which it ends in any case."""
    kept = (*Training.kept, "over")

    def __init__(self, model: nn.Module, dataset: Dataset, spec: TrainSpec | None = None, **more: Any) -> None:
        self.over = False  # before the rest: what it goes on from may know better
        super().__init__(model, dataset, self.settings(spec or TrainSpec(), len(dataset.train)), **more)

    @classmethod
    def settings(cls, spec: TrainSpec, examples: int) -> TrainSpec:
        """The settings without what would blur the answer, for so many training examples."""
        plain = {name: TrainSpec.model_fields[name].default for name in _LEFT_OUT}
        return spec.model_copy(update=plain | {"epochs": 1, "batch_size": min(spec.batch_size, examples)})

    @classmethod
    def suited(cls, spec: RunSpec, examples: int) -> RunSpec:
        """A run's spec with these settings: its record says what was done."""
        return spec.model_copy(update={"train": cls.settings(spec.train, examples)})

    @abstractmethod
    def ends(self, event: StepDone) -> bool:
        """Whether the question is answered."""

    @property
    def total_steps(self) -> int:
        """Most steps there will be."""
        return self.most

    def __next__(self) -> Event:
        if self.over:
            self.close()
            raise StopIteration
        event = super().__next__()
        if isinstance(event, StepDone):
            self.over = self.ends(event) or event.step >= self.most
        return event

    def _drawn(self) -> torch.Tensor:
        examples, wanted = len(self.dataset.train), self.most * self.spec.batch_size
        return torch.cat([super(Trial, self)._drawn() for _ in range(-(-wanted // examples))])[:wanted]


_LEFT_OUT = ("schedule", "warmup", "patience", "shift", "rotate", "noise", "erase")
