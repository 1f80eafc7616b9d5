"""Small data sets and models that are made up or trained on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from explorer import Dataset, Split


def made_up(*shape: int, classes: int = 3, examples: int = 12, name: str = "made up") -> Dataset:
    """A data set of noise: images if `shape` is (C, H, W), vectors if it is (D,)."""
    random = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        targets = torch.arange(count) % classes
        return Split(torch.rand(count, *shape, generator=random), targets, np.arange(count))

    return Dataset(
        name=name,
        title=name.capitalize(),
        about="Noise.",
        source="torch.rand",
        licence="none",
        modality="image" if len(shape) == 3 else "vector",
        task="classification",
        classes=tuple(f"class {number}" for number in range(classes)),
        train=split(examples),
        validation=split(classes),
        test=split(classes),
    )


def cut(dataset: Dataset, examples: int) -> Dataset:
    """The same data set with only the first few training examples."""
    train = dataset.train
    return replace(dataset, train=Split(train.inputs[:examples], train.targets[:examples], train.rows[:examples]))
