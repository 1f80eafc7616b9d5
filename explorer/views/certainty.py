"""How sure a classifier is and how right, and what other thresholds would give."""

from __future__ import annotations

import streamlit as st

from explorer.figures.quality import precision_recall, reliability, roc
from explorer.probes import Answers, quality
from explorer.views import page
from explorer.views.view import View


def calibration(view: View, found: Answers) -> None:
    """The reliability diagram, and what it says in a sentence."""
    sure = found.probabilities.max(axis=1)
    table = quality.calibration(sure, ~found.wrong)
    error = quality.calibration_error(table)
    page.show(reliability(table, error, page.dark()), key="reliability")
    leaning = _leaning(float(sure.mean() - (~found.wrong).mean()))
    st.markdown(
        "An answer that is 90 % sure should be right nine times in ten: on average the model is off from that by "
        f"**{100 * error:.1f} percentage points** (expected calibration error), and it {leaning}."
    )
    st.caption("Points below the dashed line: surer than right. A point of a few examples (low bars) may lie anywhere.")


def _leaning(gap: float) -> str:
    if abs(gap) < 0.005:
        return "leans to neither side"
    return "is too sure of itself" if gap > 0 else "is not sure enough of itself"


def trade_offs(view: View, found: Answers) -> None:
    """ROC and precision-recall curve of one of two classes."""
    classes = view.dataset.classes
    chosen = st.segmented_control(
        "Look for class",
        [0, 1],
        default=1,
        required=True,
        format_func=classes.__getitem__,
        key=f"look-for-{view.run.id}",
    )
    curves = quality.trade_offs(found.truth == chosen, found.probabilities[:, chosen], found.predicted == chosen)
    if curves is None:
        st.info(
            "Only one of the two classes occurs in this split, so there is nothing to draw.", icon=":material/info:"
        )
        return
    left, right = st.columns(2, gap="medium")
    with left:
        page.show(roc(curves.roc, curves.used, curves.auc, classes[chosen], page.dark()), key="roc")
        st.caption(
            "It answers the class that is more than 50 % probable; from a lower threshold it would find more of it and "
            f"take more others for it. Shown one example of each class, it finds “{page.plain(classes[chosen])}” more "
            f"probable for the right one in {curves.auc:.1%} of all pairs: the area. Guessing has 50 %."
        )
    with right:
        figure = precision_recall(
            curves.precision_recall, curves.used, curves.average_precision, curves.share, classes[chosen], page.dark()
        )
        page.show(figure, key="precision-recall")
        st.caption(
            "Recall: of those that are of the class, the share it finds. Precision: of those it takes for the class, "
            f"the share that is of it; guessing would have {curves.share:.1%}, the share of the class."
        )
