"""What one may want to do before a model is trained: short trials, and an experiment that is ready to run."""

from __future__ import annotations

import streamlit as st

from explorer.views import page, state, training
from explorer.views.server import store


def before_button(problem: bool) -> None:
    """A button that opens them all, beside Start."""
    with st.popover("Before you train", icon=":material/experiment:", width="content"):
        _trial(
            "Find a learning rate",
            "range test",
            "speed",
            "A short test with the model and the settings above: the learning rate rises until nothing works any more.",
            problem,
        )
        _trial(
            "Can it learn one batch?",
            "one batch",
            "rule",
            "A model that cannot learn a single batch by heart has something broken. It takes seconds to find out.",
            problem,
        )
        st.divider()
        st.markdown("**Ready to run**")
        if st.button(
            "See gradients vanish: vanilla RNN against LSTM", key="start-vanishing", icon=":material/blur_on:"
        ):
            start_vanishing()
            st.switch_page(page.TRAIN)
        st.caption("Two small networks must remember the first of 100 symbols. One of them cannot, and you see why.")


def _trial(label: str, purpose: str, icon: str, about: str, problem: bool) -> None:
    key = f"start-{purpose.replace(' ', '-')}"
    if st.button(label, key=key, icon=f":material/{icon}:", disabled=problem):
        training.start(training.draft_run().model_copy(update={"purpose": purpose}))
        st.switch_page(page.TRAIN)
    st.caption(about)


def start_vanishing() -> None:
    """Queue the two networks and look at the vanilla one."""
    from explorer.runs.presets import start_vanishing as start

    if training.once("vanishing"):
        vanilla, _ = start(store(), state.session())
        state.look(run=vanilla.id)
