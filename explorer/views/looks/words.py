"""The words or characters of a model as points: the map of its embedding."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from explorer.figures.space import Cloud, words
from explorer.views import page, results, state
from explorer.views.looks.base import Look
from explorer.views.server import store

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes.space import Basis
    from explorer.views.options import Options
    from explorer.views.view import View

MOST = 300
"""Most words on the map."""
NEIGHBOURS = 10


class Chosen(NamedTuple):
    """What the map is made from beside the place in the run.

    Attributes:
        layer: The embedding layer.
        token: The word that is looked at.
        fitted: Step whose principal components are the axes.
        option: Name of the option that holds the word.
    """

    layer: str
    token: int
    fitted: int
    option: str


class Words(Look):
    """The vectors that the model has learned for its most frequent words or characters, on the two axes along which
    they differ most at the last step. The word you choose has a thick ring, those nearest to it thin ones; click a word
    to choose it.
    """

    name = "words"
    title = "Words"
    order = 21
    misleads = (
        "Words that lie together are alike for this task only, as good and bad words are for stars: a vector says "
        "nothing of what the word means beside that, and a word that was read a few times has hardly moved from where "
        "it began."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if _embeddings(view) else "it reads no words or characters."

    def settle(self, view: View, options: Options) -> Chosen:
        known = _embeddings(view)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("words-choice")):
            layer = known[0] if len(known) == 1 else options.one("layer", "Layer", known)
            tokens, counts = _frequent(view.run.id, layer)
            texts = dict(zip(tokens.tolist(), _texts(view, layer, tokens), strict=True))
            often = dict(zip(tokens.tolist(), counts.tolist(), strict=True))
            token = options.one(
                "word",
                "Word",
                tokens.tolist(),
                words=lambda one: f"{texts[one]} ({often[one]:,} times)",
                few=0,
                width=260,
            )
        return Chosen(layer, token, view.steps[-1], options.kept("word"))

    def show(self, view: View, chosen: Chosen, key: str) -> None:
        if state.playing():
            super().show(view, chosen, key)
            return
        figure = self.figure(view, chosen, page.dark())
        page.choose(figure, f"{key}-{state.option_revision()}", partial(_clicked, chosen.option))

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        layer, token, fitted, _ = chosen
        tokens, counts = _frequent(view.run.id, layer)
        texts, found = _texts(view, layer, tokens), _basis(view.run.id, fitted, layer)
        vectors = _vectors(view.run.id, view.step, layer)
        points, shares = found.points(vectors)[:, :2], found.explained(vectors)
        there = found.points(_vectors(view.run.id, fitted, layer))[:, :2]
        near, _ = _nearest(view, chosen)
        pairs = zip(texts, counts.tolist(), strict=True)
        shown = Cloud(
            points,
            tokens,
            [f"{text}: {count:,} times" for text, count in pairs],
            marked=tokens.tolist().index(token),
            near=tuple(near.tolist()),
        )
        title = f"The {len(tokens)} most frequent {'characters' if _single(texts) else 'words'}"
        alt = (
            f"Vectors in {layer} of the {len(tokens)} most frequent tokens at step {view.step}, on two principal axes. "
            f"Nearest to {texts[shown.marked]}: {', '.join(texts[n] for n in near.tolist())}."
        )
        every = np.concatenate([points, there])
        axes = [f"component {n} ({share:.0%})" for n, share in enumerate(shares[:2], 1)]
        return words(shown, texts, axes, title, alt, np.stack([every.min(axis=0), every.max(axis=0)]), dark)

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        layer, token, fitted, _ = chosen
        tokens, _ = _frequent(view.run.id, layer)
        texts = _texts(view, layer, tokens)
        near, far = _nearest(view, chosen)
        said = ", ".join(
            f"**{page.plain(texts[n])}** {1 - one:.2f}" for n, one in zip(near.tolist(), far.tolist(), strict=True)
        )
        st.markdown(f"Nearest to **{page.plain(texts[tokens.tolist().index(token)])}** by cosine (1 is alike): {said}.")
        shares = _basis(view.run.id, fitted, layer).explained(_vectors(view.run.id, view.step, layer))[:2]
        st.caption(
            f"The axes are the principal components of these vectors at the last step, {fitted}, for all steps; they "
            f"hold {shares.sum():.0%} of the variance at this step. Neighbours are counted in all dimensions, among "
            "the words on the map."
        )


def _embeddings(view: View) -> list[str]:
    return [name for name, layer in view.layers.items() if layer.kind == "embedding"]


def _texts(view: View, layer: str, tokens: np.ndarray) -> list[str]:
    """What is written for tokens; a blank would be invisible."""
    from explorer.probes.words import vocabulary_of

    known = vocabulary_of(view.dataset, layer)
    return [known[token].replace(" ", "␣") for token in tokens.tolist()]


def _single(texts: list[str]) -> bool:
    return sum(len(text) == 1 for text in texts) > len(texts) / 2


@st.cache_data(max_entries=64, show_spinner=False)
def _frequent(run_id: str, layer: str) -> tuple[np.ndarray, np.ndarray]:
    from explorer.data import dataset_of
    from explorer.probes.words import frequent

    return frequent(dataset_of(store().get(run_id).spec), layer, MOST)


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner=False)
def _vectors(run_id: str, step: int, layer: str) -> np.ndarray:
    from explorer.probes.words import vectors

    return vectors(results.rebuilt(run_id, step), layer)[_frequent(run_id, layer)[0]]


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner=False)
def _basis(run_id: str, step: int, layer: str) -> Basis:
    from explorer.probes.space import pca

    return pca(_vectors(run_id, step, layer))


def _nearest(view: View, chosen: Chosen) -> tuple[np.ndarray, np.ndarray]:
    """Places on the map of the words nearest to the chosen one, and their cosine distances."""
    from explorer.probes.space import distances, nearest

    vectors = _vectors(view.run.id, view.step, chosen.layer)
    place = _frequent(view.run.id, chosen.layer)[0].tolist().index(chosen.token)
    far = distances(vectors, vectors[place], "cosine")
    near = nearest(far, NEIGHBOURS, place)
    return near, far[near]


def _clicked(option: str, points: list[dict[str, Any]]) -> None:
    state.set_option(option, str(int(points[0]["customdata"][0])))
