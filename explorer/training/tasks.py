"""What is learned: the loss and the metrics of each kind of task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch.nn import functional as F

from explorer.data import Dataset


class Task(ABC):
    """A loss to minimise and the metrics people read.

    Metrics are worked out from sums, so that those of a split are exact however it is cut into batches.
    """

    metric: ClassVar[str]
    """The metric that is drawn beside the loss."""

    @abstractmethod
    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Mean loss of a batch; outputs (N, K), targets (N,)."""

    @abstractmethod
    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What `metrics` needs, added up over a batch."""

    @abstractmethod
    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        """Metrics by name, from sums over `count` examples."""


class Classification(Task):
    """Cross-entropy in nats, and the share that is right."""

    metric = "accuracy"

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(outputs, targets)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs.argmax(1) == targets).sum()[None]

    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        return {"accuracy": sums[0] / count}


class Binary(Classification):
    """Cross-entropy of one logit, positive for the second class."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return ((outputs[:, 0] > 0) == (targets == 1)).sum()[None]


class Regression(Task):
    """Mean squared error of standardised values; the error in units of the data, and the share of variance explained.

    Args:
        spread: Standard deviation by which the targets were divided.
    """

    metric = "mae"

    def __init__(self, spread: float) -> None:
        self.spread = spread

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.mse_loss(outputs[:, 0], targets)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        wrong, targets = (outputs[:, 0] - targets).double(), targets.double()
        return torch.stack([wrong.abs().sum(), wrong.square().sum(), targets.sum(), targets.square().sum()])

    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        wrong, squared, total, squares = sums
        variance = squares - total**2 / count
        return {"mae": self.spread * wrong / count, "r2": 1 - squared / variance if variance > 0 else 0.0}


def task_of(dataset: Dataset) -> Task:
    """The task of a data set."""
    if dataset.task == "regression":
        return Regression(dataset.scale[1])
    return Binary() if dataset.task == "binary" else Classification()
