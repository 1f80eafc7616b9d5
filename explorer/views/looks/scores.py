"""Attention step by step: scores, mask, softmax, values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.examples import table
from explorer.figures.heads import score_steps
from explorer.figures.theme import as_text
from explorer.views import attended, results
from explorer.views.attended import Attending

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import AttentionSteps, Places
    from explorer.views.options import Options
    from explorer.views.view import View

PARTS = {"scores": "Scores and softmax", "values": "× V"}

Chosen = tuple[str, int, int, str]
"""Short name of the attention, head from 1, place that looks, and which part of the steps."""


class Scores(Attending):
    """How one head comes to what one place takes: its query times each key (Q·Kᵀ), divided by √d; places it may not
    look at get −∞; the softmax makes weights of the scores that add up to 1; they mix the values (× V). Additive
    attention has a small network score each place instead, and goes on in the same way.
    """

    name = "scores"
    title = "Attention step by step"
    order = 31

    def settle(self, view: View, options: Options) -> Chosen:
        found = attended.maps(*view.place)
        names = list(found)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("scores-choice")):
            layer = attended.choose_layer(options, names)
            head = attended.choose_head(options, len(found[layer].weights), mean=False)
            looking, _ = attended.places(view, found[layer])
            place = attended.choose_place(options, looking, "Looking from") if len(looking) > 1 else 0
            part = options.one("part", "Steps", list(PARTS), words=PARTS.__getitem__)
        return layer, head, place, part

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        name, head, place, part = chosen
        found, looking, seen = _found(view, chosen)
        place = attended.within(place, looking)
        said = attended.said(name) + attended.head_said(head, len(found.weights))
        said += f" · from {as_text(looking.names[place])}" if len(looking) > 1 else ""
        if part == "scores":
            axis = "score, after mask" if found.products is None else "q·k ÷ √d, after mask"
            return score_steps(
                found.masked[head - 1, place], found.weights[head - 1, place], seen.labels, said, axis, dark
            )
        taken = _taken(found, head, place)
        return table(
            np.vstack([taken, taken.sum(0)]),
            [str(n) for n in range(taken.shape[1])],
            f"{said} · weight × V",
            f"What {said} takes of each place, and their sum.",
            dark,
            rows=[*seen.labels, "sum"],
            axis="place",
        )

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        found, _, seen = _found(view, chosen)
        with st.container(key=options.key("scores-table")):
            st.dataframe(_table(found, chosen, seen), hide_index=True, key=options.key("scores-numbers"))
        st.caption(
            "Worked out from these numbers, of all heads and places, the layer puts out what it did put out; the "
            f"largest difference is {found.error:.0e}."
        )


def _found(view: View, chosen: Chosen) -> tuple[AttentionSteps, Places, Places]:
    seen = attended.maps(*view.place)[chosen[0]]
    return _steps(*view.place, seen.layer), *attended.places(view, seen)


@st.cache_data(max_entries=attended.KEPT, show_spinner=False)
def _steps(run_id: str, step: int, split: str, example: int, layer: str) -> AttentionSteps:
    from explorer.probes import attention_steps

    x, *written = attended.given(run_id, step, split, example)
    return attention_steps(results.rebuilt(run_id, step), x, layer, *written)


def _taken(found: AttentionSteps, head: int, place: int) -> np.ndarray:
    """(S, d): what the place takes of each."""
    return found.weights[head - 1, place][:, None] * found.value[head - 1]


def _table(found: AttentionSteps, chosen: Chosen, seen: Places) -> pd.DataFrame:
    """The numbers, one row for each place that is looked at."""
    _, head, place, part = chosen
    at = head - 1, place
    columns: dict[str, object] = {"place": list(seen.names)}
    if part == "values":
        columns["weight"] = found.weights[at]
        columns |= {f"v{n}": column for n, column in enumerate(found.value[head - 1].T)}
        frame = pd.DataFrame(columns)
        frame.loc[len(frame)] = ["sum of weight × v", found.weights[at].sum(), *found.mixed[at]]
        return frame.round(4)
    if found.products is not None:
        columns |= {"q·k": found.products[at].round(4), "÷ √d": found.scaled[at].round(4)}
    columns["masked"] = [f"{score:.4f}" if np.isfinite(score) else "−∞" for score in found.masked[at]]
    columns["softmax"] = found.weights[at].round(4)
    return pd.DataFrame(columns)
