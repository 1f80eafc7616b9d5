"""What stands beside a look: the example, the answer to it, and a copy that can be changed."""

from __future__ import annotations

import streamlit as st

from explorer.views import changing, copies, example
from explorer.views.view import View


def example_panel(view: View, beside: bool = False) -> None:
    """The example and what the model answers; its changed copy, if there is one; and the way to change it.

    Args:
        view: What is looked at.
        beside: Whether picture and answer stand beside each other rather than one under the other.
    """
    with st.container(key="example-panel"):
        with st.container(horizontal=beside):
            drawing = changing.first(view)
            if view.made:
                copies.copies(view, drawing)
            else:
                if not drawing:
                    example.example_picture(view, width=120 if beside else 180)
                example.answer(view)
        changing.changing(view)
