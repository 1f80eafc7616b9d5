"""Bring your own data: a file becomes a data set like any other."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import pandas as pd
import streamlit as st

from explorer.data import Dataset, own
from explorer.views import page, samples, state
from explorer.views.server import settings, store

TYPES = ("csv", "tsv", "txt", "zip", "npz")
WANTED = """
- **A table** as CSV: the first line names the columns, each further line is one example. Numbers and categories may be
  missing here and there.
- **Texts** as CSV: one column of texts, one column of labels.
- **Images** as a zip file: a folder for each class, its images (PNG, JPEG, GIF, BMP, WebP) inside.
- **Arrays** as NumPy writes them: `numpy.savez("data.npz", x=x, y=y)`, with `x` (N, columns), (N, height, width) or
  (N, channels, height, width), and `y` one answer each.

Every class needs at least six examples. 70 of 100 are learned, 15 watched while learning, 15 kept for the test.
"""
ROWS = {"table": "numbers and categories", "texts": "a text"}
KINDS = {"auto": "as its shape says", "image": "images", "series": "series", "vector": "rows of a table"}


@st.dialog("Bring your own data", width="large", icon=":material/upload_file:")
@page.calm
def bring() -> None:
    """Choose a file, say what is what, see what becomes of it, keep it."""
    file = st.file_uploader(
        "A CSV, zip or npz file", TYPES, key="own-file", max_upload_size=own.FILE_BYTES // 2**20, help="At most 32 MB."
    )
    if file is None:
        st.markdown(WANTED)
        st.caption("Everybody who uses this server can see and use the data: bring nothing that is private.")
        return
    content = file.getvalue()
    with st.spinner("Reading the file", show_time=False):
        reading = _read(PurePath(file.name).suffix.lower(), content)
        made = reading.dataset(PurePath(file.name).stem)
    what = f"{len(made.classes)} classes" if made.classes else f"a number, {page.plain(made.unit)}"
    sizes = " / ".join(f"{len(made.split(part)):,}" for part in ("train", "validation", "test"))
    st.markdown(f"**{samples.KINDS[made.modality].capitalize()}**, to tell **{what}** from {made.shape} values.")
    notes = "".join(f" {page.plain(note)}" for note in reading.notes)
    st.caption(f"{sizes} examples to train, validate and test.{notes}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", PurePath(file.name).stem[:60], max_chars=60, key=f"own-name-{file.file_id}")
        use = st.button("Use this data", type="primary", icon=":material/check:", key="own-use")
    if use:
        state.choose_dataset(own.keep(reading, name, settings().home))
        st.toast(f"{page.plain(name)} is now among the data sets.", icon=":material/check:")
        st.rerun()
    with st.container(key="own-preview"):
        samples.examples(made)


def _read(suffix: str, content: bytes) -> own.Reading:
    """Ask what is what in this kind of file, and read it so."""
    if suffix == ".zip":
        side = st.select_slider("Pixels on each side", own.SIDES, 32, key="own-side", help="More pixels, slower runs.")
        return _images(content, side)
    if suffix == ".npz":
        kind = st.selectbox("Each example is read", list(KINDS), key="own-kind", format_func=KINDS.__getitem__)
        return own.read_arrays(content, kind)
    frame = _frame(content)
    holds = own.columns(frame)
    texts = [name for name, kind in holds.items() if kind == "text"]
    st.dataframe(frame.head(5), hide_index=True, key="own-head")
    row = st.segmented_control(
        "Each row is",
        list(ROWS),
        default="texts" if texts and len(holds) - len(texts) <= 2 else "table",
        required=True,
        format_func=ROWS.__getitem__,
        key="own-row",
    )
    return _texts(frame, holds) if row == "texts" else _table(frame, holds)


def _texts(frame: pd.DataFrame, holds: dict[str, str]) -> own.Reading:
    names = list(holds)
    text = next((name for name in names if holds[name] == "text"), names[0])
    label = next((name for name in reversed(names) if holds[name] != "text"), names[-1])
    left, right, last = st.columns(3)
    text = left.selectbox("Column of texts", names, names.index(text), key="own-text")
    label = right.selectbox("Column of labels", names, names.index(label), key="own-label")
    by = last.segmented_control("Read as", ["words", "characters"], default="words", required=True, key="own-by")
    return own.read_texts(frame, text, label, by)


def _table(frame: pd.DataFrame, holds: dict[str, str]) -> own.Reading:
    names = [name for name, kind in holds.items() if kind != "empty"] or list(holds)
    left, right = st.columns(2)
    target = left.selectbox("Column to learn", names, len(names) - 1, key="own-target")
    guessed = own.answers(frame[target])
    with right:
        answer: Any = guessed
        if holds[target] == "number":
            answer = st.segmented_control(
                "The answer is",
                ["class", "number"],
                default=guessed,
                required=True,
                key=f"own-answer-{target}",
                format_func={"class": "a class", "number": "a number"}.__getitem__,
            )
    others = [name for name in names if name != target]
    usual = [name for name in others if holds[name] in ("number", "category")]
    features = st.multiselect("Learn it from", others, usual, key=f"own-features-{target}")
    return own.read_table(frame, target, features, answer)


def remove_button(dataset: Dataset) -> None:
    """Remove the data set that is chosen, if somebody brought it."""
    if st.button("Remove this data set", icon=":material/delete:", key="own-remove"):
        _confirm(dataset.name, dataset.title)


@st.dialog("Remove this data set?")
@page.calm
def _confirm(name: str, title: str) -> None:
    count = sum(run.spec is not None and run.spec.dataset == name for run in store().list())
    runs = f" Its {count} trained run(s) stay in the list, but can no longer be looked into." if count else ""
    st.markdown(f"{page.plain(title)} is removed for everybody.{runs} This cannot be undone.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="own-keep"):
            st.rerun()
        if st.button("Remove it", type="primary", key="own-forget"):
            own.forget(name)
            state.choose_dataset("digits")
            st.rerun()


@st.cache_data(max_entries=4, show_spinner=False)
def _frame(content: bytes) -> pd.DataFrame:
    return own.read_csv(content)


@st.cache_data(max_entries=2, show_spinner=False)
def _images(content: bytes, side: int) -> own.Reading:
    return own.read_images(content, side)
