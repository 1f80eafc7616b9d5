"""What a data set is: arrays of inputs and targets, split once and for all."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from explorer.errors import DataError
from explorer.registry import Declared, Registry
from explorer.specs import Modality, Shape

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        inputs: (N, *shape) float32 tensor.
        targets: (N,) int64 tensor of class numbers.
        rows: (N,) row of each example in the source, so that it can be traced back.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Dataset:
    """A data set, loaded and split into train, validation and test."""

    name: str
    title: str
    about: str
    source: str
    licence: str
    modality: Modality
    task: Literal["classification"]
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def shape(self) -> Shape:
        """Shape of one input."""
        return Shape(kind=self.modality, size=tuple(self.train.inputs.shape[1:]))

    def split(self, name: str) -> Split:
        """The split called train, validation or test."""
        if name not in SHARES:
            raise DataError(f"There is no split called {name!r}. Choose one of: {', '.join(SHARES)}.")
        return getattr(self, name)


class DataSource(Declared):
    """Base of all data sets: reads the arrays; shuffling and splitting are done here for all."""

    seed: int = Field(0, ge=0, lt=2**32, description="Fixes which examples fall into which split.")

    modality: ClassVar[Modality]
    task: ClassVar[Literal["classification"]] = "classification"
    order: ClassVar[int] = 100
    source: ClassVar[str]
    licence: ClassVar[str]

    @abstractmethod
    def read(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Inputs (N, *shape) as float32, targets (N,) as class numbers, and the names of the classes."""

    def load(self) -> Dataset:
        """Read, shuffle and split 70 / 15 / 15, each split with the same share of every class."""
        inputs, targets, classes = self.read()
        parts = stratified(targets, self.seed)
        x, y = torch.from_numpy(inputs).float(), torch.from_numpy(targets).long()
        splits = {name: Split(x[rows].contiguous(), y[rows], rows) for name, rows in parts.items()}
        return Dataset(
            name=self.name,
            title=self.title,
            about=self.help(),
            source=self.source,
            licence=self.licence,
            modality=self.modality,
            task=self.task,
            classes=classes,
            **splits,
        )


def stratified(targets: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Row numbers of each split, shuffled, every class in the same proportion in each.

    scikit-learn's splitter does the same, but takes two seconds to import: too long before a first page.
    """
    random = np.random.default_rng(seed)
    ends = np.cumsum(list(SHARES.values()))[:-1]  # 0.70, 0.85
    parts: list[list[np.ndarray]] = [[] for _ in SHARES]
    for cls in np.unique(targets):
        rows = random.permutation(np.flatnonzero(targets == cls))
        for part, chosen in zip(parts, np.split(rows, np.round(ends * len(rows)).astype(int)), strict=True):
            part.append(chosen)
    return {name: random.permutation(np.concatenate(part)) for name, part in zip(SHARES, parts, strict=True)}


DATASETS = Registry("data set", DataSource, "explorer.data")


@lru_cache(maxsize=16)
def load_dataset(name: str, **params: Any) -> Dataset:
    """Load a data set by name; the same arguments give the same object again.

    Args:
        name: A registered name, such as ``"digits"``.
        **params: Its parameters, such as ``seed`` for the split.

    Returns:
        A `Dataset` whose splits hold ``.inputs`` (N, *shape) and ``.targets`` (N,). Shared: do not change them.

    Raises:
        UnknownName: No such data set.
        SpecError: No such parameter, or a wrong value.
        DataError: The data cannot be read.
    """
    made = DATASETS.make(name, **params)
    try:
        return made.load()
    except (OSError, ImportError) as error:
        raise DataError(f"Data set {name!r} cannot be read ({error}). Install requirements.txt again.") from error
