"""What can be chosen: the method and how it works, what the input is compared with, and the class that is explained."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.attribution import METHODS
from explorer.attribution.compared import BASELINES
from explorer.figures.shades import SIGNS
from explorer.views import page, results, state
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons.asked import REFERENCES, RIGHT, WROTE, Asked
from explorer.views.view import ANSWER, View, move

DEFAULT = "integrated_gradients"
INNER = "Inside the model"
NOBODY = "nothing"
_SIGNS = dict(zip(SIGNS, ("Both", "For", "Against", "Strength"), strict=True))
OPACITIES = tuple(range(0, 101, 10))


def method(view: View, options: Options, inner: bool = True) -> str:
    """Choose one of the methods that apply; the others say why they do not.

    Args:
        view: What is looked at.
        options: What was chosen.
        inner: Whether those are among them that look at a layer.
    """
    reasons = asking.refusals(view.run.id, view.step)
    fitting = [name for name, kind in METHODS_BY_GROUP.items() if name not in reasons and (inner or kind != INNER)]
    return options.one(
        "method",
        "Method",
        fitting,
        DEFAULT if DEFAULT in fitting else fitting[0],
        words=lambda name: f"{METHODS[name].group} · {METHODS[name].title}",
        few=0,
        width=260,
        help=f"{len(fitting)} methods apply to this model; type to find one.",
    )


def refused(view: View) -> None:
    """Which methods do not apply, and why."""
    if not (reasons := asking.refusals(view.run.id, view.step)):
        return
    with st.popover(f"{len(reasons)} not for this model", type="tertiary"):
        for name, reason in reasons.items():
            st.markdown(f"**{METHODS[name].title}**: {page.plain(reason)}")


METHODS_BY_GROUP = {
    method.name: method.group
    for method in sorted(METHODS.values(), key=lambda one: (one.group == "Controls", one.group == INNER, one.order))
}
"""Names of all methods and their groups, in the order of the menu."""


def classes(view: View, options: Options) -> tuple[int | tuple[int, int], str]:
    """Choose what is explained: a class, or why it and not another; returns it, and in words."""
    if not view.dataset.classes:
        return 0, view.dataset.unit or "this value"
    names, answer = view.dataset.classes, results.prediction(*view.place).answer
    revision = state.lens().revision
    key = f"target-class-{revision}"
    st.session_state[key] = ANSWER if view.target is None else view.target

    def said(number: int) -> str:
        if number == ANSWER:
            return f"the answer ({names[answer]})"
        return f"{names[number]} (true)" if number == view.truth else names[number]

    st.selectbox(
        "Why",
        [ANSWER, *range(len(names))],
        key=key,
        format_func=said,
        on_change=move,
        args=(revision, "target", key),
        width=170,
    )
    target = answer if view.target is None else view.target
    against = options.one(
        "against",
        "Rather than",
        [NOBODY, *range(len(names))],
        words=lambda number: "any other" if number == NOBODY else said(number),
        few=0,
        width=150,
        help="With a second class, the difference of the two scores is explained: why this and not that?",
    )
    if against == NOBODY:
        return target, names[target]
    if against == target:
        st.caption(f"{page.plain(names[target])} is both: only its own score is explained.")
        return target, names[target]
    return (target, against), f"{names[target]} rather than {names[against]}"


def token(view: View, options: Options, training: bool = False) -> tuple[str, int, str]:
    """Choose which token of which translation is explained; returns text, place and the token.

    Args:
        view: What is looked at.
        options: What was chosen.
        training: Whether several steps are looked at: what they write differs, so it is the right translation.
    """
    text = RIGHT if training else translation(view, options)
    _, tokens = asking.read(*view.place, text)
    words = [view.dataset.target_vocabulary[token] for token in tokens]
    at = options.one(
        "token",
        "Why the token",
        list(range(len(words))),
        words=lambda place: f"{place + 1}: {words[place]}",
        few=0,
        width=190,
    )
    return text, at, words[at]


def translation(view: View, options: Options) -> str:
    """Choose which translation is explained; of a changed source there is only the model's own."""
    if view.changed:
        return WROTE
    words = {WROTE: "What it writes", RIGHT: "The right one"}
    return options.one("text", "Translation", list(words), words=words.__getitem__)


def settings(view: View, options: Options, names: list[str], params: bool = True) -> Asked:
    """Draw how the methods work and what they compare with; returns it, of the first of them.

    Args:
        view: What is looked at.
        options: What was chosen.
        names: The methods.
        params: Whether their parameters can be chosen, too.
    """
    compares = {METHODS[name].compares() for name in names}
    fields = METHODS[names[0]].model_fields if params else {}
    if not fields and not compares - {""}:
        return Asked(names[0])
    with st.expander("Settings", icon=":material/tune:"), st.container(horizontal=True, vertical_alignment="bottom"):
        found = tuple((name, _field(view, options, name, field)) for name, field in fields.items())
        chosen: dict[str, Any] = _baseline(view, options) if "baseline" in compares else {}
        if "references" in compares:
            chosen["references"] = options.number(
                "references", "Train examples compared with", 1, 100, REFERENCES, width=220
            )
            chosen["seed"] = options.number("drawn", "Drawn with seed", 0, 9999, 0, width=150)
    return Asked(names[0], found, **chosen)


def _field(view: View, options: Options, name: str, field: Any) -> Any:
    with st.container(width=190):
        if name != "layer":
            return options.field(f"p{name}", name, field)
        known = asking.inner_layers(view.run.id, view.step)
        return options.one("within", "Layer", known, known[-2 if len(known) > 1 else -1], few=0)


def _baseline(view: View, options: Options) -> dict[str, Any]:
    modality = view.dataset.modality
    known = [name for name, kinds in BASELINES.items() if modality in kinds]
    words = {name: Asked(DEFAULT, baseline=name).words(view.dataset) for name in known} | {"example": "a train example"}
    kind = options.one(
        "baseline",
        "Compared with",
        known,
        words=lambda name: words[name].capitalize(),
        few=0,
        width=220,
        help="What stands for the absence of each part. Another choice is another question, with another answer.",
    )
    last = len(view.dataset.train) - 1
    compared = 0
    if kind == "example":
        compared = options.number("compared", f"Train example (0 to {last})", 0, last, 0, width=190)
    return {"baseline": kind, "compared": compared}


def sides(view: View, options: Options, opacity: bool = True) -> tuple[str, float]:
    """Choose which side of the values is seen, and how strongly they cover an image; returns both."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="sides"):
        sign = options.one("sign", "Shown", SIGNS, words=_SIGNS.__getitem__)
        share = 70
        if opacity and view.dataset.modality == "image":
            share = options.slider(
                "opacity", "Over the image", OPACITIES, 70, format_func=lambda n: f"{n} %", width=200
            )
    return sign, share / 100
