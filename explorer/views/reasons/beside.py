"""Several methods beside each other, with explanations that look at no model among them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.views import page
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons import choices, relative, saving, trusted
from explorer.views.reasons.asked import Asked
from explorer.views.reasons.beside_example import beside_example
from explorer.views.reasons.one import question
from explorer.views.reasons.saving import Look, Several
from explorer.views.reasons.trusted import Known
from explorer.views.view import View

FIRST = ("saliency", "integrated_gradients", "grad_cam", "occlusion", "rollout", "attention_gradient", "random")
"""The methods shown until others are chosen; a control among them."""
MOST = 8
"""Most of them at once."""


def beside(view: View, options: Options) -> None:
    """Choose methods; see what each says of the same question."""
    reasons = asking.refusals(view.run.id, view.step)
    known = [name for name, kind in choices.METHODS_BY_GROUP.items() if name not in reasons and kind != choices.INNER]
    names = options.names(
        "methods",
        "Methods",
        known,
        [name for name in FIRST if name in known],
        MOST,
        format_func=lambda name: METHODS[name].title,
        help=f"At most {MOST}. Random, constant and the edge detector are controls: they look at no model.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        asked, said = question(view, options)
        choices.refused(view)
    with beside_example(view):
        _answers(view, options, names, asked, said)


def _answers(view: View, options: Options, names: list[str], asked: Asked, said: str) -> None:
    sign, _ = choices.sides(view, options, opacity=False)
    settings = choices.settings(view, options, names, params=False)
    settings = replace(settings, target=asked.target, text=asked.text, at=asked.at)
    every = [replace(settings, method=name) for name in names]
    found = {one.method: asking.explained(*view.place, one) for one in every}
    drawn = {name: one for name, one in found.items() if isinstance(one, Attribution) and not one.nothing}
    relative.draw(view, drawn, sign, f"Why {said}?", "why", saving.called(view, "beside"))
    trust = trusted.beside_several(view, names)
    for one in every:
        _said(view, one, found[one.method], trust)
    same = view.input.expand(len(drawn), *view.input.shape[1:])
    titles = [METHODS[name].title for name in drawn]
    shown = Several("method", titles, titles, same, list(drawn.values()), f"Why {said}?", same=False)
    saving.several(view, shown, Look(sign), "beside", every, said)


def _said(view: View, asked: Asked, found: Attribution | str, trust: Known) -> None:
    method = METHODS[asked.method]
    if isinstance(found, str):
        said = page.plain(found)
    elif found.nothing:
        said = "Zero everywhere: nothing to draw."
    else:
        said = method.reading(view.dataset.modality, asked.words(view.dataset))
        if found.error is not None:
            said += f" Completeness error {found.error:.2g}."
    if trust.found:
        said += f" Trust: {trust.short(asked.method)}."
    st.caption(f"**{method.title}** · {said}", help=f"{method.help()} {method.paper}.")
