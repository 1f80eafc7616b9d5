"""What a data set is: arrays of inputs and targets, split once and for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from explorer.errors import DataError
from explorer.specs import Modality, Shape

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}

PAD, UNKNOWN = 0, 1
"""Numbers of the two tokens every vocabulary begins with: padding, and whatever is not in it."""
SPECIAL = ("<pad>", "<unknown>")
START, END = 2, 3
"""Numbers of the two tokens that follow in the vocabulary of translations: every translation stands between them."""
FRAME = ("<start>", "<end>")

Task = Literal["classification", "binary", "regression", "translation"]


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        inputs: (N, *shape) float32 tensor; int64 token numbers for text.
        targets: (N,) int64 class numbers, or float32 standardised values for a regression, or (N, T) int64 token
            numbers of translations, from `START` to `END`.
        rows: (N,) row of each example in the source, so that it can be traced back.
        evidence: (N, *positions) bool: which pixels or tokens decide the class, where that is known; None elsewhere.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: np.ndarray
    evidence: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Dataset:
    """A data set, loaded and split into train, validation and test.

    Attributes:
        classes: Names of the classes; empty for a regression.
        features: Names of the columns of a table; empty for others.
        vocabulary: Text of each token number, beginning with `SPECIAL`; empty for what is not text.
        target_vocabulary: Text of each token number of translations, beginning with `SPECIAL` and `FRAME`.
        scale: (mean, standard deviation) of a regression's targets in the train split: ``value = target * sd + mean``.
        unit: What a regression predicts, in words.
        feature_scales: For each column of a table its (mean, standard deviation) in the train split, by which it was
            standardised; empty for others, and where they are not known.
    """

    name: str
    title: str
    about: str
    source: str
    licence: str
    modality: Modality
    task: Task
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    features: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    target_vocabulary: tuple[str, ...] = ()
    scale: tuple[float, float] = (0.0, 1.0)
    unit: str = ""
    feature_scales: tuple[tuple[float, float], ...] = ()

    @property
    def shape(self) -> Shape:
        """Shape of one input."""
        size = tuple(self.train.inputs.shape[1:])
        return Shape(kind=self.modality, size=size, vocabulary=len(self.vocabulary), padded=self.modality == "tokens")

    @property
    def target_shape(self) -> Shape | None:
        """Shape of what a translator has written so far; None where nothing is translated."""
        if self.task != "translation":
            return None
        length = self.train.targets.shape[1] - 1  # the last token is only answered
        return Shape(kind="tokens", size=(length,), vocabulary=len(self.target_vocabulary), padded=True)

    @property
    def outputs(self) -> int:
        """How many numbers a model must put out: a logit for each class or target token, but one for two classes, and
        one value.
        """
        return {"classification": len(self.classes), "translation": len(self.target_vocabulary)}.get(self.task, 1)

    def split(self, name: str) -> Split:
        """The split called train, validation or test."""
        if name not in SHARES:
            raise DataError(f"There is no split called {name!r}. Choose one of: {', '.join(SHARES)}.")
        return getattr(self, name)

    def answer(self, target: float | torch.Tensor) -> str:
        """A target in words: the name of a class, a value with its unit, or a translation (T,)."""
        if self.task == "translation":
            return self.text(target, self.target_vocabulary)
        if self.classes:
            return self.classes[int(target)]
        mean, spread = self.scale
        return f"{mean + spread * float(target):.4g} {self.unit}".strip()

    def unscaled(self, inputs: torch.Tensor) -> np.ndarray:
        """Rows of a table (N, D) in the units of its columns, as float64; as they are where those are not known."""
        values = inputs.double().numpy()
        if not self.feature_scales:
            return values
        mean, spread = np.array(self.feature_scales).T
        return values * spread + mean

    def text(self, tokens: torch.Tensor, vocabulary: tuple[str, ...] | None = None) -> str:
        """The words or characters of token numbers (L,), without padding, start and end.

        Args:
            tokens: Numbers in the inputs' vocabulary, or in another one.
            vocabulary: The other one.
        """
        known = vocabulary or self.vocabulary
        words = [known[token] for token in tokens.tolist() if known[token] not in (SPECIAL[PAD], *FRAME)]
        return ("" if by_character(known) else " ").join(words)


def by_character(vocabulary: tuple[str, ...]) -> bool:
    """Whether the tokens of a vocabulary are characters rather than words."""
    return sum(len(token) == 1 for token in vocabulary) > len(vocabulary) / 2
