"""The part of a data set that a run learns from: all of it, a fold of a cross-validation, or the first examples; and
the same with shuffled labels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch

from explorer.data.base import Dataset, Split
from explorer.data.source import load_dataset
from explorer.errors import DataError
from explorer.specs import RunSpec

SHUFFLED_BY = 1
"""Seed of the order in which labels are shuffled."""


def dataset_of(spec: RunSpec) -> Dataset:
    """The data set of a run as the run sees it; the same spec gives the same object again.

    Raises:
        ExplorerError: The data cannot be read, or have fewer examples than folds.
    """
    whole = load_dataset(spec.dataset)  # also where a part of it is known: it may have been removed since
    if spec.fold is None and spec.examples is None and not spec.shuffled:
        return whole
    return _part(spec.dataset, spec.fold, spec.examples, spec.shuffled)


@lru_cache(maxsize=32)
def _part(name: str, fold: tuple[int, int] | None, examples: int | None, mixed: bool) -> Dataset:
    whole = load_dataset(name)
    part = folded(whole, *fold) if fold else whole
    part = part if examples is None else first(part, examples)
    return shuffled(part) if mixed else part


def shuffled(dataset: Dataset) -> Dataset:
    """The same data set with the labels of its train and validation splits in another order, always the same.

    Every label is there as often as before; which example it belongs to is chance (Adebayo et al., 2018). The test
    split is as it was.
    """
    random = np.random.default_rng(SHUFFLED_BY)
    train, validation = (
        replace(split, targets=split.targets[random.permutation(len(split))])
        for split in (dataset.train, dataset.validation)
    )
    return replace(dataset, train=train, validation=validation)


def first(dataset: Dataset, examples: int) -> Dataset:
    """The same data set with only the first examples of its train split, which is in random order."""
    return replace(dataset, train=_rows(dataset.train, np.arange(min(examples, len(dataset.train)))))


def folded(dataset: Dataset, fold: int, folds: int) -> Dataset:
    """One fold of a k-fold cross-validation.

    The train and validation splits are put together and cut into `folds` parts, each with the same share of every
    class; the part numbered `fold`, from 0, is the validation split, the others are the train split. The test split
    stays as it is. Values were standardised, and words numbered, by the train split of the whole data set.

    Raises:
        DataError: There are fewer examples than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    targets = torch.cat([dataset.train.targets, dataset.validation.targets])
    if len(targets) < 2 * folds:
        raise DataError(
            f"{dataset.title} has {len(targets)} examples to train on and validate with, too few for {folds} folds. "
            f"Use at most {len(targets) // 2}."
        )
    classes = targets.numpy() if dataset.classes else None
    smallest = np.bincount(classes).min() if dataset.classes else 0
    cut = (StratifiedKFold if smallest >= folds else KFold)(folds, shuffle=True, random_state=0)
    train, validation = list(cut.split(np.zeros(len(targets)), classes))[fold]
    both = _joined(dataset.train, dataset.validation)
    # The order of the examples is part of a seeded run: mixed, as in the whole data set.
    mixed = np.random.default_rng(fold).permutation(train)
    return replace(dataset, train=_rows(both, mixed), validation=_rows(both, validation))


def _joined(one: Split, other: Split) -> Split:
    evidence = None if one.evidence is None else torch.cat([one.evidence, other.evidence])
    return Split(
        torch.cat([one.inputs, other.inputs]),
        torch.cat([one.targets, other.targets]),
        np.concatenate([one.rows, other.rows]),
        evidence,
    )


def _rows(split: Split, rows: np.ndarray) -> Split:
    evidence = None if split.evidence is None else split.evidence[rows]
    return Split(split.inputs[rows], split.targets[rows], split.rows[rows], evidence)
