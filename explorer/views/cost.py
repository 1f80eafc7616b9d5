"""What a run reached and what it cost."""

from __future__ import annotations

import streamlit as st

from explorer.runs.cost import FLOPS_PER_MAC, Cost, cost_of
from explorer.runs.run import Run
from explorer.views import results

NARROW = "\u00a0"
"""A space at which no line breaks."""
_STEPS = ((1e18, "10¹⁸"), (1e15, "10¹⁵"), (1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def outcome(run: Run) -> None:
    """How good a run that is over is on the test examples, and the two costs everybody asks for."""
    with st.container(horizontal=True, key="outcome"):
        for name, value in run.test.items():
            if name in results.WORDS:
                title, text, meaning = results.WORDS[name]
                st.metric(f"Test {title}", text(value), width="content", help=meaning)
        st.metric("Training time", duration(run.trained), width="content")
        st.metric("Parameters", f"{run.parameters:,}", width="content")


def what_it_cost(run: Run) -> None:
    """All costs of a run so far, for those who open them."""
    if not run.samples:
        return
    with st.expander("What it cost" if run.status.over else "What it costs", icon=":material/payments:", key="cost"):
        st.markdown(_list(run, cost_of(run)))


def _list(run: Run, cost: Cost) -> str:
    rows = [
        ("Parameters", f"{cost.parameters:,}", "the weights that training changes"),
        ("Multiply-adds", amount(cost.macs), "for one example, from input to answer"),
        (
            "Operations",
            amount(cost.flops),
            f"{FLOPS_PER_MAC} × multiply-adds × {run.samples:,} examples seen: a multiply-add is two, and the way back "
            "takes twice the way forward (Kaplan et al., 2020)",
        ),
        ("Time", duration(cost.seconds), f"{cost.rate:,.0f} examples per second, with validating and saving"),
        ("Memory", f"{cost.memory / 1e6:,.0f} MB", "the most that training took"),
        (
            "Energy",
            f"{cost.energy:.2g} Wh",
            f"an estimate, assuming {cost.watts:g} W for the {_processor(run)}; not measured",
        ),
    ]
    return "\n".join(f"- {what}: **{much.replace(' ', NARROW)}**, {means}" for what, much, means in rows)


def _processor(run: Run) -> str:
    return "graphics processor" if run.device.startswith(("cuda", "mps")) else "CPU"


def amount(count: float) -> str:
    """A large number in words: ``1.2 billion``."""
    for size, word in _STEPS:
        if count >= size:
            return f"{count / size:.3g} {word}"
    return f"{count:,.0f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
