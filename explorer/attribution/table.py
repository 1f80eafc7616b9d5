"""An attribution as a table, for other programs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from explorer.attribution.base import Attribution
from explorer.data import Dataset


def as_table(dataset: Dataset, x: torch.Tensor, found: Attribution) -> pd.DataFrame:
    """One row for each value of an attribution.

    Args:
        dataset: What the example is of.
        x: The example, (1, …).
        found: An attribution of it.

    Returns:
        Where the value is, as fits the input (``channel``, ``row`` and ``column``; ``channel`` and ``step``;
        ``feature``; ``place`` and ``token``), the ``input`` there, of a table in the units of its columns, and the
        ``value``. Of a layer: the ``axis`` numbers of its output, and the ``value``.
    """
    values = found.values
    if found.layer:
        where = {f"axis {n}": places for n, places in enumerate(_places(values.shape))}
        return pd.DataFrame({"layer": found.layer, **where, "value": values.ravel()})
    if dataset.modality == "tokens":
        tokens = [token for token in x[0].tolist() if token]
        said = [dataset.vocabulary[token] for token in tokens]
        return pd.DataFrame({"place": range(len(said)), "token": said, "value": values[: len(said)]})
    if dataset.modality == "vector":
        return pd.DataFrame(
            {"feature": list(dataset.features), "input": dataset.unscaled(x)[0], "value": values.astype(float)}
        )
    names = ("channel", "row", "column") if dataset.modality == "image" else ("channel", "step")
    where = dict(zip(names, _places(values.shape), strict=True))
    return pd.DataFrame({**where, "input": x[0].cpu().numpy().ravel(), "value": values.ravel()})


def _places(shape: tuple[int, ...]) -> list[np.ndarray]:
    """The place of each value along each side."""
    return [side.ravel() for side in np.indices(shape)]
