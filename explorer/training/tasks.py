"""What is learned: the loss and the metrics of each kind of task."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional as F

from explorer.data import PAD, Dataset, Split
from explorer.models.memory import at_once
from explorer.models.translator import translate


class Task(ABC):
    """A loss to minimise and the metrics people read.

    Metrics are worked out from sums, so that those of a split are exact however it is cut into batches.
    """

    metric: ClassVar[str]
    """The metric that is drawn beside the loss."""
    known: ClassVar[dict[str, float]]
    """The largest loss and the smallest metrics with which a batch counts as known by heart."""

    def run(self, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What the model puts out for a batch."""
        return model(inputs)

    def count(self, targets: torch.Tensor) -> int:
        """Over how many answers the loss of a batch is the mean."""
        return len(targets)

    def final(self, model: nn.Module, split: Split) -> dict[str, float]:
        """Metrics that take too long to watch while it learns; the model is in eval mode."""
        return {}

    def learned(self, loss: float, metrics: dict[str, float]) -> bool:
        """Whether a batch with this loss and these metrics is known by heart."""
        enough = all(metrics[name] >= value for name, value in self.known.items() if name != "loss")
        return enough and loss <= self.known.get("loss", math.inf)

    @abstractmethod
    def constant(self, targets: torch.Tensor) -> float:
        """The smallest loss that one answer to all examples can have: what a model reaches without its inputs."""

    @abstractmethod
    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """Mean loss of a batch; outputs (N, K) and targets (N,), or (N, T, K) and (N, T + 1).

        With `smoothing`, that share of the wanted probability is spread evenly over all classes (Szegedy et al., 2016).
        """

    @abstractmethod
    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What `metrics` needs, added up over a batch."""

    @abstractmethod
    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        """Metrics by name, from sums over `count` examples."""


class Classification(Task):
    """Cross-entropy in nats, and the share that is right."""

    metric = "accuracy"
    known = {"loss": 0.02, "accuracy": 1.0}  # the right class has a probability of 98 %

    def constant(self, targets: torch.Tensor) -> float:
        return _entropy(targets)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return F.cross_entropy(outputs, targets, label_smoothing=smoothing)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs.argmax(1) == targets).sum()[None]

    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        return {"accuracy": sums[0] / count}


class Binary(Classification):
    """Cross-entropy of one logit, positive for the second class."""

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        wanted = targets.to(outputs.dtype) * (1 - smoothing) + smoothing / 2
        return F.binary_cross_entropy_with_logits(outputs[:, 0], wanted)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return ((outputs[:, 0] > 0) == (targets == 1)).sum()[None]


class Regression(Task):
    """Mean squared error of standardised values; the error in units of the data, and the share of variance explained.

    Args:
        spread: Standard deviation by which the targets were divided.
    """

    metric = "mae"
    known = {"r2": 0.99}

    def __init__(self, spread: float) -> None:
        self.spread = spread

    def learned(self, loss: float, metrics: dict[str, float]) -> bool:
        return super().learned(loss, metrics) or loss < 1e-4  # values that are all the same have no variance

    def constant(self, targets: torch.Tensor) -> float:
        return float(targets.double().var(correction=0))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        return F.mse_loss(outputs[:, 0], targets)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        wrong, targets = (outputs[:, 0] - targets).double(), targets.double()
        return torch.stack([wrong.abs().sum(), wrong.square().sum(), targets.sum(), targets.square().sum()])

    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        wrong, squared, total, squares = sums
        variance = squares - total**2 / count
        return {"mae": self.spread * wrong / count, "r2": 1 - squared / variance if variance > 0 else 0.0}


class Translation(Task):
    """Cross-entropy of each next token, given the right ones before it (teacher forcing), and the share that is right;
    in the end the share of translations that are right as a whole, and their BLEU (Papineni et al., 2002).
    """

    metric = "token_accuracy"
    known = {"token_accuracy": 1.0}

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def run(self, model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return model(inputs, targets[:, :-1])

    def count(self, targets: torch.Tensor) -> int:
        return int((targets[:, 1:] != PAD).sum())

    def constant(self, targets: torch.Tensor) -> float:
        wanted = targets[:, 1:]
        return _entropy(wanted[wanted != PAD])

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        wanted = targets[:, 1:].flatten()
        return F.cross_entropy(outputs.flatten(0, 1), wanted, ignore_index=PAD, label_smoothing=smoothing)

    def sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        wanted = targets[:, 1:]
        return ((outputs.argmax(2) == wanted) & (wanted != PAD)).sum()[None]

    def metrics(self, sums: list[float], count: int) -> dict[str, float]:
        return {"token_accuracy": sums[0] / count}

    def final(self, model: nn.Module, split: Split) -> dict[str, float]:
        device = next(model.parameters()).device
        longest = self.dataset.target_shape.size[0]
        batch_size = at_once(256, lambda: self.run(model, split.inputs[:1].to(device), split.targets[:1].to(device)))
        written = [
            text
            for inputs in split.inputs.split(batch_size)
            for text in translate(model, inputs.to(device), longest).cpu().unbind(0)
        ]
        said = [self.dataset.answer(text) for text in written]
        wanted = [self.dataset.answer(text) for text in split.targets]
        right = sum(one == other for one, other in zip(said, wanted, strict=True))
        return {"exact_match": right / len(wanted), "bleu": bleu(said, wanted)}


def _entropy(numbers: torch.Tensor) -> float:
    """Of how often each number occurs, in nats: (N,) → the cross-entropy of always answering just that."""
    shares = numbers.long().bincount().double() / len(numbers)
    return float(-torch.special.xlogy(shares, shares).sum())


def bleu(said: list[str], wanted: list[str]) -> float:
    """Corpus BLEU, 0 to 100, by sacrebleu (Post, 2018); Chinese is compared character by character."""
    from sacrebleu import corpus_bleu

    chinese = any("\u4e00" <= letter <= "\u9fff" for text in wanted[:100] for letter in text)
    return corpus_bleu(said, [wanted], tokenize="zh" if chinese else "13a").score


def task_of(dataset: Dataset) -> Task:
    """The task of a data set."""
    if dataset.task == "translation":
        return Translation(dataset)
    if dataset.task == "regression":
        return Regression(dataset.scale[1])
    return Binary() if dataset.task == "binary" else Classification()
