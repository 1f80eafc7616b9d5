"""What a data set is: arrays of inputs and targets, split once and for all."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from explorer.errors import DataError
from explorer.registry import Declared, Registry
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

    def text(self, tokens: torch.Tensor, vocabulary: tuple[str, ...] | None = None) -> str:
        """The words or characters of token numbers (L,), without padding, start and end.

        Args:
            tokens: Numbers in the inputs' vocabulary, or in another one.
            vocabulary: The other one.
        """
        known = vocabulary or self.vocabulary
        words = [known[token] for token in tokens.tolist() if known[token] not in (SPECIAL[PAD], *FRAME)]
        characters = sum(len(token) == 1 for token in known) > len(known) / 2
        return ("" if characters else " ").join(words)


@dataclass(frozen=True)
class Table:
    """What a data source reads, before it is split.

    Attributes:
        inputs: (N, *shape) numbers; for text a list of N tuples of words or characters.
        targets: (N,) class numbers, or values; for translations a list of N tuples of words or characters.
        classes, features: As in `Dataset`.
        parts: (N,) 0, 1 or 2 for train, validation and test, where the source itself must keep them apart; else None.
        evidence: (N, *positions) bool, or None.
    """

    inputs: np.ndarray | list[tuple[str, ...]]
    targets: np.ndarray | list[tuple[str, ...]]
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    parts: np.ndarray | None = None
    evidence: np.ndarray | None = None


class DataSource(Declared):
    """Base of all data sets: reads the arrays; shuffling, splitting and standardising are done here for all."""

    seed: int = Field(0, ge=0, lt=2**32, description="Fixes which examples fall into which split.")

    modality: ClassVar[Modality]
    task: ClassVar[Task] = "classification"
    order: ClassVar[int] = 100
    source: ClassVar[str]
    licence: ClassVar[str]
    unit: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    """An optional package it is read from: without it the set is listed, but cannot be chosen."""
    longest: ClassVar[int] = 64
    """Most tokens kept of a text."""
    rare: ClassVar[int] = 1
    """Tokens seen fewer times than this in the train split become `UNKNOWN`."""
    distinct: ClassVar[bool] = True
    """Whether examples that are equal are one example: all but the first are dropped, so that none is in two splits."""

    @abstractmethod
    def read(self) -> Table:
        """Everything there is, in any order."""

    @classmethod
    def missing(cls) -> str | None:
        """How to get what the set needs, or None if it is there."""
        if cls.needs and find_spec(cls.needs) is None:
            return f"{cls.title} is read from the package {cls.needs}: pip install {cls.needs}"
        return None

    def load(self) -> Dataset:
        """Read, shuffle and split 70 / 15 / 15, each split with the same share of every class.

        Raises:
            DataError: A package it needs is missing.
        """
        if reason := self.missing():
            raise DataError(reason)
        table = self.read()
        kept = _distinct(table.inputs) if self.distinct else np.arange(len(table.inputs))
        if table.parts is not None:
            random = np.random.default_rng(self.seed)
            parts = {name: random.permutation(kept[table.parts[kept] == number]) for number, name in enumerate(SHARES)}
        else:
            groups = np.zeros(len(kept), dtype=int)
            if self.task in ("classification", "binary"):
                groups = table.targets[kept]
            elif self.task == "regression":  # as many low values as high ones in each split
                groups = np.digitize(table.targets[kept], np.quantile(table.targets[kept], [0.2, 0.4, 0.6, 0.8]))
            parts = {name: kept[rows] for name, rows in stratified(groups, self.seed).items()}
        vocabulary: tuple[str, ...] = ()
        if self.modality == "tokens":
            vocabulary = _vocabulary([table.inputs[row] for row in parts["train"]], self.rare)
            x = torch.from_numpy(encode(table.inputs, vocabulary, self.longest))
        else:
            x = torch.tensor(table.inputs).float()  # a copy: pandas' arrays are read-only
        target_vocabulary: tuple[str, ...] = ()
        if self.task == "translation":
            target_vocabulary = _vocabulary([table.targets[row] for row in parts["train"]], self.rare, FRAME)
            framed = [(FRAME[0], *text[: self.longest], FRAME[1]) for text in table.targets]
            y = torch.from_numpy(encode(framed, target_vocabulary, self.longest + 2))
        else:
            y = torch.tensor(table.targets)
        scale = (0.0, 1.0)
        if self.modality in ("vector", "series"):
            known, places = x[parts["train"]], (0, 2)[: x.ndim - 1]  # each column, or each channel over all steps
            mean, spread = known.mean(places, keepdim=True), known.std(places, keepdim=True)
            x = (x - mean) / spread.where(spread > 0, torch.ones(()))
        if self.task == "regression":
            known = y[parts["train"]].double()
            scale = float(known.mean()), float(known.std())
            y = ((y - scale[0]) / scale[1]).float()
        else:
            y = y.long()
        seen = None if table.evidence is None else torch.from_numpy(table.evidence)
        splits = {
            name: Split(x[rows].contiguous(), y[rows], rows, None if seen is None else seen[rows])
            for name, rows in parts.items()
        }
        return Dataset(
            name=self.name,
            title=self.title,
            about=self.help(),
            source=self.source,
            licence=self.licence,
            modality=self.modality,
            task=self.task,
            classes=table.classes,
            features=table.features,
            vocabulary=vocabulary,
            target_vocabulary=target_vocabulary,
            scale=scale,
            unit=self.unit,
            **splits,
        )


def shipped(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing the package: many take seconds.

    Raises:
        ImportError: The package is not installed.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"there is no package {package}")
    return Path(found.submodule_search_locations[0]) / path


def _distinct(inputs: np.ndarray | list[tuple[str, ...]]) -> np.ndarray:
    """Row numbers of the first of each set of equal examples."""
    first: dict[Any, int] = {}
    for row, example in enumerate(inputs):
        first.setdefault(example if isinstance(example, tuple) else example.tobytes(), row)
    return np.fromiter(first.values(), dtype=int)


def _vocabulary(texts: list[tuple[str, ...]], rare: int, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """`SPECIAL`, `more`, and every token that is not rare, the most frequent first."""
    counts = Counter(token for text in texts for token in text)
    frequent = sorted(counts, key=lambda token: (-counts[token], token))
    return (*SPECIAL, *more, *(token for token in frequent if counts[token] >= rare))


def encode(texts: list[tuple[str, ...]], vocabulary: tuple[str, ...], longest: int) -> np.ndarray:
    """Token numbers (N, L), padded at the end; L is the longest text, but not more than `longest`."""
    numbers = {token: number for number, token in enumerate(vocabulary)}
    length = min(longest, max(map(len, texts)))
    encoded = np.full((len(texts), length), PAD, dtype=np.int64)
    for row, text in enumerate(texts):
        kept = text[:length]
        encoded[row, : len(kept)] = [numbers.get(token, UNKNOWN) for token in kept]
    return encoded


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


def parted(groups: np.ndarray, seed: int) -> np.ndarray:
    """(N,) 0, 1 or 2 for train, validation and test, as `Table.parts`: every group in the same proportion in each."""
    parts = np.empty(len(groups), dtype=int)
    for number, rows in enumerate(stratified(groups, seed).values()):
        parts[rows] = number
    return parts


DATASETS = Registry("data set", DataSource, "explorer.data")


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
    return _load(DATASETS.make(name, **params))


@lru_cache(maxsize=32)
def _load(made: DataSource) -> Dataset:
    try:
        return made.load()
    except (OSError, ImportError) as error:
        raise DataError(f"Data set {made.name!r} cannot be read ({error}). Install requirements.txt again.") from error
