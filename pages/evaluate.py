"""Evaluate: how good a model is, where it fails, and how much that depends on the data."""

import streamlit as st

from explorer.views import evaluation, example, folds, page, state, view

page.head(
    "Evaluate",
    "How good the model is on examples, where it is wrong, and whether it knows.",
    """
**Judge by the test split**: the model was never trained on it. Choose the split in the sidebar, and move the
step there to 0 to see the same before training.

- **Mistakes**: rows are what is true, columns what was answered. Click a cell to see the examples, and one of them to
  look inside the model there.
- **Calibration**: whether it is right as often as it is sure.
- **Groups** (tables): whether it treats groups alike. Small groups are marked, since chance alone moves their numbers.

Few examples give rough numbers: the 95 % interval says how rough. For the spread over different training examples,
cross-validate on the page *Train*.
""",
)
run = view.current_run()
seen = view.resolve(run)
if run:
    folds.folds(run, waiting=seen is None)
if seen:
    example.not_here(seen)
    evaluation.evaluation(seen)
elif run and not run.status.over:
    st.info("This run has no weights yet: they are kept as soon as it trains.", icon=":material/hourglass_top:")
else:
    example.nothing_yet("evaluate")
state.mirror_lens()
