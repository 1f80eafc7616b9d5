"""The data set: what it is, some of its examples, its classes and their balance."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.data import DATASETS, Dataset, load_dataset
from explorer.figures.classes import balance
from explorer.figures.images import mosaic
from explorer.views import page, state

SAMPLES = 2
"""Examples shown of each class."""


def data_card() -> Dataset:
    """Choose a data set and see what is in it."""
    current = state.draft().dataset
    key = _key()
    st.session_state[key] = current
    st.segmented_control(
        "Data set",
        list(DATASETS),
        key=key,
        on_change=_choose,
        args=(key,),
        format_func=lambda name: DATASETS[name].title,
        required=True,
    )
    dataset = load_dataset(current)
    sizes = f"{len(dataset.train):,} to train on, {len(dataset.validation):,} to watch, {len(dataset.test):,} to test"
    st.caption(f"{dataset.about} {sizes}.")
    with st.expander("See the examples and classes", icon=":material/image_search:"):
        _samples(dataset)
        counts = {
            name: np.bincount(dataset.split(name).targets, minlength=len(dataset.classes)).tolist()
            for name in ("train", "validation", "test")
        }
        page.show(balance(counts, dataset.classes, page.dark()), key=f"balance-{dataset.name}")
        st.caption(f"Source: {dataset.source}. Licence: {dataset.licence}.")
    return dataset


def _samples(dataset: Dataset) -> None:
    targets = dataset.train.targets.numpy()
    rows = np.stack([np.flatnonzero(targets == n)[:SAMPLES] for n in range(len(dataset.classes))], axis=1).ravel()
    figure = mosaic(
        dataset.train.inputs[rows, 0].numpy(),
        [dataset.classes[targets[row]] for row in rows],
        f"{SAMPLES} training examples of each class, {dataset.shape} values each",
        f"Training examples of the classes {', '.join(dataset.classes)}.",
        scale="grey",
        columns=len(dataset.classes),
        tile=64,
        bar=False,
        dark=page.dark(),
    )
    page.show(figure, key=f"samples-{dataset.name}")


def _choose(key: str) -> None:
    if key in st.session_state and key == _key():
        state.choose_dataset(st.session_state[key])


def _key() -> str:
    return f"dataset-{state.draft().revision}"
