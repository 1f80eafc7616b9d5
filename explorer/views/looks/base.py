"""What a look is: one way to see what a model makes of an example."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import streamlit as st

from explorer.registry import Declared, Registry
from explorer.views import page

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.views.options import Options
    from explorer.views.view import View

COLUMNS = 2
"""Figures of several steps in one row."""


class Look(Declared):
    """Base of all looks. The docstring's first paragraph says, in a sentence or two, what is seen and how to read it.

    A look draws its choices (`settle`), one figure (`figure`), and what belongs under it (`more`). What it shows it
    takes from cached results, by `View.place`; it computes nothing itself.
    """

    order: ClassVar[int] = 100
    misleads: ClassVar[str]
    """How it can mislead, in a sentence."""
    steady: ClassVar[str] = ""
    """Why it is not drawn at several steps side by side, in a sentence; empty if it is."""

    scope: ClassVar[str] = ""
    """What its choices are kept under, so that looks of one scope share those of one name; its own if empty."""

    @classmethod
    def why_not(cls, view: View) -> str | None:
        """Why there is nothing to see of this model and example, in words, or None if there is."""
        return None

    def settle(self, view: View, options: Options) -> Hashable:
        """Draw what can be chosen; returns all choices the figure is made from."""
        return ()

    def together(self, view: View, steps: tuple[int, ...], chosen: Hashable) -> Hashable:
        """The choices for figures of several steps that are compared: with one scale for all, where there is one."""
        return chosen

    @abstractmethod
    def figure(self, view: View, chosen: Hashable, dark: bool) -> go.Figure:
        """What is seen."""

    def more(self, view: View, chosen: Hashable, options: Options) -> None:
        """Draw what belongs under the figure."""

    def onward(self) -> None:
        """Draw the way to what goes on from here on another page."""

    def draw(self, view: View, options: Options) -> None:
        """Draw it all."""
        chosen = self.settle(view, options)
        self.show(view, chosen, options.key(self.name))
        self.say()
        self.more(view, chosen, options)
        self.onward()

    def draw_steps(self, view: View, options: Options, columns: int = COLUMNS) -> None:
        """Draw the figure at several of the kept steps, so many side by side."""
        steps = view.spread
        chosen = self.together(view, steps, self.settle(view, options))
        for first in range(0, len(steps), columns):
            for column, step in zip(st.columns(columns), steps[first : first + columns], strict=False):
                with column:
                    st.markdown(f"**Step {step}**" + (f" ({view.begins})" if step == 0 else ""))
                    self.show(replace(view, step=step), chosen, options.key(f"{self.name}-at-{step}"))
        self.say()
        self.onward()

    def show(self, view: View, chosen: Hashable, key: str) -> None:
        """Draw the figure."""
        dark = page.dark()
        page.show_made(lambda: self.figure(view, chosen, dark), key, (view.place, view.target, chosen, dark))

    def say(self) -> None:
        """Write how to read it, and how it can mislead."""
        st.caption(f"{self.help()} {self.misleads}")


LOOKS = Registry("look", Look, "explorer.views.looks")
