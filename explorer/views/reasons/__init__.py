"""What the page *Attributions* is made of: the example and its answer, and one of several ways to ask why."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.views import flips
from explorer.views.options import Options
from explorer.views.reasons import across, beside, many, one, training, unsure, whole
from explorer.views.reasons.beside_example import beside_example
from explorer.views.view import View

Part = tuple[str, Callable[[View, Options], None]]


def changing(view: View, options: Options) -> None:
    """What would change the answer, beside the example."""
    with beside_example(view):
        flips.flips(view, options)


PARTS: dict[str, Part] = {
    "one": ("One method", one.one),
    "beside": ("Side by side", beside.beside),
    "many": ("Many examples", many.many),
    "training": ("Over training", training.training),
    "whole": ("Whole split", whole.whole),
    "flips": ("What would change it", changing),
}
"""What can be asked, by the name in the URL."""
OF_TRANSLATIONS: dict[str, Part] = {"map": ("Source × target", across.across), **PARTS}
"""The same of translations."""
OF_SPLITS = ("many", "whole")
"""Parts that are about no one example."""


def reasons(view: View) -> dict[str, str]:
    """Choose what to ask, and see the answer; returns what was chosen, for the URL."""
    options = Options(by="attributions")
    parts = OF_TRANSLATIONS if view.dataset.task == "translation" else PARTS
    with st.container(key="parts"):
        part = options.one("part", "Ask", list(parts), words=lambda name: parts[name][0], label_visibility="collapsed")
    draw = parts[part][1]
    unsure.warn(view, example=part not in OF_SPLITS)
    draw(view, options)
    return options.drawn
