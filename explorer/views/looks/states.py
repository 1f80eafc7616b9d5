"""What recurrent layers remember: hidden states, cell states and gates, place by place."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from explorer.figures.over_time import states
from explorer.views import remembered, results
from explorer.views.looks.base import Look

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.data.made import Example
    from explorer.views.options import Options
    from explorer.views.view import View

ROWS = 128
"""Most units drawn at once."""
SIMILAR, NUMBER = "similar", "number"
ORDERS = {SIMILAR: "Alike at the last step", NUMBER: "By number"}

ALIKE = (
    "Units whose hidden states rise and fall together stand beside each other: hierarchical clustering, average "
    "linkage, distance 1 − r, at the last kept step, so that rows stay where they are at other steps."
)
TURNED = " Above: the image as it is read, turned so that what is read at a place stands over it."


class _Chosen(NamedTuple):
    layer: str
    part: str
    units: tuple[int, ...]
    unit: int
    limit: float


class States(Look):
    """Each row is a unit of a recurrent layer, each column a place that it reads, from first to last: warm is above
    zero, cool below; the colour of a gate is the stronger the wider it is open. Bars at the right say how much each
    unit changes; click one to follow that unit.
    """

    name = "states"
    title = "Hidden states"
    order = 30
    scope = "memory"
    misleads = (
        "A unit that seems to follow something need not be used by the answer, and a unit that never changes may still "
        "matter."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return remembered.why_not(view)

    def settle(self, view: View, options: Options) -> Hashable:
        layer = remembered.choose_layer(view, options)
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("states-choices")):
            part = remembered.choose_part(view, layer, options, few=0, width=180)
            order = options.one(
                "order", "Order of units", list(ORDERS), words=ORDERS.__getitem__, few=0, width=220, help=ALIKE
            )
            at = replace(view, step=view.steps[-1])  # so that rows stay where they are at other steps
            values = remembered.memory(*at.place, layer).parts["hidden_state"]
            most = int(values.std(axis=0).argmax())
            unit = options.number("unit", f"Unit (0 to {values.shape[1] - 1})", 0, values.shape[1] - 1, most, width=150)
            units = _order(*at.place, layer) if order == SIMILAR else tuple(range(values.shape[1]))
            pages = range(-(-len(units) // ROWS))
            rows = options.one("rows", "Rows", pages, words=_rows(len(units)), few=0, width=150) if pages[1:] else 0
        shown = units[rows * ROWS : (rows + 1) * ROWS]
        return _Chosen(layer, part, shown, unit, remembered.limit(view, layer, part))

    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        layer, part, units, unit, limit = chosen
        values = remembered.memory(*view.place, layer).parts[part]
        title = remembered.TITLES[part]
        return states(
            values,
            units,
            remembered.read_of(view, layer, len(values)),
            f"{title} of {remembered.in_words(layer)}",
            f"{title} of {len(units)} of {values.shape[1]} units of {remembered.in_words(layer)} at each of "
            f"{len(values)} places.",
            limit=limit,
            signed=not part.endswith("gate"),
            chosen=unit,
            dark=dark,
        )

    def draw(self, view: View, options: Options) -> None:
        chosen = self.settle(view, options)
        remembered.draw_clickable(self, view, chosen, options)
        self.say()
        self.more(view, chosen, options)

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        read = remembered.read_of(
            view, chosen.layer, len(remembered.memory(*view.place, chosen.layer).parts[chosen.part])
        )
        st.caption(_scale(chosen) + (TURNED if read.picture is not None else ""))
        remembered.draw_unit(view, chosen.layer, chosen.unit, options.key("unit-over-time"))


def _scale(chosen: _Chosen) -> str:
    if chosen.part == "cell_state":
        return (
            "Cell states have no bounds: the scale is that of a few kept steps together; what goes beyond it has the "
            "strongest colour."
        )
    ends = "0, closed, and 1, open" if chosen.part.endswith("gate") else "−1 and 1"
    return f"All values lie between {ends}, and so does the scale, at every step of training."


def _rows(units: int) -> Any:
    return lambda number: f"{number * ROWS + 1} to {min(units, (number + 1) * ROWS)}"


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _order(run_id: str, step: int, split: str, example: Example, layer: str) -> tuple[int, ...]:
    """Units in the order of how alike their hidden states change."""
    from explorer.probes.similarity import by_similarity

    values = remembered.memory(run_id, step, split, example, layer).parts["hidden_state"]
    return tuple(by_similarity(values).tolist())
