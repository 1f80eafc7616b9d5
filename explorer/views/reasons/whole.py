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
"""How many examples of a split can be explained, beside all of it."""
SIDES = (1, 2, 4, 7, 14, 28)
"""Pixels or steps along a side of the regions that values are added up over; 1 leaves them apart."""
WORDS = 30
"""Most words shown."""


def whole(view: View, options: Options) -> None:
    """Choose a method and how many examples; see the mean size of its values."""
    size = len(view.dataset.split(view.split))
    counts = [*(count for count in COUNTS if count < size), size]
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options, inner=False)
        aim = each(view, options)
        count = options.one(
            "count",
            "Examples",
            counts,
            counts[min(1, len(counts) - 1)],
            words="{:,}".format,
            few=0,
            width=120,
            help=f"Of {size:,}.",
        )
        side = _side(view, options)
        choices.refused(view)
    asked = choices.settings(view, options, [name])
    rows = np.sort(np.random.default_rng(0).permutation(size)[:count])
    found = [one for part in all_of(view, rows, aim, asked) for one in part]
    good = [n for n, one in enumerate(found) if isinstance(one, Attribution)]
    if not good:
        st.info(page.plain(str(found[0])), icon=":material/info:")
        return
    title = f"Mean of {len(good)} {view.split} examples: {METHODS[name].title}"
    table = _table(view, rows[good], [found[n] for n in good], side)
    page.show(wrapped(_figure(view, table, side, title)), key="whole", save=saving.called(view, "whole"))
    left_out = len(found) - len(good)
    of = f"Mean absolute sum over each {_region(view, side)}, of" if side > 1 else "Mean absolute value over"
    st.caption(
        f"{of} {len(good)} of the {size:,} {view.split} examples, drawn at random with seed 0; "
        f"explained is, of each, {aim.said}."
        + (f" {left_out} could not be explained." if left_out else "")
        + alike([found[n] for n in good], aim)
        + " What is strong here moves the scores much on average, up or down. A mean hides examples where it is "
        "otherwise, and parts that matter only together."
    )
    trusted.beside_one(view, name)
    saving.values(view, table, f"{name}-whole")


def _side(view: View, options: Options) -> int:
    """Choose how large the regions are that values are added up over, of what has any."""
    if view.dataset.modality not in ("image", "series"):
        return 1
    known = [side for side in SIDES if side < max(view.dataset.shape.size[1:])]
    return options.one("side", "By", known, words=lambda side: _region(view, side), few=0, width=190)


def _region(view: View, side: int) -> str:
    if view.dataset.modality == "image":
        return f"square of {side} × {side} pixels" if side > 1 else "pixel"
    return f"stretch of {side} steps" if side > 1 else "step"


def _table(view: View, rows: np.ndarray, found: list[Attribution], side: int) -> pd.DataFrame:
    """The means, one row for each word, feature, or region: its first step or pixel, and how long a side is."""
    dataset = view.dataset
    values = [positions(one.values, dataset.modality) for one in found]
    if dataset.modality == "tokens":
        inputs = dataset.split(view.split).inputs[rows]
        return by_word([[dataset.vocabulary[token] for token in text.tolist() if token] for text in inputs], values)
    means = by_place(values, side)
    if dataset.modality == "vector":
        return pd.DataFrame({"feature": list(dataset.features), "strength": means.astype(float)})
    names = ("row", "column") if dataset.modality == "image" else ("step",)
    where = {name: side * place.ravel() for name, place in zip(names, np.indices(means.shape), strict=True)}
    return pd.DataFrame({**where, **({"side": side} if side > 1 else {}), "strength": means.ravel()})


def _figure(view: View, table: pd.DataFrame, side: int, title: str) -> go.Figure:
    dataset, dark = view.dataset, page.dark()
    means, axis = table["strength"].to_numpy(), "mean absolute value"
    alt = f"{title}: mean absolute attribution."
    if dataset.modality == "image":
        mean = dataset.split(view.split).inputs.mean(0, keepdim=True).numpy()
        high, wide = mean.shape[2:]
        squares = means.reshape(-1, -(-wide // side)).repeat(side, axis=0).repeat(side, axis=1)
        return overlay(mean, squares[None, :high, :wide], [""], title, alt, strength=True, opacity=0.9, dark=dark)
    if dataset.modality == "series":
        length = dataset.shape.size[1]
        return units(means.repeat(side)[:length], title, alt, dark, what="step")
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
