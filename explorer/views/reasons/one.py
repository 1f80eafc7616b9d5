"""One method, and its answer to one question."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.views import page
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons import choices, pictures, relative, saving, trusted
from explorer.views.reasons.beside_example import beside_example
from explorer.views.view import View

CONTROLS = ("random", "sobel")
"""What stands beside each method; of what is no image there is no edge."""
SMALL = 130
"""Screen pixels such a picture is high."""


def one(view: View, options: Options) -> None:
    """Choose a method and a question; see the answer, how to read it, and what can be taken along."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options)
        asked, said = question(view, options)
        choices.refused(view)
    with beside_example(view):
        _answer(view, options, name, asked, said)


def _answer(view: View, options: Options, name: str, asked: asking.Asked, said: str) -> None:
    sign, opacity = choices.sides(view, options, opacity=not METHODS[name].inner)
    settings = choices.settings(view, options, [name])
    asked = replace(settings, target=asked.target, text=asked.text, at=asked.at)
    method, found = METHODS[name], asking.explained(*view.place, asked)
    if isinstance(found, str):
        st.info(page.plain(found), icon=":material/info:")
        return
    title = pictures.title_of(found, said)
    pictures.draw(view, found, sign, opacity, title, saving.called(view, name))
    if not found.nothing:
        st.caption(pictures.reading(view, asked, found))
    trusted.beside_one(view, name)
    _controls(view, asked, sign)
    st.caption(f"{method.help()} {method.paper}. It takes {method.cost}.")
    saving.saving(view, asked, found, said, sign, opacity)


def _controls(view: View, asked: asking.Asked, sign: str) -> None:
    """What looks at no model says of the same, small: where it looks like the method, doubt the method."""
    method = METHODS[asked.method]
    if method.control or method.inner:
        return
    said = {name: asking.explained(*view.place, replace(asked, method=name, params=())) for name in CONTROLS}
    found = {name: one for name, one in said.items() if isinstance(one, Attribution) and not one.nothing}
    title = "For comparison: without any model"
    relative.draw(view, found, sign, title, "controls", saving.called(view, "controls"), SMALL)


def question(view: View, options: Options, training: bool = False) -> tuple[asking.Asked, str]:
    """Choose what is explained; returns it, without method, and in words."""
    if view.dataset.task == "translation":
        text, at, said = choices.token(view, options, training)
        return asking.Asked("", text=text, at=at), f"“{said}”"
    target, said = choices.classes(view, options)
    return asking.Asked("", target=target), said
