"""Rows of a table whose fields were set by hand."""

from __future__ import annotations

import numpy as np
import torch

from explorer.data.base import Dataset
from explorer.data.made.codes import damaged, pack, unpack
from explorer.errors import DataError

FURTHEST = 1000.0
"""Most standard deviations that a value may be from the mean."""


def code_of(dataset: Dataset, row: np.ndarray) -> str:
    """The code of a row (D,), standardised.

    Raises:
        DataError: A value is not a number, or much too far from those of the data.
    """
    for name, value in zip(dataset.features, row.tolist(), strict=True):
        if not np.isfinite(value):
            raise DataError(f"{name} is {value}. Set it to a number.")
        if abs(value) > FURTHEST:
            raise DataError(
                f"{name} is {abs(value):.3g} standard deviations from the mean; at most {FURTHEST:g} are taken. Set it "
                "closer to the data."
            )
    return pack(dataset, row.astype("<f4").tobytes())


def row_of(dataset: Dataset, code: str) -> torch.Tensor:
    """The row of a code, (1, D), standardised.

    Raises:
        DataError: It is none.
    """
    width = dataset.shape.size[0]
    content = unpack(dataset, code, 4 * width)
    if len(content) != 4 * width:
        raise damaged()
    row = np.frombuffer(content, "<f4").astype(np.float32)
    if not (np.abs(row) <= FURTHEST).all():  # nor is NaN
        raise damaged()
    return torch.from_numpy(row)[None]


def with_value(dataset: Dataset, row: torch.Tensor, column: int, value: float) -> np.ndarray:
    """A row (D,), standardised, with another value in one column, which is given in the column's own unit.

    Raises:
        DataError: It is not a number.
    """
    if not np.isfinite(value):
        raise DataError(f"{dataset.features[column]} is {value}. Set it to a number.")
    mean, spread = dataset.feature_scales[column] if dataset.feature_scales else (0.0, 1.0)
    changed = row.numpy().astype(np.float64)
    changed[column] = (value - mean) / spread
    return changed.astype(np.float32)


def span(dataset: Dataset, column: int) -> tuple[float, float]:
    """Lowest and highest value of a column in all splits, in its own unit."""
    splits = (dataset.train, dataset.validation, dataset.test)
    standardised = torch.cat([split.inputs[:, column] for split in splits]).double()
    mean, spread = dataset.feature_scales[column] if dataset.feature_scales else (0.0, 1.0)
    return float(standardised.min()) * spread + mean, float(standardised.max()) * spread + mean
