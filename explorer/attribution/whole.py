"""What a method says over many examples: means of the size of its values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd


def by_place(values: Sequence[np.ndarray], side: int = 1) -> np.ndarray:
    """Mean absolute value at each place, over examples of one shape: of pixels, steps or features.

    Args:
        values: (H, W), (L,) or (D,) for each example.
        side: Pixels or steps along a side of a region: above 1 it is the sum over each square or stretch whose size is
            meant; what is left at the end of a side is a smaller one.
    """
    whole = np.stack(values)
    for axis in range(1, whole.ndim):
        whole = np.add.reduceat(whole, np.arange(0, whole.shape[axis], side), axis)
    return np.abs(whole).mean(axis=0)


def by_word(texts: Sequence[Sequence[str]], values: Sequence[np.ndarray]) -> pd.DataFrame:
    """The same by word.

    Args:
        texts: The words of each text.
        values: (L,) or longer for each text: one for each word; what goes beyond is padding.

    Returns:
        One row for each word, the most frequent first: ``word``, ``count`` (how often it occurs), ``strength`` (mean
        absolute value over all of its occurrences) and ``mean`` (the mean with its sign).
    """
    found: dict[str, list[float]] = defaultdict(list)
    for words, numbers in zip(texts, values, strict=True):
        for word, value in zip(words, numbers[: len(words)].tolist(), strict=True):
            found[word].append(value)
    rows = [
        (word, len(numbers), float(np.mean(np.abs(numbers))), float(np.mean(numbers)))
        for word, numbers in found.items()
    ]
    table = pd.DataFrame(rows, columns=["word", "count", "strength", "mean"])
    return table.sort_values(["count", "strength", "word"], ascending=[False, False, True], ignore_index=True)
