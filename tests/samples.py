"""Small data sets and models that are made up or trained on the spot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from explorer import Dataset, Split
from explorer.data import END, PAD, START

KINDS = {1: "vector", 2: "series", 3: "image"}


def made_up(
    *shape: int,
    classes: int = 3,
    examples: int = 12,
    name: str = "made up",
    task: str = "classification",
    tokens: int = 0,
) -> Dataset:
    """A data set of noise: an image if `shape` is (C, H, W), a series if (C, L), a vector if (D,).

    With `tokens`, `shape` is (L,) and the inputs are numbers of so many tokens, in texts of different lengths.
    """
    random = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        inputs = torch.rand(count, *shape, generator=random)
        if tokens:
            inputs = (2 + inputs * (tokens - 2)).long()
            for row, text in enumerate(inputs):
                text[1 + row % shape[0] :] = 0
        targets = torch.arange(count) % classes
        if task == "regression":
            targets = torch.randn(count, generator=random)
        if task == "translation":
            targets = torch.randint(4, tokens, (count, 7), generator=random)
            targets[:, 0] = START
            for row, text in enumerate(targets):
                text[2 + row % 5] = END
                text[3 + row % 5 :] = PAD
        return Split(inputs, targets, np.arange(count))

    return Dataset(
        name=name,
        title=name.capitalize(),
        about="Noise.",
        source="torch.rand",
        licence="none",
        modality="tokens" if tokens else KINDS[len(shape)],
        task=task,
        classes=() if task in ("regression", "translation") else tuple(f"class {number}" for number in range(classes)),
        train=split(examples),
        validation=split(classes),
        test=split(classes),
        vocabulary=tuple(f"<{number}>" for number in range(tokens)),
        target_vocabulary=tuple(f"<{number}>" for number in range(tokens)) if task == "translation" else (),
    )


def cut(dataset: Dataset, examples: int) -> Dataset:
    """The same data set with only the first few training examples."""
    train = dataset.train
    return replace(dataset, train=Split(train.inputs[:examples], train.targets[:examples], train.rows[:examples]))
