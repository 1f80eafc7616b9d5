"""What an input of a data set may be: its range, and which columns of a table hold whole numbers or categories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from explorer.data import Dataset
from explorer.errors import NotApplicable

EXAMPLES = 500
"""Most inputs of the train split that are looked through."""
CHOICES = 32
"""Most whole numbers of a column that are tried at once."""
SHARP = 0.05
"""Numbers that are known less sharply than this cannot be told to be whole."""
IS, MISSING = " = ", " is missing"
"""How a table of one's own names a column that stands for a category, and one that says that a number is missing."""


@dataclass(frozen=True)
class Room:
    """What an input may become.

    Attributes:
        low, high: (1, *shape) ends of the data's range.
        free: (1, *shape) bool: which values may be any number in it.
        whole: Columns of a table that hold only whole numbers.
        groups: Columns that stand for the values of one category each, of which exactly one is true.
        flags: Pairs of a column and the one that says that its number is missing.
        scales: (mean, standard deviation) of each column, by which whole numbers are standardised.
        examples: (M, *shape) some inputs of the train split, if there are any.
    """

    low: torch.Tensor
    high: torch.Tensor
    free: torch.Tensor
    whole: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    flags: tuple[tuple[int, int], ...] = ()
    scales: tuple[tuple[float, float], ...] = ()
    examples: torch.Tensor | None = None

    def missing(self, x: torch.Tensor) -> torch.Tensor:
        """Which numbers of inputs are missing, so that the mean stands for them: (N, …) → (N, …) bool."""
        gone = torch.zeros_like(x, dtype=torch.bool)
        for column, flag in self.flags:
            gone[:, column] = x[:, flag] > self.at(flag, 0.5)
        return gone

    def sized(self, x: torch.Tensor) -> torch.Tensor:
        """Which values of inputs have a size, so that they can be changed a little: (N, …) → (N, …) bool."""
        sized = self.free.clone()
        sized[:, list(self.whole)] = True
        return sized.to(x.device) & ~self.missing(x)

    def widened(self, x: torch.Tensor) -> Room:
        """The same for inputs, (N, …), which themselves are allowed, whatever the range is."""
        return replace(self, low=self.low.to(x.device).minimum(x), high=self.high.to(x.device).maximum(x))

    def around(self, x: torch.Tensor) -> Room:
        """The same for one example, (1, …), whose missing numbers stay missing."""
        gone = self.missing(x)
        whole = tuple(column for column in self.whole if not gone[0, column])
        return replace(self.widened(x), free=self.free.to(x.device) & ~gone, whole=whole)

    def at(self, column: int, value: float) -> float:
        """A value of a column, standardised."""
        mean, spread = self.scales[column] if self.scales else (0.0, 1.0)
        return (value - mean) / spread

    def choices(self, x: torch.Tensor) -> Iterator[tuple[tuple[int, ...], torch.Tensor]]:
        """For each whole number and category of a row (1, D): its columns; the row with each other value, (K, D)."""
        for column in self.whole:
            numbers = self._numbers(column, float(x[0, column]))
            rows = x.repeat(len(numbers), 1)
            rows[:, column] = torch.tensor([self.at(column, number) for number in numbers])
            yield (column,), rows[(rows[:, column] - x[0, column]).abs() > 1e-5]
        for group in self.groups:
            columns = list(group)
            rows = x.repeat(len(group), 1)
            for row, chosen in zip(rows, group, strict=True):
                row[columns] = torch.tensor([self.at(column, float(column == chosen)) for column in group])
            yield group, rows[(rows - x).abs().amax(1) > 1e-5]

    def _numbers(self, column: int, now: float) -> list[int]:
        """Whole numbers of a column's range, the next ones among them."""
        mean, spread = self.scales[column] if self.scales else (0.0, 1.0)
        low, high, here = (
            round(float(value) * spread + mean) for value in (self.low[0, column], self.high[0, column], now)
        )
        spaced = np.linspace(low, high, min(CHOICES, high - low + 1)).round().astype(int).tolist()
        return sorted({*spaced, *(number for number in (here - 1, here + 1) if low <= number <= high)})


def room_of(dataset: Dataset) -> Room:
    """What an input of a data set may be, as far as its train split says.

    Images: brightness 0 to 1. Series: the range of each channel. Tables: the range of each column; a column of nothing
    but whole numbers keeps to them, and of the columns of a category one is true. Whether a number is missing stays.

    Raises:
        NotApplicable: The inputs are words, which have no range.
    """
    x = dataset.train.inputs
    if dataset.modality == "tokens":
        raise NotApplicable("Words have no range in which they could change a little. Swap them instead.")
    if dataset.modality == "image":
        low, high = torch.zeros_like(x[:1]), torch.ones_like(x[:1])
        return Room(low, high, torch.ones_like(low, dtype=torch.bool), examples=x[:EXAMPLES])
    if dataset.modality == "series":
        low, high = (ends(x, dim=(0, 2), keepdim=True).expand_as(x[:1]) for ends in (torch.amin, torch.amax))
        return Room(low, high, torch.ones_like(low, dtype=torch.bool), examples=x[:EXAMPLES])
    return _table(dataset)


def _table(dataset: Dataset) -> Room:
    x, names = dataset.train.inputs, dataset.features
    values = dataset.unscaled(x)  # (N, D)
    slack = 1e-4 + 1e-6 * np.abs(values).max(axis=0)
    off = np.abs(values - values.round()) > slack
    yes_or_no = ~off.any(axis=0) & (values.round() >= 0).all(axis=0) & (values.round() <= 1).all(axis=0)
    named = {name: column for column, name in enumerate(names)}
    flags = tuple(
        (named[name.removesuffix(MISSING)], column)
        for name, column in named.items()
        if yes_or_no[column] and name.endswith(MISSING) and name.removesuffix(MISSING) in named
    )
    for column, flag in flags:
        off[values[:, flag] > 0.5, column] = False  # the mean stands there
    whole = ~off.any(axis=0) & (slack < SHARP)
    kinds: dict[str, list[int]] = {}
    for name, column in named.items():
        if yes_or_no[column] and IS in name:
            kinds.setdefault(name.split(IS)[0], []).append(column)
    groups = tuple(tuple(columns) for columns in kinds.values() if len(columns) > 1)
    taken = {column for group in groups for column in group} | {flag for _, flag in flags}
    free = torch.from_numpy(~whole)[None]
    numbers = tuple(column for column in np.flatnonzero(whole).tolist() if column not in taken)
    low, high = x.amin(0, keepdim=True), x.amax(0, keepdim=True)
    return Room(low, high, free, numbers, groups, flags, dataset.feature_scales, x[:EXAMPLES])
