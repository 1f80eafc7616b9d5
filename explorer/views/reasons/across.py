"""Which source tokens speak for each token of a translation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.figures.explained import crossed, wrapped
from explorer.figures.shades import side
from explorer.views import page
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons import choices, saving, trusted
from explorer.views.reasons.asked import Asked
from explorer.views.reasons.beside_example import beside_example
from explorer.views.view import View


def across(view: View, options: Options) -> None:
    """Choose a method and a translation; see the map of produced tokens by source tokens."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options, inner=False)
        text = choices.translation(view, options)
        choices.refused(view)
    with beside_example(view):
        _map(view, options, name, text)


def _map(view: View, options: Options, name: str, text: str) -> None:
    sign, _ = choices.sides(view, options, opacity=False)
    asked = replace(choices.settings(view, options, [name]), text=text)
    _, tokens = asking.read(*view.place, text)
    found = _rows(view, asked, len(tokens))
    if isinstance(found, str):
        st.info(page.plain(found), icon=":material/info:")
        return
    source = [view.dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()]
    target = [view.dataset.target_vocabulary[token] for token in tokens]
    values = np.stack([one.values[: len(source)] for one in found])
    if not values.any():
        st.info("All values are zero: there is nothing to draw.", icon=":material/info:")
        return
    title = f"Source × target: {METHODS[name].title}"
    figure = crossed(
        side(values, sign),
        target,
        source,
        title,
        f"{title}: {len(target)} produced tokens by {len(source)} source tokens.",
        names=("produced", "source"),
        relative=1,
        strength=sign == "strength",
        dark=page.dark(),
    )
    page.show(wrapped(figure), key="across", save=saving.called(view, "map"))
    st.caption(
        f"{METHODS[name].reading('tokens', asked.words(view.dataset))} Each row explains one produced token, given the "
        "ones before it, and is drawn relative to its own strongest value. What the tokens before it contribute is "
        "not shown: a row may look weak because the model writes on from what it has written."
    )
    trusted.beside_one(view, name)
    table = pd.DataFrame(values, columns=[f"{n}: {word}" for n, word in enumerate(source)])
    table.insert(0, "produced", target)
    saving.values(view, table, f"{name}-map")


def _rows(view: View, asked: Asked, count: int) -> list[Attribution] | str:
    """What is said of each produced token; or why nothing is."""
    found, bar = [], st.empty()
    for at in range(count):
        one = asking.explained(*view.place, replace(asked, at=at))
        if isinstance(one, str):
            bar.empty()
            return one
        found.append(one)
        bar.progress((at + 1) / count, text=f"{at + 1} of {count} tokens explained. Any click stops it.")
    bar.empty()
    return found
