"""How far methods can be trusted, beside what they say: what was kept of their checks for this run, step and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.attribution import METHODS
from explorer.views import page, trust_words, trusting, twin
from explorer.views.server import store
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.trust import Check
    from explorer.trust.mark import Mark
    from explorer.trust.table import Cell, Wanted

ARROWS = {"higher": "↑", "lower": "↓"}
INNER = "The checks ask about places of the input; this method looks inside the model, so none applies."


@dataclass(frozen=True)
class Known:
    """What is known of some methods.

    Attributes:
        wanted: Which table it is from, or would be.
        found: Its marks.
    """

    wanted: Wanted
    found: dict[Cell, Mark]

    def of(self, method: str) -> list[tuple[str, Mark]]:
        """The checks that apply to a method, by name, and what each found."""
        marks = [(check, self.found.get((method, check))) for check in self.wanted.checks]
        return [(check, mark) for check, mark in marks if mark and mark.score is not None]

    def short(self, method: str) -> str:
        """The same in a few words."""
        from explorer.trust import CHECKS

        if METHODS[method].inner:
            return "no check applies"
        if not (marks := self.of(method)):
            return self.not_yet
        doubts = [CHECKS[check].title for check, mark in marks if mark.doubtful]
        held = f"{len(marks) - len(doubts)} of {len(marks)} checks held"
        return f"{held}; doubtful: {', '.join(doubts)}" if doubts else held

    @property
    def not_yet(self) -> str:
        """That nothing is known, in words."""
        return f"not worked out yet for the weights of step {self.wanted.step}"

    @property
    def over(self) -> str:
        """What was checked, in words."""
        return (
            f"Checked at step {self.wanted.step} over {self.wanted.examples} {self.wanted.split} examples, each "
            "explained for its own answer with the default settings."
        )


def known(view: View, methods: Sequence[str]) -> Known:
    """What is known of methods: of the tables begun for these weights the one that says most of them, or else the
    usual one, without marks.
    """
    from explorer.trust.table import VERSION, Wanted, marks

    same = {
        "run": view.run.id,
        "step": view.step,
        "split": view.split,
        "methods": tuple(methods),
        "checks": tuple(trust_words.applying(view)),
        "twin": twin.finished(view.run),
    }
    tables = [
        Wanted(**same, examples=asked.examples, seed=asked.seed)
        for asked in store().checked(view.run.id, view.step, view.split, VERSION)
    ]
    begun = [Known(wanted, marks(store(), wanted)) for wanted in tables]
    most = max(begun, key=lambda one: len(one.found), default=None)  # the first: of the most examples
    return most if most and most.found else Known(Wanted(**same, examples=trusting.usual(view)), {})


def beside_one(view: View, method: str) -> None:
    """All that is known of one method: its numbers beside those of what looks at no model, and doubts in words."""
    from explorer.trust import CHECKS

    if METHODS[method].inner:
        st.caption(INNER)
        return
    of = known(view, [method])
    marks = of.of(method)
    with st.container(horizontal=True, vertical_alignment="center", key="trusted"):
        if not marks:
            st.caption(f"How far to trust it is {of.not_yet}.", width="content")
        else:
            st.markdown(" ".join(_chip(CHECKS[check], mark) for check, mark in marks))
        _way(of.wanted, method, next((check for check, mark in marks if mark.doubtful), ""))
    if not marks:
        return
    if doubts := [f"**{CHECKS[check].title}**: {page.plain(mark.verdict)}" for check, mark in marks if mark.doubtful]:
        st.caption(" ".join(doubts))
    control = " This method is a control, and should score badly." if METHODS[method].control else ""
    st.caption(
        f"{of.over} ↑: higher is better, ↓: lower. Beside each number stands what an explanation scores that looks at "
        f"no model.{control}"
    )


def _chip(check: type[Check], mark: Mark) -> str:
    """A check as a badge: its verdict as colour, sign and word, its number, and its control's."""
    colour, icon, word = ("orange", "priority_high", " doubtful") if mark.doubtful else ("green", "check", "")
    control = f" · {page.plain(mark.control[0])} {mark.control[1]:.2f}" if mark.control else ""
    return f":{colour}-badge[:material/{icon}: {check.title}{word} {mark.score:.2f} {ARROWS[check.better]}{control}]"


def beside_several(view: View, methods: Sequence[str]) -> Known:
    """The way to all of them; returns what is known, to be said beside each."""
    of = known(view, methods)
    with st.container(horizontal=True, vertical_alignment="center", key="trusted"):
        said = of.over if of.found else f"How far to trust them is {of.not_yet}."
        st.caption(said, width="content")
        _way(of.wanted)
    return of


def _way(wanted: Wanted, method: str = "", check: str = "") -> None:
    if st.button("How far to trust it" if method else "How far to trust them", icon=":material/balance:", key="trust"):
        trusting.open_at(wanted, method, check)
