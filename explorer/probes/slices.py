"""Groups of the rows of a table, by the values of one column, and how a model treats each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from explorer.data import Dataset
from explorer.probes.quality import interval

SMALL = 20
"""With fewer examples than this, one more mistake moves a rate by over five points: too small to judge."""
VALUES = 8
"""A column of at most so many different values is grouped by value, any other by quantiles."""
FINEST = 4
"""Most groups a number is cut into; fewer where they would be small."""
DIGITS = 6
"""Significant digits of a usual value of a column to which its values are read back from standardised float32."""
MISSING = " is missing"
"""What the column is called, after its own name, that says where a number is missing."""


@dataclass(frozen=True)
class Column:
    """What the rows of a table can be grouped by.

    Attributes:
        name: As people call it: ``colour`` for the columns ``colour = red`` and ``colour = blue``.
        indices: The columns of the inputs that it is made of.
        values: What each of them stands for, ``("red", "blue")``; empty where it is a number.
        missing: The column that says where the number is missing, or None.
    """

    name: str
    indices: tuple[int, ...]
    values: tuple[str, ...] = ()
    missing: int | None = None


def columns(dataset: Dataset) -> list[Column]:
    """What the rows of a table can be grouped by: its numbers, and each category once."""
    names = dataset.features
    two = [len(np.unique(values)) <= 2 for values in _every(dataset).T]
    hot: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if two[index] and " = " in name:
            hot.setdefault(name.split(" = ", 1)[0], []).append(index)
    found: dict[str, Column] = {}
    for index, name in enumerate(names):
        category = name.split(" = ", 1)[0]
        if index in hot.get(category, []) and _one_at_most(dataset, hot[category]):
            values = tuple(names[n].split(" = ", 1)[1] for n in hot[category])
            found.setdefault(category, Column(category, tuple(hot[category]), values))
        elif not (two[index] and name.endswith(MISSING) and name.removesuffix(MISSING) in names):
            gap = names.index(name + MISSING) if name + MISSING in names else None
            found.setdefault(name, Column(name, (index,), (), gap))
    return list(found.values())


def groups(dataset: Dataset, split: str, column: Column) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which group each row of a split is in.

    A category has a group for each value; a number of few different values as well. Other numbers are cut at quantiles
    of the train split: into quarters, or thirds or halves where the split has few examples.

    Returns:
        (N,) number of the group, and what each group is called.
    """
    every, rows = _every(dataset), _values(dataset, split)
    if column.values:
        return _by_category(rows, every, column)
    known, mine = every[:, column.indices[0]], rows[:, column.indices[0]]
    gone = np.zeros(len(mine), dtype=bool)
    if column.missing is not None:
        known = known[~_set(every, every, column.missing)]
        gone = _set(rows, every, column.missing)
    distinct = np.unique(known)
    if len(distinct) <= VALUES:
        place, names = np.searchsorted(distinct, mine).clip(0, len(distinct) - 1), _named(distinct)
    else:
        train = _values(dataset, "train")
        present = train[:, column.indices[0]]
        if column.missing is not None:
            present = present[~_set(train, every, column.missing)]
        parts = min(FINEST, max(2, len(mine) // (2 * SMALL)))
        edges = np.unique(np.quantile(present, np.arange(1, parts) / parts))
        edges = edges[edges > distinct[0]]  # else nothing would be below the first
        place, names = np.searchsorted(edges, mine, side="right"), _between(edges)
    if gone.any():
        place, names = np.where(gone, len(names), place), (*names, "missing")
    return place, names


def slices(
    place: np.ndarray, names: tuple[str, ...], truth: np.ndarray, predicted: np.ndarray, chosen: int
) -> pd.DataFrame:
    """How a classifier treats each group.

    Args:
        place: (N,) group of each example.
        names: Names of the groups.
        truth, predicted: (N,) class numbers.
        chosen: The class to be selected for.

    Returns:
        One row for each group: ``group``, ``examples``, then for each rate its value, 0 to 1 or NaN, and the number of
        examples it is a share of (``… of``): ``selected`` (answered as the chosen class), ``wrong``, ``false positive``
        (answered as chosen, of those that are not) and ``false negative`` (not answered as chosen, of those that are).
    """
    is_chosen, selected = truth == chosen, predicted == chosen
    every = np.ones(len(truth), dtype=bool)
    rates = {
        "selected": (selected, every),
        "wrong": (predicted != truth, every),
        "false positive": (selected, ~is_chosen),
        "false negative": (~selected, is_chosen),
    }
    table = pd.DataFrame({"group": names, "examples": np.bincount(place, minlength=len(names))})
    for rate, (happened, among) in rates.items():
        total = np.bincount(place[among], minlength=len(names))
        count = np.bincount(place[among & happened], minlength=len(names))
        table[rate] = np.where(total > 0, count / np.maximum(total, 1), math.nan)
        table[f"{rate} of"] = total
    return table


def spread(place: np.ndarray, names: tuple[str, ...], truth: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """How far off a regression is in each group.

    Returns:
        One row for each group: ``group``, ``examples``, ``error`` (mean absolute) and ``leaning`` (mean of predicted
        less true), NaN where there are no examples.
    """
    count = np.bincount(place, minlength=len(names))
    some = np.where(count > 0, count, math.nan)
    off = predicted - truth
    return pd.DataFrame(
        {
            "group": names,
            "examples": count,
            "error": np.bincount(place, np.abs(off), minlength=len(names)) / some,
            "leaning": np.bincount(place, off, minlength=len(names)) / some,
        }
    )


def verdict(table: pd.DataFrame, rate: str, column: str) -> str:
    """One sentence on how a rate of `slices` differs between the groups that are large enough to judge."""
    judged = table[table[f"{rate} of"] >= SMALL]
    if len(judged) < 2:
        return f"Fewer than two groups have the {SMALL} examples it takes to judge this."
    high, low = judged.loc[judged[rate].idxmax()], judged.loc[judged[rate].idxmin()]
    if high[rate] == low[rate]:
        return "It is the same in every group that is large enough to judge."
    (bottom, _), (_, top) = (interval(row[rate] * row[f"{rate} of"], row[f"{rate} of"]) for row in (high, low))
    said = (
        f"Highest where {column} is “{high['group']}” ({high[rate]:.1%}), lowest where it is “{low['group']}” "
        f"({low[rate]:.1%}). "
    )
    if bottom <= top:
        return said + "Their 95 % intervals overlap: with so few examples this may be chance."
    return said + "Their 95 % intervals do not overlap."


# -- values -----------------------------------------------------------------------------------------------------------


def _values(dataset: Dataset, split: str) -> np.ndarray:
    """(N, D) in the units of the columns, without the digits that float32 adds."""
    values = dataset.unscaled(dataset.split(split).inputs)
    scales = dataset.feature_scales or ((0.0, 1.0),) * values.shape[1]
    places = [DIGITS - 1 - math.floor(math.log10(abs(mean) + spread)) for mean, spread in scales]
    rounded = [column.round(place) for column, place in zip(values.T, places, strict=True)]
    return np.stack(rounded, axis=1) + 0.0  # no negative zeros


def _every(dataset: Dataset) -> np.ndarray:
    """The values of all splits together."""
    return np.concatenate([_values(dataset, split) for split in ("train", "validation", "test")])


def _set(rows: np.ndarray, every: np.ndarray, index: int) -> np.ndarray:
    """(N,) whether a column of two values has the larger one, which is 1 or what standardising made of it."""
    low, high = every[:, index].min(), every[:, index].max()
    return rows[:, index] > (low + high) / 2


def _one_at_most(dataset: Dataset, indices: list[int]) -> bool:
    every = _every(dataset)
    return bool((sum(_set(every, every, index).astype(int) for index in indices) <= 1).all())


def _by_category(rows: np.ndarray, every: np.ndarray, column: Column) -> tuple[np.ndarray, tuple[str, ...]]:
    place = np.full(len(rows), len(column.values))
    for number, index in enumerate(column.indices):
        place[_set(rows, every, index)] = number
    if len(column.values) == 1:  # of two values only one has a column
        return place, (column.values[0], f"not {column.values[0]}")
    left = (place == len(column.values)).any()
    return place, (*column.values, *(["none of these"] if left else []))


def _named(values: np.ndarray) -> tuple[str, ...]:
    """Names of single values; 0 and 1 are no and yes."""
    if set(values.tolist()) <= {0.0, 1.0}:
        return tuple("yes" if value else "no" for value in values)
    return tuple(f"{value:.{DIGITS}g}" for value in values)


def _between(edges: np.ndarray) -> tuple[str, ...]:
    words = [f"{edge:.{DIGITS}g}" for edge in edges]
    inner = [f"{low} to under {high}" for low, high in pairwise(words)]
    return (f"under {words[0]}", *inner, f"{words[-1]} and over")
