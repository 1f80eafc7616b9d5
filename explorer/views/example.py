"""The example that is looked at: its picture, the answer to it, and the way to the next one."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.figures.examples import bars, series
from explorer.figures.images import enlarged
from explorer.views import page, results, state
from explorer.views.view import View

MADE = "made by you"
"""What is said of a changed copy in place of the right answer."""


def example_bar(view: View, end: int | None = None, pick: Callable[[View], None] | None = None) -> None:
    """Say what is looked at and step to another example, also where the sidebar is closed.

    Args:
        view: What is looked at.
        end: The step the run ends with; the last kept one if None.
        pick: Lets one pick another example; there is no button for it if None.
    """
    not_here(view)
    last = len(view.dataset.split(view.split)) - 1
    truth = f"**{MADE}**" if view.changed else f"truly **{page.plain(view.said)}**"
    with st.container(horizontal=True, vertical_alignment="center", key="example-bar"):
        for label, icon, to in (
            ("Previous", "chevron_left", view.example - 1),
            ("Next", "chevron_right", view.example + 1),
        ):
            st.button(
                label,
                key=f"{label}-example",
                icon=f":material/{icon}:",
                disabled=not 0 <= to <= last,
                on_click=go,
                args=(to,),
                shortcut="Left" if to < view.example else "Right",
            )
        if pick is not None and st.button("Pick another", key="pick-example", icon=":material/grid_on:"):
            pick(view)
        st.markdown(
            f"{view.split.capitalize()} example **{view.example}**, {truth} · "
            f"{page.plain(view.run.title)}, step {view.step} of {end or view.steps[-1]}",
            width="stretch",
        )


def not_here(view: View) -> None:
    """Say what the lens asks for and is not here, a line each."""
    for note in view.notes:
        st.warning(page.plain(note), icon=":material/link_off:")


def example_picture(view: View, width: int = 240) -> None:
    """The example itself: an image, a line, a text or a row of a table."""
    x, dataset = view.input[0], view.dataset
    if dataset.modality == "image":
        st.image(
            enlarged(x.numpy()),
            caption=f"The input: {MADE if view.changed else 'truly ' + page.plain(view.said)}",
            width=width,
            alt=f"The input image, {MADE if view.changed else 'of class ' + view.said}.",
        )
    elif dataset.modality == "series":
        figure = series(x.numpy(), "The input", f"A series of {x.shape[1]} steps.", page.dark(), height=200)
        page.show(figure, key="example-series")
    elif dataset.modality == "tokens":
        with st.container(border=True):
            st.markdown(page.plain(dataset.text(x)))
    else:
        names = dataset.features
        figure = bars(x.numpy(), names, "The input", "standardised", "The input.", page.dark())
        page.show(figure, key="example-row")


def answer(view: View) -> None:
    """What the model answers, in a line."""
    if view.dataset.task == "translation":
        st.markdown(f"It writes: **{page.plain(results.translation(*view.place)) or 'nothing'}**")
    elif view.dataset.classes:
        found = results.prediction(*view.place)
        sure = found.probabilities[found.answer]
        st.markdown(f"It answers **{page.plain(view.dataset.classes[found.answer])}**, {min(sure, 0.999):.1%} sure.")
    else:
        st.markdown(f"It answers **{page.plain(view.dataset.answer(results.output(*view.place)))}**.")


def go(example: int) -> None:
    """Look at another example, from a callback."""
    state.look(example=example)
    st.rerun()  # the whole page, also where it is one fragment that holds the button


def nothing_yet(view_of: str) -> None:
    """What the looking pages say while there is no trained model."""
    page.empty(
        f"No model to {view_of} yet",
        "Train one first: the example CNN on digits takes a few seconds.",
        page.HOME,
        "Go to the start",
    )
