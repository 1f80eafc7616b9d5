"""Compare: several runs side by side."""

import streamlit as st

from explorer.views import compared, comparison, page, server, state

page.head(
    "Compare",
    "What several runs reached, what they cost, and what sets them apart.",
    """
**Curves** lie over each other in one picture. **Cost and quality** shows what each run takes and what it reaches:
accuracy is better higher up, a loss lower down, and cheaper is further left. The **table** lists only what differs.

A **sweep** is many runs made together that differ in chosen settings: start one on the page Train. Its result is drawn
over its settings; if one number was varied, as a scaling curve.

The best run is named by its **validation** examples. The best of many is also the luckiest: a small lead may vanish
with another seed, and its value on the test examples is the fairer one.
""",
)
if server.store().list(1):
    if runs := compared.choose():
        comparison.comparison(runs)
    else:
        st.caption("Choose runs above, and they appear here side by side.")
else:
    page.empty(
        "Nothing to compare yet",
        "Train a model, then the same with other settings. Or start a sweep on the page Train: many runs at once.",
        page.TRAIN,
        "Go to Train",
    )
state.mirror_compared()
