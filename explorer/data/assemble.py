"""From what was read to a data set: splits, vocabularies, standardising. All that is learned, is learned from the train
split.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from explorer.data.base import FRAME, PAD, SHARES, SPECIAL, UNKNOWN, Dataset, Split, Task
from explorer.specs import Modality


@dataclass(frozen=True)
class Table:
    """What a data source reads, before it is split.

    Attributes:
        inputs: (N, *shape) numbers, in a table NaN where one is missing; for text a list of N tuples of words or
            characters.
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


def assemble(
    table: Table,
    *,
    name: str,
    title: str,
    about: str,
    source: str,
    licence: str,
    modality: Modality,
    task: Task,
    unit: str = "",
    seed: int = 0,
    longest: int = 64,
    rare: int = 1,
    once: bool = True,
) -> Dataset:
    """Shuffle and split 70 / 15 / 15, each split with the same share of every class.

    Args:
        table: What was read.
        name, title, about, source, licence, modality, task, unit: As in `Dataset`.
        seed: Fixes which examples fall into which split.
        longest: Most tokens kept of a text.
        rare: Tokens seen fewer times than this in the train split become `UNKNOWN`.
        once: Whether of equal examples all but the first are dropped, so that none is in two splits.
    """
    kept = distinct(table.inputs) if once else np.arange(len(table.inputs))
    if table.parts is not None:
        random = np.random.default_rng(seed)
        parts = {part: random.permutation(kept[table.parts[kept] == number]) for number, part in enumerate(SHARES)}
    else:
        groups = np.zeros(len(kept), dtype=int)
        if task in ("classification", "binary"):
            groups = table.targets[kept]
        elif task == "regression":  # as many low values as high ones in each split
            groups = np.digitize(table.targets[kept], np.quantile(table.targets[kept], [0.2, 0.4, 0.6, 0.8]))
        parts = {part: kept[rows] for part, rows in stratified(groups, seed).items()}
    vocabulary: tuple[str, ...] = ()
    if modality == "tokens":
        vocabulary = _vocabulary([table.inputs[row] for row in parts["train"]], rare)
        x = torch.from_numpy(encode(table.inputs, vocabulary, longest))
    else:
        x = torch.tensor(table.inputs).float()  # a copy: pandas' arrays are read-only
    target_vocabulary: tuple[str, ...] = ()
    if task == "translation":
        target_vocabulary = _vocabulary([table.targets[row] for row in parts["train"]], rare, FRAME)
        framed = [(FRAME[0], *text[:longest], FRAME[1]) for text in table.targets]
        y = torch.from_numpy(encode(framed, target_vocabulary, longest + 2))
    else:
        y = torch.tensor(table.targets)
    scale = (0.0, 1.0)
    feature_scales: tuple[tuple[float, float], ...] = ()
    if modality in ("vector", "series"):
        known, places = x[parts["train"]], (0, 2)[: x.ndim - 1]  # each column, or each channel over all steps
        mean, spread = _moments(known, places)
        x = ((x - mean) / spread).nan_to_num(nan=0.0)  # what is missing is taken to be the mean
        if modality == "vector":
            feature_scales = tuple(zip(mean[0].tolist(), spread[0].tolist(), strict=True))
    if task == "regression":
        known = y[parts["train"]].double()
        scale = float(known.mean()), float(known.std())
        y = ((y - scale[0]) / scale[1]).float()
    else:
        y = y.long()
    seen = None if table.evidence is None else torch.from_numpy(table.evidence)
    splits = {
        part: Split(x[rows].contiguous(), y[rows], rows, None if seen is None else seen[rows])
        for part, rows in parts.items()
    }
    return Dataset(
        name=name,
        title=title,
        about=about,
        source=source,
        licence=licence,
        modality=modality,
        task=task,
        classes=table.classes,
        features=table.features,
        vocabulary=vocabulary,
        target_vocabulary=target_vocabulary,
        scale=scale,
        unit=unit,
        feature_scales=feature_scales,
        **splits,
    )


def _moments(known: torch.Tensor, places: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of what is not missing (NaN); 0 and 1 where there is nothing to measure."""
    count = (~known.isnan()).sum(places, keepdim=True)
    mean = known.nansum(places, keepdim=True) / count.clamp(min=1)
    spread = ((known - mean).nan_to_num(nan=0.0).square().sum(places, keepdim=True) / (count - 1).clamp(min=1)).sqrt()
    return mean, spread.where(spread > 0, torch.ones(()))


def distinct(inputs: np.ndarray | list[tuple[str, ...]]) -> np.ndarray:
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
