"""Attention followed from the answer back to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import attended, page, results
from explorer.views.attended import Attending
from explorer.views.looks.heads import over_places

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import Reach
    from explorer.views.options import Options
    from explorer.views.view import View

METHODS = {"rollout": "Rollout", "gradient": "Attention × gradient"}

Chosen = tuple[str, int | None]
"""Which method, and the class whose logit the gradient is of."""


class Rollout(Attending):
    """How much of each place attention carries to the answer, through all layers. Rollout multiplies the attention of
    the layers, half of each block passing by unmixed (Abnar & Zuidema, 2020); it knows no class. Attention × gradient
    keeps only the weights that would raise the logit of the class in question (Chefer et al., 2021, simplified).
    """

    name = "rollout"
    title = "Attention to the input"
    order = 33
    misleads = (
        "Both leave out what values, norms and feed-forward parts do with what attention carries, and so can be wrong "
        "about the answer; compare them with attributions."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return super().why_not(view) or _unfollowed(view.run.id)

    def settle(self, view: View, options: Options) -> Chosen:
        method = options.one("by", "By", list(METHODS), words=METHODS.__getitem__)
        return method, _target(view) if method == "gradient" else None

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        from explorer.probes import places_at

        found = _reach(*view.place, *chosen)
        source, *_ = attended.given(*view.place)
        places = places_at(list(view.layers.values()), "", view.dataset, source[0].tolist())
        title, axis = METHODS[chosen[0]], "share" if chosen[0] == "rollout" else "weight × gradient"
        if chosen[1] is not None:
            title += f", for {view.dataset.classes[chosen[1]]}"
        return over_places(view, found.values, places.known(len(found.values)), title, axis, dark=dark)

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        found = _reach(*view.place, *chosen)
        if found.read:
            st.caption(f"These are the places of {page.plain(found.start)}, each of which has read others already.")


def _target(view: View) -> int | None:
    """The class that is explained: the one of the lens, or the answer."""
    if not view.dataset.classes:
        return None
    return results.prediction(*view.place).answer if view.target is None else view.target


@st.cache_data(max_entries=attended.KEPT, show_spinner=False)
def _reach(run_id: str, step: int, split: str, example: int, method: str, target: int | None) -> Reach:
    from explorer.probes import attention_gradient, rollout

    model, x = results.rebuilt(run_id, step), attended.given(run_id, step, split, example)[0]
    return rollout(model, x) if method == "rollout" else attention_gradient(model, x, target)


@st.cache_data(max_entries=64, show_spinner=False)
def _unfollowed(run_id: str) -> str | None:
    from explorer.data import dataset_of
    from explorer.models import build
    from explorer.probes import unfollowed
    from explorer.views.server import store

    spec = store().get(run_id).spec
    return unfollowed(build(spec.model, dataset_of(spec)))
