"""Train: settings, Start, and the run as it goes."""

import streamlit as st

from explorer.models import plan
from explorer.views import before, folds, live_run, page, state, sweep, training, view

page.head(
    "Train",
    "Start a run and watch it learn. It goes on when you leave this page.",
    """
**Loss** is how wrong the answers are; **accuracy** is the share that is right. The thin line is each training
batch, the dotted line is the validation examples, which are never trained on.

- Both losses fall: it is learning.
- Training falls and validation rises: it is learning by heart (overfitting). Fewer epochs or dropout
  help.
- Neither falls: the learning rate may be far too small or too large.

The thin line jumps because each batch is different. Judge by the dotted one.
""",
)
run = view.current_run()
draft = state.draft()
with st.expander("New run", expanded=run is None, icon=":material/tune:", key=f"new-run-{run.id if run else 0}"):
    name = training.draft_line(draft.model, draft.dataset)
    dataset = training.dataset_of(draft)
    made = plan(draft.model, dataset)
    st.markdown(f"**{name}**, {len(state.stacked(draft.model))} layers, {made.parameters:,} parameters")
    st.page_link(page.BUILD, label="Change the model", icon=":material/construction:")
    training.settings_form(dataset)
    if made.problem:
        st.error(page.plain(str(made.problem)), icon=":material/build:")
    with st.container(horizontal=True, key="start-buttons"):
        training.start_button("Start", "start", made.problem is not None)
        before.before_button(made.problem is not None)
        folds.start_button(made.problem is not None)
        if not made.problem:
            sweep.sweep_button(training.draft_run())
if run is None:
    page.empty(
        "No run yet", "Start the model above, or take the example from the first page.", page.HOME, "Go to the start"
    )
else:
    folds.link(run)
    live_run.live_run(run)
state.mirror_lens()
