"""One method over a whole split: what matters on average."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.attribution.whole import by_place, by_word
from explorer.figures.examples import bars
from explorer.figures.explained import overlay, wrapped
from explorer.figures.images import units
from explorer.views import page
from explorer.views.options import Options
from explorer.views.reasons import choices, saving, trusted
from explorer.views.reasons.asked import positions
from explorer.views.reasons.many import alike, all_of, each
from explorer.views.view import View

COUNTS = (20, 50, 100, 200, 500)
"""How many examples of a split can be explained."""
WORDS = 30
"""Most words shown."""


def whole(view: View, options: Options) -> None:
    """Choose a method and how many examples; see the mean size of its values."""
    size = len(view.dataset.split(view.split))
    counts = [*(count for count in COUNTS if count < size), *([size] if size <= COUNTS[-1] else [])]
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options, inner=False)
        aim = each(view, options)
        count = options.one(
            "count", "Examples", counts, counts[min(1, len(counts) - 1)], few=0, width=120, help=f"Of {size:,}."
        )
        choices.refused(view)
    asked = choices.settings(view, options, [name])
    rows = np.sort(np.random.default_rng(0).permutation(size)[:count])
    found = [one for part in all_of(view, rows, aim, asked) for one in part]
    good = [n for n, one in enumerate(found) if isinstance(one, Attribution)]
    if not good:
        st.info(page.plain(str(found[0])), icon=":material/info:")
        return
    title = f"Mean of {len(good)} {view.split} examples: {METHODS[name].title}"
    table = _table(view, rows[good], [found[n] for n in good])
    page.show(wrapped(_figure(view, table, title)), key="whole", save=saving.called(view, "whole"))
    left_out = len(found) - len(good)
    st.caption(
        f"Mean absolute value over {len(good)} of the {size:,} {view.split} examples, drawn at random with seed 0; "
        f"explained is, of each, {aim.said}."
        + (f" {left_out} could not be explained." if left_out else "")
        + alike([found[n] for n in good], aim)
        + " What is strong here moves the scores much on average, up or down. A mean hides examples where it is "
        "otherwise, and parts that matter only together."
    )
    trusted.beside_one(view, name)
    saving.values(view, table, f"{name}-whole")


def _table(view: View, rows: np.ndarray, found: list[Attribution]) -> pd.DataFrame:
    """The means, one row for each word, feature, step or pixel."""
    dataset = view.dataset
    values = [positions(one.values, dataset.modality) for one in found]
    if dataset.modality == "tokens":
        inputs = dataset.split(view.split).inputs[rows]
        return by_word([[dataset.vocabulary[token] for token in text.tolist() if token] for text in inputs], values)
    means = by_place(values)
    if dataset.modality == "vector":
        return pd.DataFrame({"feature": list(dataset.features), "strength": means.astype(float)})
    names = ("row", "column") if dataset.modality == "image" else ("step",)
    where = {name: side.ravel() for name, side in zip(names, np.indices(means.shape), strict=True)}
    return pd.DataFrame({**where, "strength": means.ravel()})


def _figure(view: View, table: pd.DataFrame, title: str) -> go.Figure:
    dataset, dark = view.dataset, page.dark()
    means, axis = table["strength"].to_numpy(), "mean absolute value"
    alt = f"{title}: mean absolute attribution."
    if dataset.modality == "image":
        mean = dataset.split(view.split).inputs.mean(0, keepdim=True).numpy()
        shape = mean.shape[2:]
        return overlay(mean, means.reshape(1, *shape), [""], title, alt, strength=True, opacity=0.9, dark=dark)
    if dataset.modality == "series":
        return units(means, title, alt, dark, what="step")
    if dataset.modality == "tokens":
        shown = table.head(WORDS).sort_values("strength", ascending=False)
        labels = [f"{word} ({count})" for word, count in zip(shown["word"], shown["count"], strict=True)]
        title = f"{title}, the {len(shown)} most frequent words"
        return _upwards(bars(shown["strength"].to_numpy(), labels, title, f"{axis} (times it occurs)", alt, dark))
    order = np.argsort(-means, kind="stable")
    return _upwards(bars(means[order], [dataset.features[n] for n in order], title, axis, alt, dark))


def _upwards(figure: go.Figure) -> go.Figure:
    """Bars of values without sign, from the left."""
    return figure.update_xaxes(range=[0, figure.layout.xaxis.range[1]])
