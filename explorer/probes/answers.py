"""What a model answers for every example of a split, and how wrong each answer is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from explorer.data import PAD, Dataset
from explorer.errors import ExplorerError
from explorer.models.memory import at_once
from explorer.models.translator import translate
from explorer.probes.capture import quiet
from explorer.training.measure import AT_ONCE, trimmed
from explorer.training.tasks import bleu

WRITTEN_AT_ONCE = 256
"""Most translations written at once."""


@dataclass(frozen=True)
class Answers:
    """What a model answers for N examples.

    Attributes:
        truth, predicted: (N,) class numbers, or the values of a regression in units of the data.
        loss: (N,) cross-entropy in nats, or squared error of standardised values; their mean is the loss of the split.
        probabilities: (N, classes), adding up to 1 in each row; (N, 0) of a regression.
    """

    truth: np.ndarray
    predicted: np.ndarray
    loss: np.ndarray
    probabilities: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """(N,) whether the class answered is not the true one."""
        return self.predicted != self.truth


@dataclass(frozen=True)
class Translations:
    """What a translator writes for N examples.

    Attributes:
        written, wanted: What it writes by itself, always the most probable next token, and what is right: N texts each.
        loss: (N,) mean cross-entropy of the next token, in nats, when the right ones before it are given.
        right, tokens: (N,) how many next tokens it gets right then, of how many.
        bleu: Of the split, 0 to 100 (Papineni et al., 2002).
    """

    written: tuple[str, ...]
    wanted: tuple[str, ...]
    loss: np.ndarray
    right: np.ndarray
    tokens: np.ndarray
    bleu: float

    @property
    def exact(self) -> np.ndarray:
        """(N,) whether the whole translation is right."""
        return np.array([said == wanted for said, wanted in zip(self.written, self.wanted, strict=True)])


def answers(model: nn.Module, dataset: Dataset, split: str = "test") -> Answers:
    """Let a model answer every example of a split, in eval mode.

    Args:
        model: Takes (N, *shape), returns (N, outputs): a logit for each class, one logit for two classes, or one value.
        dataset: What it has learned; not translations.
        split: train, validation or test.

    Raises:
        ExplorerError: Some answers are not finite numbers.
    """
    part = dataset.split(split)
    device = next(model.parameters()).device
    with quiet(model), torch.no_grad():
        batch = at_once(AT_ONCE, lambda: model(part.inputs[:1].to(device)))
        outputs = torch.cat([model(trimmed(x).to(device)).cpu() for x in part.inputs.split(batch)])  # (N, outputs)
    _check(outputs, split)
    outputs = outputs.double()
    if dataset.task == "regression":
        mean, spread = dataset.scale
        standardised = outputs[:, 0], part.targets.double()
        predicted, truth = ((values * spread + mean).numpy() for values in standardised)
        loss = (standardised[0] - standardised[1]).square()
        return Answers(truth, predicted, loss.numpy(), np.empty((len(part), 0)))
    if dataset.task == "binary":  # one logit z is as two, 0 and z
        outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
    loss = F.cross_entropy(outputs, part.targets, reduction="none")
    return Answers(
        part.targets.numpy().copy(), outputs.argmax(1).numpy(), loss.numpy(), outputs.softmax(1).float().numpy()
    )


def translations(model: nn.Module, dataset: Dataset, split: str = "test") -> Translations:
    """Let a translator translate every example of a split, in eval mode.

    Args:
        model: A `Translator`.
        dataset: What it has learned.
        split: train, validation or test.

    Raises:
        ExplorerError: Some answers are not finite numbers.
    """
    part = dataset.split(split)
    device = next(model.parameters()).device
    longest = dataset.target_shape.size[0]
    said: list[str] = []
    found: list[tuple[torch.Tensor, ...]] = []
    with quiet(model), torch.no_grad():
        batch = at_once(WRITTEN_AT_ONCE, lambda: model(part.inputs[:1].to(device), part.targets[:1, :-1].to(device)))
        for inputs, targets in zip(part.inputs.split(batch), part.targets.split(batch), strict=True):
            inputs, targets = trimmed(inputs).to(device), trimmed(targets).to(device)
            said += [dataset.answer(tokens) for tokens in translate(model, inputs, longest).cpu()]
            found.append(_given(model, inputs, targets))
    loss, right, tokens = (torch.cat(column).cpu() for column in zip(*found, strict=True))
    _check(loss, split)
    wanted = [dataset.answer(tokens) for tokens in part.targets]
    score = bleu(said, wanted)
    return Translations(tuple(said), tuple(wanted), loss.numpy(), right.numpy(), tokens.numpy(), score)


def _check(values: torch.Tensor, split: str) -> None:
    if not values.isfinite().all():
        raise ExplorerError(
            f"At this step some answers on the {split} split are not finite numbers: the weights are too large. Choose "
            "an earlier step, or train with a smaller learning rate."
        )


def _given(
    model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Loss, right tokens and tokens of each translation (N, T + 1), given the right tokens before each."""
    outputs, wanted = model(inputs, targets[:, :-1]), targets[:, 1:]  # (N, T, vocabulary), (N, T)
    losses = F.cross_entropy(outputs.transpose(1, 2), wanted, ignore_index=PAD, reduction="none")
    known = wanted != PAD
    right = ((outputs.argmax(2) == wanted) & known).sum(1)
    return losses.double().sum(1) / known.sum(1), right, known.sum(1)
