"""The data set: which one, what it is, and what is in it."""

from __future__ import annotations

import streamlit as st

from explorer.data import DATASETS, Dataset, load_dataset, own
from explorer.views import own_data, page, samples, state


def data_card() -> Dataset:
    """Choose a data set and see what is in it."""
    current = state.draft().dataset
    titles = {name: f"{DATASETS[name].title} ({samples.KINDS[DATASETS[name].modality]})" for name in _there()}
    titles |= {card.name: f"{card.title} (uploaded {samples.KINDS[card.modality]})" for card in own.kept()}
    if current not in titles:  # removed since
        st.info("The data set of this model is not here any more. These are the digits.", icon=":material/info:")
        state.choose_dataset("digits")
        current = "digits"
    key = _key()
    st.session_state[key] = current
    with st.container(horizontal=True, vertical_alignment="bottom", key="data-choice"):
        st.selectbox(
            "Data set",
            list(titles),
            key=key,
            on_change=_choose,
            args=(key,),
            format_func=lambda name: titles.get(name, name),
            width=420,
        )
        if st.button("Bring your own data", icon=":material/upload_file:", key="own-open"):
            own_data.bring()
    for reason in filter(None, (source.missing() for source in DATASETS.values())):
        st.caption(f":gray[Not here: {page.plain(reason)}]")
    with st.spinner("Reading the data", show_time=False):
        dataset = load_dataset(current)
    sizes = f"{len(dataset.train):,} to train, {len(dataset.validation):,} to validate, {len(dataset.test):,} to test"
    st.caption(f"{page.plain(dataset.about)} {sizes}.")
    shelf = st.expander(
        "See the examples and classes", icon=":material/image_search:", key="data-examples", on_change="rerun"
    )
    with shelf:
        if shelf.open:  # closed, it would still take more than half of the time of each edit
            samples.examples(dataset)
            st.caption(f"Source: {dataset.source}. Licence: {dataset.licence}.")
            if current not in DATASETS:
                own_data.remove_button(dataset)
    return dataset


def _there() -> list[str]:
    return [name for name in DATASETS if DATASETS[name].missing() is None]


def _choose(key: str) -> None:
    if key in st.session_state and key == _key():
        state.choose_dataset(st.session_state[key])


def _key() -> str:
    return f"dataset-{state.draft().revision}"
