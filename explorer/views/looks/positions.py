"""What tells places where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.figures.examples import table
from explorer.views import results
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.probes import PositionCode
    from explorer.views.options import Options
    from explorer.views.view import View

SHOWN = {"code": "Code", "similarity": "Similarity"}


class PositionCodes(Look):
    """What the model adds to each place so that it can tell where it stands. The code has one column for each place;
    the similarity is the cosine of any two of these columns: 1 where they point the same way, 0 where they have nothing
    in common.
    """

    name = "positions"
    title = "Positions"
    order = 35
    misleads = "It shows what is added, not whether later layers use it."

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if _layers(view) else "it has no layer of positions."

    def settle(self, view: View, options: Options) -> tuple[str, str]:
        layers = _layers(view)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("positions-choice")):
            layer = layers[0] if len(layers) == 1 else options.one("layer", "Layer", layers)
            return layer, options.one("code", "Show", list(SHOWN), words=SHOWN.__getitem__)

    def figure(self, view: View, chosen: tuple[str, str], dark: bool) -> go.Figure:
        from explorer.probes import places_at

        layer, shown = chosen
        found = _code(view.run.id, view.step, layer)
        count, size = found.values.shape
        kind = "learned" if found.learned else "sinusoidal"
        places = places_at(list(view.layers.values()), layer, view.dataset, ())
        labels = places.labels if places.grid and len(places) == count else [str(n) for n in range(count)]
        if shown == "code":
            said = f"{layer}: {kind} code of {count} places"
            return table(found.values.T, labels, said, f"{said}, {size} numbers each.", dark, axis="number")
        said = f"{layer}: similarity of {kind} codes"
        scale = {"limit": 1.0, "signed": True}
        return table(
            found.similarity, labels, said, f"{said}, {count} places.", dark, rows=labels, axis="place", **scale
        )

    def more(self, view: View, chosen: tuple[str, str], options: Options) -> None:
        learned = _code(view.run.id, view.step, chosen[0]).learned
        st.caption(_LEARNED if learned else _SINUSOIDAL)


_SINUSOIDAL = (
    "Sinusoidal codes are fixed waves: the first numbers change from place to place, the last ones over thousands of "
    "places. Look for the bands along the diagonal: how alike two codes are depends only on how far apart they stand."
)
_LEARNED = (
    "Learned codes begin as noise: no two are alike. Look for what training makes of them: neighbours that become "
    "alike, or patches of one row or column. Places that training hardly reached, as the end of long texts, stay noise."
)


def _layers(view: View) -> list[str]:
    return [name for name, layer in view.layers.items() if layer.kind == "positions"]


@st.cache_data(max_entries=64, show_spinner=False)
def _code(run_id: str, step: int, layer: str) -> PositionCode:
    from explorer.probes import position_code

    return position_code(results.rebuilt(run_id, step), layer)
