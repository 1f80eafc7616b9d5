"""What is said about a table of trust in words: how good the model is, what speaks against which method, and what does
not apply.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.views import page, results

if TYPE_CHECKING:
    from explorer.trust.mark import Mark
    from explorer.trust.table import Cell, Wanted
    from explorer.views.view import View

POOR = 0.15
"""Share of what chance leaves that a model must get right: below it, its answers mean little."""
ON_EVIDENCE = ("mass_accuracy", "rank_accuracy", "pointing_game")


def quality(view: View) -> None:
    """How good the model is, first: explanations of answers that mean little mean little."""
    if view.run.spec.shuffled:
        st.warning(
            "This run has learned shuffled labels: its answers mean nothing, and so do explanations of them. It is "
            "here for others to be compared with.",
            icon=":material/warning:",
        )
        return
    poor, words = _how_good(view)
    if poor:
        st.warning(
            f"This model is poorly trained: {words} Whatever a method says of it explains answers that mean little. "
            "Train it longer, or choose a later step.",
            icon=":material/warning:",
        )
    elif words:
        st.caption(f"How good the model is: {words}")


def _how_good(view: View) -> tuple[bool, str]:
    if view.dataset.task == "translation":
        exact = view.run.test.get("exact_match")
        if exact is None or view.step != view.steps[-1]:
            return False, ""
        return exact < POOR / 3, f"it writes {exact:.1%} of the test examples without a mistake."
    found = results.answers(view.run.id, view.step, "test")
    if view.dataset.task == "regression":
        explained = 1 - float(found.loss.mean() / max(float(view.dataset.test.targets.double().var()), 1e-12))
        return explained < POOR, f"it explains {explained:.0%} of the variance of the test examples."
    right = float(1 - found.wrong.mean())
    chance = float(np.bincount(found.truth).max() / len(found.truth))
    return (
        right < chance + POOR * (1 - chance),
        f"it gets {right:.1%} of the test examples right; the most frequent class alone would get {chance:.1%}.",
    )


def applying(view: View) -> list[str]:
    """Names of the checks that can be asked of this model and data at all."""
    from explorer.trust import CHECKS
    from explorer.views import twin

    known = view.dataset.split(view.split).evidence is not None
    return [
        name
        for name in CHECKS
        if (known or name not in ON_EVIDENCE) and (name != "data_randomisation" or twin.finished(view.run))
    ]


def idle(wanted: Wanted, found: dict[Cell, Mark]) -> dict[str, str]:
    """Checks that say nothing of any method, and why."""
    from explorer.trust import CHECKS

    reasons = {}
    for check in wanted.checks:
        said = [found.get((method, check)) for method in wanted.methods]
        if all(mark is not None and mark.state == "none" for mark in said):
            own = [mark.reason for mark in said if mark.reason.startswith(CHECKS[check].title)]
            reasons[check] = (own or [said[0].reason])[0]
    return reasons


def legend(wanted: Wanted, found: dict[Cell, Mark]) -> None:
    """How to read the table, and the table as a file."""
    with st.container(horizontal=True, vertical_alignment="center", key="trust-legend"):
        st.caption(
            "Bar: the score. Tick: the check's control, which looks at no model. Hatched, **!**: doubtful. –: does not "
            "apply. Click a bar or its number to open it. What is explained is the model's own answer to each of the "
            "examples drawn; the example and class in the sidebar play no part here.",
            width="stretch",
        )
        if found:
            st.download_button(
                "CSV",
                lambda: rows(wanted, found).to_csv(index=False),
                f"trust_{wanted.run}_step_{wanted.step}.csv",
                "text/csv",
                icon=":material/download:",
                key="trust-csv",
                on_click="ignore",
            )


def rows(wanted: Wanted, found: dict[Cell, Mark]) -> pd.DataFrame:
    """The whole table, a row for each cell that is known; each control has a column, empty where it plays no part."""
    from explorer.attribution import METHODS
    from explorer.trust import CHECKS

    return pd.DataFrame(
        [
            {
                "method": METHODS[cell.method].title,
                "check": CHECKS[cell.check].title,
                "score": mark.score,
                "better": CHECKS[cell.check].better,
                "doubtful": mark.doubtful,
                "verdict": mark.verdict or mark.reason,
                "reference": CHECKS[cell.check].paper,
                "split": wanted.split,
                "examples": wanted.examples,
                "seed": wanted.seed,
                "run": wanted.run,
                "step": wanted.step,
                **{f"control: {name}": value for name, value in mark.controls.items()},
            }
            for cell in wanted.cells
            if (mark := found.get(cell))
        ]
    )


def doubts(wanted: Wanted, found: dict[Cell, Mark]) -> None:
    """What speaks against which method, check by check; that controls fail is as it should be."""
    from explorer.attribution import METHODS
    from explorer.trust import CHECKS

    against: dict[tuple[str, str], list[str]] = defaultdict(list)
    for cell in wanted.cells:
        mark = found.get(cell)
        if mark and mark.doubtful and not METHODS[cell.method].control:
            against[cell.check, mark.verdict].append(METHODS[cell.method].title)
    if not against:
        return
    st.markdown("**What speaks against them**")
    order = sorted(against.items(), key=lambda one: wanted.checks.index(one[0][0]))
    st.markdown(
        "\n".join(
            f"- **{CHECKS[check].title}**: {page.plain(', '.join(methods))}. {page.plain(verdict)}"
            for (check, verdict), methods in order
        )
    )


def missing(wanted: Wanted, found: dict[Cell, Mark], idle: dict[str, str]) -> None:
    """What does not apply, and why; each reason once."""
    from explorer.trust import CHECKS

    reasons: dict[str, None] = dict.fromkeys(idle.values())
    for cell in wanted.cells:
        mark = found.get(cell)
        if mark and mark.score is None and cell.check not in idle:
            reasons[mark.reason if not mark.broken else f"{CHECKS[cell.check].title}: {mark.reason}"] = None
    if "mass_accuracy" not in wanted.checks:
        reasons[
            "Mass and ranks on the evidence and the pointing game do not apply: it is not known which places decide. "
            "Use a data set in which it is: evidence_images, evidence_words."
        ] = None
    with st.expander(f"What does not apply, and why ({len(reasons)})", key="trust-missing"):
        st.markdown("\n".join(f"- {page.plain(reason)}" for reason in reasons))
