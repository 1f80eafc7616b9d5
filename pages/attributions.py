"""Attributions: which pixels spoke for an answer."""

import streamlit as st

from explorer.views import example, flips, page, picking, reasons, state, view
from explorer.views.options import Options

page.head(
    "Attributions",
    "Which parts of one example spoke for a class, and which against it, by four methods.",
    """
Each picture marks every pixel, step or feature: **warm** speaks for the class, **cool** against it, the middle colour
means no effect. The scale is centred at zero; its ends differ between methods, since each measures something else.

Choose another class to ask why the model did not answer that. Where methods of different kinds agree, there is more
reason to believe them; they can also share a blind spot.

An attribution tells what moved this model's score. It does not tell that the model is right, nor that the world works
that way, and methods can be wrong about the model too.
""",
)
options = Options()
seen = view.resolve(view.current_run())
if seen is None:
    example.nothing_yet("ask")
else:
    example.example_bar(seen, pick=picking.pick)
    reasons.reasons(seen)
    st.subheader("What would change it", anchor=False)
    flips.flips(seen, options)
state.mirror_lens(**options.drawn)
