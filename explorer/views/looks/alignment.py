"""What a translator looks at while it writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.examples import table
from explorer.views import attended, page, results
from explorer.views.attended import MEAN, Attending

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Alignment
    from explorer.views.options import Options
    from explorer.views.view import View

WRITING = {"right": "The right translation", "free": "What it writes itself"}
NEXT = 3
"""Tokens of each step that are told."""

Chosen = tuple[str, int, bool, int]
"""Short name of the attention, head, whether it writes by itself, and up to which token."""


class TranslationAlignment(Attending):
    """Each row is a token of the translation, each column one of the source: where the decoder looks before it writes
    that token. Under the right translation it is given the right tokens before each (teacher forcing); what it writes
    itself it goes on from its own, always the most probable one. *Up to token* shows it token by token.
    """

    name = "alignment"
    title = "Alignment"
    order = 34

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if view.dataset.task == "translation" else "it writes no translation."

    def settle(self, view: View, options: Options) -> Chosen:
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("alignment-choice")):
            known = ["free"] if view.changed else list(WRITING)
            free = options.one("writing", "Under", known, words=WRITING.__getitem__) == "free"
            found = _alignment(*view.place, free)
            names = [attended.short(seen.layer) for seen in found.maps]
            layer = names[-1]
            if len(names) > 1:
                layer = attended.choose_layer(options, names, "across")
            head = attended.choose_head(options, len(found.maps[names.index(layer)].weights))
            last = len(found.wrote)
            token = options.number("token", f"Up to token (1 to {last})", 1, last, last, width=180)
        return layer, head, free, token

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        layer, head, free, token = chosen
        found = _alignment(*view.place, free)
        weights = next(seen.weights for seen in found.maps if attended.short(seen.layer) == layer)
        shown = (weights.mean(0) if head == MEAN else weights[head - 1]).astype(float)
        wrote, read = _words(view, found)
        token = min(token, len(wrote))
        limit = float(shown.max())
        shown[token:] = np.nan
        return table(
            shown,
            read,
            attended.said(layer) + attended.head_said(head, len(weights)),
            f"Where {layer} looks in the source before it writes each of {token} tokens: {' '.join(wrote[:token])}.",
            dark,
            rows=[*wrote[:token], *([""] * (len(wrote) - token))],
            axis="token written",
            limit=limit,
            signed=False,
            outlined=token - 1,
        )

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        found = _alignment(*view.place, chosen[2])
        right = "" if view.changed else f" Right is **{page.plain(view.said)}**."
        wrote = page.plain(results.translation(*view.place)) or "nothing"
        st.markdown(f"It writes **{wrote}**.{right}")
        st.dataframe(_table(view, found, chosen), hide_index=True, key=options.key("alignment-steps"))
        st.caption("For each step the token that follows, how probable it was, and the most probable ones.")


def _words(view: View, found: Alignment) -> tuple[list[str], list[str]]:
    """Tokens that were written and those of the source."""
    source = attended.given(*view.place)[0][0].tolist()
    dataset = view.dataset
    return _visible(dataset.target_vocabulary, found.wrote.tolist()), _visible(dataset.vocabulary, source)


def _visible(vocabulary: Sequence[str], tokens: Sequence[int]) -> list[str]:
    from explorer.probes.places import visible

    return [visible(vocabulary[token]) for token in tokens]


def _table(view: View, found: Alignment, chosen: Chosen) -> pd.DataFrame:
    """Each step up to the chosen one: what follows, and what is most probable."""
    layer, head, _, token = chosen
    weights = next(seen.weights for seen in found.maps if attended.short(seen.layer) == layer)
    shown = weights.mean(0) if head == MEAN else weights[head - 1]
    wrote, read = _words(view, found)
    known = _visible(view.dataset.target_vocabulary, range(len(view.dataset.target_vocabulary)))
    rows = [
        {"token": n + 1, "follows": wrote[n], "probability": _sure(found.share[n])}
        | {
            f"{place}.": f"{known[best]} ({_sure(share)})"
            for place, (best, share) in enumerate(
                zip(found.best[n, :NEXT].tolist(), found.shares[n, :NEXT].tolist(), strict=True), 1
            )
        }
        | {"looks most at": read[int(shown[n].argmax())]}
        for n in range(min(token, len(wrote)))
    ]
    return pd.DataFrame(rows)


def _sure(share: float) -> str:
    """A probability; none is written as certain or impossible."""
    return "over 99.9%" if share > 0.999 else "under 0.1%" if share < 0.001 else f"{share:.1%}"


@st.cache_data(max_entries=attended.KEPT, show_spinner=False)
def _alignment(run_id: str, step: int, split: str, example: int, free: bool) -> Alignment:
    from explorer import probes
    from explorer.data import dataset_of
    from explorer.views.server import store

    dataset, model = dataset_of(store().get(run_id).spec), results.rebuilt(run_id, step)
    x = attended.given(run_id, step, split, example)[0]
    if free:
        return probes.free(model, x, dataset.target_shape.size[0])
    return probes.forced(model, x, results.to_write(run_id, split, example, step))
