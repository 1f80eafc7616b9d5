"""Several attributions by one method, on one scale: of several examples, or of one at several steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from explorer.data import Dataset
from explorer.figures.explained import crossed, overlay, wrapped
from explorer.views import page
from explorer.views.reasons import pictures


@dataclass(frozen=True)
class Together:
    """What is drawn, and how.

    Attributes:
        inputs: (N, …), the input of each.
        values: The value of each place, one array for each input.
        labels: What is written on each.
        of: What they are, in the words of an axis, such as ``example``.
        sign, opacity: Which side of the values is seen, and how strongly over an image.
        columns, height: Images in a row, and how high each is on the screen.
    """

    inputs: torch.Tensor
    values: Sequence[np.ndarray]
    labels: list[str]
    of: str
    sign: str
    opacity: float
    columns: int
    height: int


def draw(dataset: Dataset, shown: Together, title: str, alt: str, key: str, save: str) -> None:
    """Draw them under a title; the key keeps the figure in place, and pictures of it are called `save`."""
    if not any(one.any() for one in shown.values):
        st.info("All values are zero: there is nothing to draw.", icon=":material/info:")
    elif dataset.modality == "tokens":
        limit = max(float(np.abs(one).max(initial=0.0)) for one in shown.values)
        st.markdown(f"**{page.plain(title)}**")
        for tokens, one, label in zip(shown.inputs, shown.values, shown.labels, strict=True):
            said = [dataset.vocabulary[token] for token in tokens.tolist() if token]
            st.markdown(page.plain(label))
            pictures.text(said, one[: len(said)], shown.sign, f"{title} {label}", limit)
    else:
        page.show(wrapped(_figure(dataset, shown, title, alt)), key=key, save=save)


def _figure(dataset: Dataset, shown: Together, title: str, alt: str) -> go.Figure:
    look = {"strength": shown.sign == "strength", "dark": page.dark()}
    if dataset.modality == "image":
        size = {"columns": shown.columns, "height": shown.height, "opacity": shown.opacity}
        return overlay(shown.inputs.numpy(), np.stack(shown.values), shown.labels, title, alt, **size, **look)
    if dataset.modality == "series":
        places = [str(n) for n in range(len(shown.values[0]))]
        return crossed(np.stack(shown.values), shown.labels, places, title, alt, names=("", "step"), **look)
    features, values = list(dataset.features), np.stack(shown.values, axis=1)
    return crossed(values, features, shown.labels, title, alt, names=("", shown.of), **look)
