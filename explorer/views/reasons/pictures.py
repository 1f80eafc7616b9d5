"""One attribution, drawn as fits what it explains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from explorer.attribution import METHODS, PARTS, Attribution
from explorer.figures.examples import bars, table
from explorer.figures.explained import coloured_series, overlay, wrapped
from explorer.figures.images import mosaic, units
from explorer.figures.shades import side
from explorer.figures.words import joined, words
from explorer.views import page
from explorer.views.reasons.asked import Asked, positions
from explorer.views.view import View

STRONGEST = 64
"""Channels of a layer drawn at most: those with the strongest values."""


def draw(view: View, found: Attribution, sign: str, opacity: float, title: str, save: str) -> None:
    """Draw it, under a title.

    Args:
        view: What is looked at.
        found: What is drawn.
        sign: Which side of the values is seen.
        opacity: Of the values over an image.
        title: What is seen.
        save: Name for a picture of it.
    """
    if found.nothing:
        nothing(view, found.method)
    elif view.dataset.modality == "tokens" and not found.layer:
        _text(view, found, sign, title)
    else:
        dark = page.dark()
        page.show_made(
            lambda: wrapped(figure(view, found, sign, opacity, title, dark)),
            "why",
            (view.place, title, found.method, tuple(found.params.items()), found.values.tobytes(), sign, opacity, dark),
            save=save,
        )


def title_of(found: Attribution, said: str) -> str:
    """What is seen, in words.

    Args:
        found: An attribution.
        said: What it explains.
    """
    method = METHODS[found.method]
    if method.inner:
        return f"Why {said}, in {found.layer}? {method.title}"
    if "unit" in found.params:  # it is a unit that is explained, not the class
        return (
            f"{method.title}: number {found.params['unit']} of {found.params['layer'] or 'the layer before the last'}"
        )
    return f"Why {said}? {method.title}"


def nothing(view: View, method: str) -> None:
    """Say that all values are zero."""
    st.info(
        f"{METHODS[method].title} gives zero for every {PARTS[view.dataset.modality].name}: nothing it looks at moves "
        "this score. There is nothing to draw.",
        icon=":material/info:",
    )


def figure(view: View, found: Attribution, sign: str, opacity: float, title: str, dark: bool) -> go.Figure:
    """The figure of one that is no text."""
    alt, strength = f"{title}: one value for each {PARTS[view.dataset.modality].name}.", sign == "strength"
    if found.layer:
        return _layer(found.layer, side(found.values, sign), title, dark)
    values, x = side(positions(found.values, view.dataset.modality), sign), view.input[0].numpy()
    if view.dataset.modality == "image":
        return overlay(x[None], values[None], [""], title, alt, opacity=opacity, strength=strength, dark=dark)
    if view.dataset.modality == "series":
        return coloured_series(x, side(found.values, sign), title, alt, strength=strength, dark=dark)
    return bars(values, view.dataset.features, title, "strength" if strength else "against | for", alt, dark)


def _layer(name: str, values: np.ndarray, title: str, dark: bool) -> go.Figure:
    """Values of a layer: channels (C, H, W), places (C, L) or (L, D), or units (D,)."""
    alt = f"{title}: one value for each value of {name}."
    if values.ndim == 3:
        chosen = strongest(values)
        labels = [str(number) for number in chosen]
        return mosaic(values[chosen], labels, title, alt, scale="auto", dark=dark)
    if values.ndim == 2:
        return table(values.T, [str(n) for n in range(len(values))], title, alt, dark, axis="value")
    return units(values, title, alt, dark)


def strongest(values: np.ndarray) -> np.ndarray:
    """Numbers of the channels of (C, H, W) with the strongest values, in order."""
    return np.sort(np.argsort(-np.abs(values).max(axis=(1, 2)), kind="stable")[:STRONGEST])


def _text(view: View, found: Attribution, sign: str, title: str) -> None:
    st.markdown(f"**{page.plain(title)}**")
    said, values = spoken(view, found)
    text(said, values, sign, title)
    if all(len(word) == 1 for word in said):
        grouped, sums = joined(said, values)
        if len(grouped) > 1:
            st.caption("The same by word, as the sum of its characters:")
            text(grouped, sums, sign, title)


def spoken(view: View, found: Attribution) -> tuple[list[str], np.ndarray]:
    """The words of a text without its padding, and the value of each."""
    said = [view.dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()]
    return said, found.values[: len(said)]


def text(said: Sequence[str], values: np.ndarray, sign: str, alt: str, limit: float | None = None) -> None:
    """Coloured words, with their numbers."""
    shown = side(values, sign)
    st.html(words(said, shown, alt, limit=limit, strength=sign == "strength", dark=page.dark()))


def scale(found: Attribution, modality: str) -> str:
    """In words, what the strongest colour stands for."""
    values = found.values if found.layer or modality == "tokens" else positions(found.values, modality)
    return f"The strongest colour is {np.abs(values).max():.3g}; no colour is 0."


def reading(view: View, asked: Asked, found: Attribution) -> str:
    """How to read it, and how far its values are from adding up; in words."""
    method = METHODS[asked.method]
    compared = asked.words(view.dataset)
    said = [method.reading(view.dataset.modality, compared), scale(found, view.dataset.modality)]
    if found.error is not None:
        less = f"the mean score of {compared}" if method.complete == "references" else f"that of {compared}"
        said.append(
            f"Its values promise to add up to the score less {less}; they add up to {found.values.sum():.3g} and miss "
            f"it by **{found.error:.2g}** (completeness error; 0 is exact)."
        )
    return " ".join(said)
