"""One cell of the table of trust, opened: what the check asks, what it found, and the lines behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import page

if TYPE_CHECKING:
    from explorer.attribution import Method
    from explorer.trust import Check
    from explorer.trust.mark import Mark
    from explorer.trust.table import Cell, Wanted

COVERING = ("deletion", "insertion")


def cell(wanted: Wanted, found: dict[Cell, Mark], method: str, check: str) -> None:
    """What one check says of one method."""
    from explorer.attribution import METHODS
    from explorer.trust import CHECKS

    asked, of = CHECKS[check], METHODS[method]
    with st.container(border=True, key="trust-cell"):
        st.markdown(f"**{of.title}: {asked.title}**")
        st.markdown(asked.help())
        mark = found.get((method, check))
        if mark is None:
            st.caption("This cell is not worked out yet.")
        elif mark.score is None:
            st.info(page.plain(mark.reason), icon=":material/info:")
        else:
            _found(mark, of, asked)
        st.caption(f"{asked.reads} {asked.better.capitalize()} is better. Source: {asked.paper}.")


def _found(mark: Mark, of: type[Method], asked: type[Check]) -> None:
    words = page.plain(mark.verdict)
    if of.control:
        words += " It is a control: it looks at no model, and should score badly."
    if mark.doubtful:
        st.warning(f"Doubtful. {words}", icon=":material/priority_high:")
    else:
        st.success(words, icon=":material/check:")
    known = [score for score in mark.scores if score is not None]
    with st.container(horizontal=True, key="trust-numbers"):
        st.metric("Score", f"{mark.score:.3f}", width="content", help=f"Mean of {len(known)} examples.")
        for name, value in mark.controls.items():
            st.metric(f"Control: {name}", f"{value:.3f}", width="content", help=_CONTROL)
        st.metric(
            "Lowest to highest", f"{min(known):.2f} to {max(known):.2f}", width="content", help="Of the examples."
        )
    if len(known) < len(mark.scores):
        st.caption(f"{len(mark.scores) - len(known)} of the examples have no value: all places are said to be alike.")
    _lines(mark, of, asked)


_CONTROL = "What an explanation scores in the same setting that looks at no model."


def _lines(mark: Mark, of: type[Method], asked: type[Check]) -> None:
    from explorer.figures.marks import curves, rivals

    if not mark.curves:
        return
    if asked.name == "agreement":
        values = {name: line[0][1] for name, line in mark.curves.items() if line}
        figure = rivals(values, f"{of.title} and the others", "rank correlation (1: the same order)", page.dark())
    else:
        names = {"method": of.title, "random": "random places"}
        lines = {names.get(name, name): line for name, line in mark.curves.items() if line}
        covering = asked.name in COVERING
        act = "uncovered" if asked.name == "insertion" else "covered"
        figure = curves(
            lines,
            f"{asked.title}: {'the answer while places are ' + act if covering else 'layer by layer, from the last'}",
            f"share of the places {act}" if covering else asked.along,
            "mean probability" if covering else "rank correlation",
            page.dark(),
        )
    page.show(figure, key=f"trust-lines-{of.name}-{asked.name}")
