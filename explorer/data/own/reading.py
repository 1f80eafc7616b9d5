"""What is read from a file, and what every kind of file must keep to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.data.assemble import Table, assemble, distinct
from explorer.data.base import Dataset, Task
from explorer.errors import DataError
from explorer.specs import Modality

FILE_BYTES = 32 * 2**20
"""Largest file that is read."""
UNPACKED_BYTES = 512 * 2**20
"""Most that may come out of a packed file."""
EXAMPLES = 50_000
VALUES = 20_000_000
"""Most numbers in all inputs together."""
CLASSES = 100
FEW = 6
"""A class of fewer examples cannot stand in each of the three splits."""
NAME = 60
"""Longest name of a class or column that is kept."""


@dataclass(frozen=True)
class Reading:
    """Data read from a file, before they are split.

    Attributes:
        table: Inputs and targets.
        notes: What was left out or changed on the way, in words.
        unit: What a regression predicts.
        longest, rare: As in `assemble`.
    """

    table: Table
    modality: Modality
    task: Task
    notes: tuple[str, ...] = ()
    unit: str = ""
    longest: int = 64
    rare: int = 1

    def dataset(self, title: str, name: str = "own") -> Dataset:
        """Split and standardised as every data set is."""
        return assemble(
            self.table,
            name=name,
            title=title,
            about=f"{len(self.table.inputs):,} examples from a file of your own.",
            source="a file that was uploaded",
            licence="whatever its owner says",
            modality=self.modality,
            task=self.task,
            unit=self.unit,
            longest=self.longest,
            rare=self.rare,
            once=self.modality != "vector",
        )


def check_size(content: bytes) -> None:
    """Refuse a file that is empty or too large."""
    if not content:
        raise DataError("The file is empty. Choose another one.")
    if len(content) > FILE_BYTES:
        raise DataError(
            f"The file has {len(content) / 2**20:.0f} MiB; at most {FILE_BYTES // 2**20} are read. "
            "Choose a part of it, or smaller images."
        )


def check_count(examples: int, values: int) -> None:
    """Refuse more examples, or more numbers in each, than can be worked with here."""
    if examples > EXAMPLES:
        raise DataError(f"There are {examples:,} examples; at most {EXAMPLES:,} are read. Choose a part of them.")
    if examples * values > VALUES:
        raise DataError(
            f"{examples:,} examples of {values:,} numbers are too many to work with here: at most {VALUES:,} numbers "
            "in all. Choose fewer or smaller examples."
        )


def of_classes(
    inputs: np.ndarray | list[tuple[str, ...]],
    labels: Sequence[str | None],
    modality: Modality,
    features: tuple[str, ...] = (),
    notes: Sequence[str] = (),
    longest: int = 64,
    rare: int = 1,
) -> Reading:
    """Examples with a class each; those without one and classes too small to be split are left out.

    Repeated examples are left out, too, so that none is in two splits; but equal rows of a table are different cases.

    Raises:
        DataError: Fewer than two classes are left, or there are too many.
    """
    said = list(notes)
    rows = _answered(np.array([bool(label) for label in labels]), said)
    if modality != "vector":
        first = rows[distinct(_taken(inputs, rows))]
        if len(first) < len(rows):
            said.append(f"{_many(len(rows) - len(first), 'repeated example')} left out.")
        rows = first
    counts = Counter(labels[row] for row in rows)
    small = sorted(str(label) for label, count in counts.items() if count < FEW)
    if small:
        named = ", ".join(label[:NAME] for label in small[:5]) + (", …" if len(small) > 5 else "")
        said.append(f"{_many(len(small), 'class', 'classes')} with fewer than {FEW} examples left out: {named}.")
    classes = sorted((str(label) for label, count in counts.items() if count >= FEW), key=_by_number)
    if len(classes) < 2:
        raise DataError(
            f"{_many(len(classes), 'class', 'classes')} with at least {FEW} different examples: a model needs two to "
            "tell apart. Choose another column, or more examples."
        )
    if len(classes) > CLASSES:
        raise DataError(
            f"There are {len(classes):,} classes; at most {CLASSES} can be learned here. "
            "Choose another column, or let it be a number."
        )
    numbers = {label: number for number, label in enumerate(classes)}
    rows = np.array([row for row in rows if labels[row] in numbers])
    targets = np.array([numbers[str(labels[row])] for row in rows], dtype=np.int64)
    names = tuple(label[:NAME] for label in classes)
    table = Table(_taken(inputs, rows), targets, names, features)
    return Reading(table, modality, "binary" if len(classes) == 2 else "classification", tuple(said), "", longest, rare)


def of_values(
    inputs: np.ndarray, values: np.ndarray, unit: str, features: tuple[str, ...], notes: Sequence[str] = ()
) -> Reading:
    """Rows of a table with a number each; those without one are left out.

    Raises:
        DataError: Too few are left, or all have the same number.
    """
    said = list(notes)
    rows = _answered(np.isfinite(values), said)
    if len(rows) < 5 * FEW or np.ptp(values[rows]) == 0:
        raise DataError(
            f"{unit} has {len(rows)} rows to learn from, with {len(np.unique(values[rows]))} different numbers; "
            f"at least {5 * FEW} rows and two numbers are needed. Choose another column, or more rows."
        )
    table = Table(inputs[rows], values[rows].astype(np.float64), (), features)
    return Reading(table, "vector", "regression", tuple(said), unit)


def _answered(known: np.ndarray, said: list[str]) -> np.ndarray:
    """Rows that have an answer."""
    if not known.all():
        said.append(f"{_many(int((~known).sum()), 'example')} without an answer left out.")
    return np.flatnonzero(known)


def _taken(inputs: np.ndarray | list, rows: np.ndarray) -> np.ndarray | list:
    return inputs[rows] if isinstance(inputs, np.ndarray) else [inputs[row] for row in rows]


def _many(count: int, what: str, plural: str = "") -> str:
    return f"{count:,} {what if count == 1 else plural or what + 's'}"


def _by_number(label: str) -> tuple[float, str]:
    """2 before 10, numbers before words."""
    try:
        return (float(label), label)
    except ValueError:
        return (float("inf"), label)
