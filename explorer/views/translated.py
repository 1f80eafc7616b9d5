"""What a translator writes for every example of a split, the worst first."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.probes import Translations, quality
from explorer.views import opened, page, results
from explorer.views.view import View

SHOWN = ("All", "Wrong", "Right")


def translated(view: View) -> None:
    """The numbers of a translator, then its translations beside the right ones."""
    found = results.translations(view.run.id, view.step, view.split)
    exact = found.exact
    numbers = {
        "token_accuracy": found.right.sum() / found.tokens.sum(),
        "exact_match": exact.mean(),
        "bleu": found.bleu,
    }
    with st.container(horizontal=True, key="numbers"):
        for name, value in numbers.items():
            title, text, meaning = results.WORDS[name]
            st.metric(title[0].upper() + title[1:], text(value), width="content", help=meaning)
    shown = st.segmented_control(
        "Show", SHOWN, default="All", required=True, key="translations-shown", persist_state="session"
    )
    among = {"All": None, "Wrong": ~exact, "Right": exact}[shown]
    rows = quality.worst_first(found.loss - 1e6 * exact, among)  # right ones last, whatever their loss
    if not len(rows):
        st.info(f"None of its translations is {shown.lower()}.", icon=":material/info:")
        return
    st.caption(
        "Wrong ones come first, and of them those whose right translation the model found least probable. Click one to "
        "look closer."
    )
    key = f"pairs-{view.run.id}-{view.step}-{view.split}-{shown}"
    opened.list_of(view, rows, lambda row: "Right" if exact[row] else "Wrong", key, partial(_told, view, found))


def _told(view: View, found: Translations, row: int) -> str:
    source = view.dataset.text(view.dataset.split(view.split).inputs[row])
    wrote, wanted = page.plain(found.written[row]) or "nothing", page.plain(found.wanted[row])
    if found.exact[row]:
        return f"{page.plain(source)}  \n:material/check: **{wrote}**"
    return f"{page.plain(source)}  \n:material/close: **{wrote}**  \nright: {wanted}"
