"""Whether a model learned one batch by heart, and what to check if it did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.figures.one_batch import batch_curve
from explorer.runs.run import Run, Status
from explorer.views import page, results

if TYPE_CHECKING:
    from explorer.training.one_batch import Verdict


def panel(run: Run, metrics: pd.DataFrame) -> None:
    """The loss and the metric of the batch over the steps, and the verdict."""
    from explorer.data import dataset_of
    from explorer.training import task_of
    from explorer.training.one_batch import judge

    task = task_of(dataset_of(run.spec))
    batch = metrics[metrics["split"] == "batch"]
    series = {name: rows["value"].to_numpy(float) for name, rows in batch.groupby("name", sort=False)}
    last = {name: float(values[-1]) for name, values in series.items()}
    gradients = results.flow(run.id).groupby("layer", sort=False)["gradient"].last().to_dict()
    found = judge(task, series.get("loss", ()), last, gradients)
    learned = found is not None and found.learned
    shown = ("loss", next(name for name in task.known if name != "loss"))
    for column, name in zip(st.columns(2), shown, strict=True):
        with column:
            values = np.asarray(series.get(name, ()), float)
            figure = batch_curve(values, name, task.known.get(name), run.total_steps, learned, page.dark())
            page.show(figure, key=f"batch-{name}-{run.id}")
    if found is None or not run.status.over:
        st.caption(
            f"The same {_examples(run)} again and again, with nothing that keeps it from learning them by heart."
        )
    elif learned:
        st.success(
            f"**Learned at step {found.step}:** it knows the {_examples(run)} of one batch by heart, with a loss of "
            f"{found.last:.2g}. Model, loss and data fit together, and training can begin. This says nothing of unseen "
            "examples.",
            icon=":material/check_circle:",
        )
    elif run.status in (Status.FINISHED, Status.DIVERGED):
        st.warning(_checks(run, found), icon=":material/rule:")
    else:
        st.info(f"Ended at step {found.step}, before it was clear.", icon=":material/stop_circle:")


def _examples(run: Run) -> str:
    count = run.spec.train.batch_size
    return f"{count:,} examples" if count > 1 else "single example"


def _checks(run: Run, found: Verdict) -> str:
    rate = run.spec.train.learning_rate
    if run.status is Status.DIVERGED:
        learning_rate = f"It is too large, {rate:g}: *Find a learning rate* shows which ones work."
    elif found.falling:
        learning_rate = f"The loss was still falling, so it may only be too small, {rate:g}."
    else:
        learning_rate = f"{rate:g} may be far too small or too large: *Find a learning rate* shows which ones work."
    layer = page.plain(found.weakest)
    if not layer:
        gradient = "No gradient was measured: it ended too soon."
    elif found.dead:
        gradient = (
            f"{layer} gets next to no gradient ({found.gradient:.1e}): it cannot learn. Look at the activation behind "
            "it, and at the weights it began with."
        )
    else:
        gradient = f"{layer} gets the smallest gradient ({found.gradient:.1e}); nothing points to a dead layer."
    return (
        f"**Not learned in {found.step} steps:** the loss went from {found.first:.3g} to {found.last:.3g}. Before you "
        "train, check:\n"
        f"- **Learning rate.** {learning_rate}\n"
        f"- **Model.** {run.parameters:,} parameters may be too few, or a layer may throw away what tells the examples "
        "apart.\n"
        f"- **Layers.** {gradient}\n"
        "- **Targets.** Examples that look the same must not have different answers.\n\n"
        "A few models need more than these steps for a batch, without anything being broken."
    )
