"""How a model treats groups of the rows of a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.groups import rates
from explorer.probes import Answers, quality, slices
from explorer.views import page
from explorer.views.view import View

JUDGED = "judged"
"""Heading of the column that says which groups are too small."""


def slicing(view: View, found: Answers) -> None:
    """Choose a column; see how often each of its groups is selected, and how often the answer is wrong."""
    columns = {column.name: column for column in slices.columns(view.dataset)}
    with st.container(horizontal=True, vertical_alignment="bottom", key="slicing"):
        key = f"slice-by-{view.dataset.name}"
        name = st.selectbox("Group by", list(columns), key=key, width=260, persist_state="session")
        chosen = _class(view) if view.dataset.classes else 0
    place, names = slices.groups(view.dataset, view.split, columns[name])
    if view.dataset.classes:
        _of_classes(view, found, name, chosen, slices.slices(place, names, found.truth, found.predicted, chosen))
    else:
        _of_values(view, slices.spread(place, names, found.truth, found.predicted))
    st.caption(
        f"Groups of fewer than {slices.SMALL} examples are too small to judge. A difference does not say why it is "
        "there: groups differ in more than one column."
    )


def _class(view: View) -> int:
    classes = view.dataset.classes
    return st.selectbox(
        "Chosen class",
        range(len(classes)),
        index=1 if len(classes) == 2 else 0,
        format_func=classes.__getitem__,
        key=f"slice-class-{view.dataset.name}",
        width=220,
        help="To be selected is to be answered this class, as when people are chosen for something.",
    )


def _of_classes(view: View, found: Answers, name: str, chosen: int, table: pd.DataFrame) -> None:
    said = view.dataset.classes[chosen]
    words = {"wrong": ("Error rate", "How often the answer is wrong")}
    words["selected"] = ("Selection rate", f"How often the answer is {said}")
    if view.dataset.task == "binary":
        words["false positive"] = ("False positives", f"How often others are taken for {said}")
        words["false negative"] = ("False negatives", f"How often {said} is missed")
    rate = st.segmented_control(
        "Compare",
        list(words),
        default="wrong",
        required=True,
        format_func=lambda one: words[one][0],
        key=f"slice-rate-{view.dataset.task}",
        persist_state="session",
    )
    _compared(table, rate, f"{words[rate][1]}, by {name}")
    st.markdown(page.plain(slices.verdict(table, rate, name)))
    shown = table[["group", "examples"]].copy()
    for one, (title, _) in words.items():
        shown[title] = 100 * table[one]
    _table(shown, {title: "%.1f %%" for title, _ in words.values()}, table[f"{rate} of"] < slices.SMALL)


def _compared(table: pd.DataFrame, rate: str, title: str) -> None:
    values, totals = table[rate].to_numpy(), table[f"{rate} of"].to_numpy()
    counts = np.nan_to_num(values) * totals
    low, high = quality.interval(counts, totals)
    overall = counts.sum() / totals.sum() if totals.sum() else np.nan
    small = totals < slices.SMALL
    figure = rates(table["group"].tolist(), values, low, high, totals, small, title, overall, page.dark())
    page.show(figure, key="slices")
    st.caption("Dots with their 95 % intervals; the dashed line is all groups together.")


def _of_values(view: View, table: pd.DataFrame) -> None:
    unit = f" ({view.dataset.unit})" if view.dataset.unit else ""
    names = {"error": f"mean error{unit}", "leaning": "too high by, on average"}
    _table(table.rename(columns=names), dict.fromkeys(names.values(), "%.4g"), table["examples"] < slices.SMALL)


def _table(table: pd.DataFrame, forms: dict[str, str], small: pd.Series) -> None:
    table[JUDGED] = np.where(
        table["examples"] < slices.SMALL, "too small to judge", np.where(small, "too few for this rate", "")
    )
    columns = {name: st.column_config.NumberColumn(format=form) for name, form in forms.items()}
    st.dataframe(table, hide_index=True, column_config=columns, height="content", key="slice-table")
