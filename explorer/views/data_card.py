"""The data set: what it is, some of its examples, its classes and their balance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from explorer.data import DATASETS, Dataset, load_dataset
from explorer.figures.classes import balance
from explorer.figures.examples import histogram, small_series
from explorer.figures.images import gallery
from explorer.views import page, state

KINDS = {"image": "images", "series": "series", "tokens": "texts", "vector": "tables"}
"""How people call each modality of data."""
SHOWN = 20
"""About how many examples are shown."""


def data_card() -> Dataset:
    """Choose a data set and see what is in it."""
    current = state.draft().dataset
    key = _key()
    st.session_state[key] = current
    there = [name for name in DATASETS if DATASETS[name].missing() is None]
    st.selectbox(
        "Data set",
        there,
        key=key,
        on_change=_choose,
        args=(key,),
        format_func=lambda name: f"{DATASETS[name].title} ({KINDS[DATASETS[name].modality]})",
        width=420,
    )
    for reason in filter(None, (source.missing() for source in DATASETS.values())):
        st.caption(f":gray[Not here: {page.plain(reason)}]")
    with st.spinner("Reading the data", show_time=False):
        dataset = load_dataset(current)
    sizes = f"{len(dataset.train):,} to train, {len(dataset.validation):,} to validate, {len(dataset.test):,} to test"
    st.caption(f"{dataset.about} {sizes}.")
    with st.expander("See the examples and classes", icon=":material/image_search:"):
        _SAMPLES[dataset.modality](dataset)
        _spread(dataset)
        st.caption(f"Source: {dataset.source}. Licence: {dataset.licence}.")
    return dataset


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


def _choose(key: str) -> None:
    if key in st.session_state and key == _key():
        state.choose_dataset(st.session_state[key])


def _key() -> str:
    return f"dataset-{state.draft().revision}"
