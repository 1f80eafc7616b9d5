"""Some examples of a data set, and how they are spread over classes or values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from explorer.data import Dataset
from explorer.figures.classes import balance
from explorer.figures.examples import histogram, small_series
from explorer.figures.images import gallery
from explorer.views import page

KINDS = {"image": "images", "series": "series", "tokens": "texts", "vector": "tables"}
"""How people call each modality of data."""
SHOWN = 20
"""About how many examples are shown."""


def examples(dataset: Dataset) -> None:
    """Draw examples of each class, and how many there are."""
    _SAMPLES[dataset.modality](dataset)
    _spread(dataset)


def _some(dataset: Dataset) -> np.ndarray:
    """Rows of the train split: the same number of each class, class by class; the first few of a regression."""
    targets = dataset.train.targets.numpy()
    if not dataset.classes:
        return np.arange(min(SHOWN, len(targets)))
    each = max(1, min(5, SHOWN // len(dataset.classes)))
    return np.concatenate([np.flatnonzero(targets == n)[:each] for n in range(len(dataset.classes))])


def _images(dataset: Dataset) -> None:
    rows = _some(dataset)
    labels = [dataset.answer(dataset.train.targets[row]) for row in rows]
    figure = gallery(
        dataset.train.inputs[rows].numpy(),
        labels,
        f"{len(rows)} training examples, {dataset.shape} values each",
        f"Training examples of the classes {', '.join(dataset.classes)}.",
        dark=page.dark(),
    )
    page.show(figure, key=f"samples-{dataset.name}")


def _series(dataset: Dataset) -> None:
    rows = _some(dataset)
    labels = [dataset.answer(dataset.train.targets[row]) for row in rows]
    figure = small_series(
        list(dataset.train.inputs[rows].numpy()),
        labels,
        f"{len(rows)} training examples, {dataset.shape.size[-1]} steps each",
        f"Training examples of the classes {', '.join(dataset.classes)}.",
        dark=page.dark(),
    )
    page.show(figure, key=f"samples-{dataset.name}")


def _texts(dataset: Dataset) -> None:
    rows = _some(dataset)
    table = pd.DataFrame(
        {
            "text": [dataset.text(dataset.train.inputs[row]) for row in rows],
            "class": [dataset.answer(dataset.train.targets[row]) for row in rows],
        }
    )
    st.dataframe(table, hide_index=True, key=f"samples-{dataset.name}")
    st.caption(
        f"{len(dataset.vocabulary):,} different words or characters are known from the training split; a text has at "
        f"most {dataset.shape}."
    )


def _rows(dataset: Dataset) -> None:
    rows = _some(dataset)
    table = pd.DataFrame(dataset.train.inputs[rows].numpy(), columns=list(dataset.features))
    table.insert(0, dataset.unit or "class", [dataset.answer(dataset.train.targets[row]) for row in rows])
    st.dataframe(table, hide_index=True, key=f"samples-{dataset.name}")
    st.caption(
        "Each column is standardised: 0 is the mean of the training examples, 1 one standard deviation above it."
    )


_SAMPLES: dict[str, Callable[[Dataset], None]] = {
    "image": _images,
    "series": _series,
    "tokens": _texts,
    "vector": _rows,
}


def _spread(dataset: Dataset) -> None:
    """How many examples of each class, or how the values of a regression are spread."""
    targets = {name: dataset.split(name).targets.numpy() for name in ("train", "validation", "test")}
    if dataset.classes:
        counts = {name: np.bincount(some, minlength=len(dataset.classes)).tolist() for name, some in targets.items()}
        figure = balance(counts, dataset.classes, page.dark())
    else:
        mean, spread = dataset.scale
        values = {name: mean + spread * some for name, some in targets.items()}
        figure = histogram(
            values, f"Spread of {dataset.unit}", dataset.unit, f"How {dataset.unit} is spread.", page.dark()
        )
    page.show(figure, key=f"balance-{dataset.name}")
