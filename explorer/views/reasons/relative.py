"""What several methods say of one question, each drawn relative to its own strongest value."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.figures.explained import crossed, wrapped
from explorer.figures.images import TALL, attributions
from explorer.figures.shades import side
from explorer.views import page
from explorer.views.reasons import pictures
from explorer.views.reasons.asked import positions
from explorer.views.view import View


def draw(
    view: View, found: dict[str, Attribution], sign: str, title: str, key: str, save: str, tall: int = TALL
) -> None:
    """Draw what each method says.

    Args:
        view: What is looked at.
        found: By name of the method, all of the same question; nothing is drawn of none.
        sign: Which side of the values is seen.
        title: What is seen.
        key: Keeps the figure in place.
        save: Name for a picture of it.
        tall: Most screen pixels an image is high.
    """
    if not found:
        return
    modality, look = view.dataset.modality, {"strength": sign == "strength", "dark": page.dark()}
    titles = [METHODS[name].title for name in found]
    values = [side(positions(one.values, modality), sign) for one in found.values()]
    alt = f"{title} By {', '.join(titles)}."
    if modality == "tokens":
        st.markdown(f"**{page.plain(title)}**")
        for name, one in found.items():
            st.markdown(METHODS[name].title)
            said, numbers = pictures.spoken(view, one)
            pictures.text(said, numbers, sign, f"{title} {METHODS[name].title}")
    else:
        if modality == "image":
            figure = attributions(list(zip(titles, values, strict=True)), title, alt, dark=look["dark"], tall=tall)
        elif modality == "vector":
            figure = crossed(np.stack(values, axis=1), view.dataset.features, titles, title, alt, relative=0, **look)
        else:
            steps = [str(step) for step in range(len(values[0]))]
            figure = crossed(np.stack(values), titles, steps, title, alt, names=("", "step"), relative=1, **look)
        page.show(wrapped(figure), key=key, save=save)
    drawn = "coloured" if modality == "tokens" else "drawn"
    st.caption(f"Each is {drawn} relative to its own strongest value, since methods measure different things.")
