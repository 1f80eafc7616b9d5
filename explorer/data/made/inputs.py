"""From the number or the code of an example to what a model reads."""

from __future__ import annotations

from collections.abc import Callable

import torch

from explorer.data.base import Dataset
from explorer.data.made import images, rows, series, texts
from explorer.data.made.codes import Example
from explorer.specs import Modality

_READERS: dict[Modality, Callable[[Dataset, str], torch.Tensor]] = {
    "image": images.image_of,
    "series": series.series_of,
    "tokens": lambda dataset, code: texts.read(dataset, texts.text_of(dataset, code)).tokens,
    "vector": rows.row_of,
}


def example_of(dataset: Dataset, split: str, example: Example) -> torch.Tensor:
    """An example of a split, or one that somebody made, (1, *shape).

    Raises:
        DataError: The code of a made one cannot be used: it was cut, or is of another data set (`OtherData`).
    """
    if isinstance(example, int):
        return dataset.split(split).inputs[example : example + 1]
    return _READERS[dataset.modality](dataset, example)
