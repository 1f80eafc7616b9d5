"""What settings would do, drawn before the run starts: changed images, and the learning rate over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.figures.curves import rate_curve
from explorer.figures.images import gallery
from explorer.figures.lines import Line
from explorer.specs import TrainSpec
from explorer.views import page

if TYPE_CHECKING:
    from explorer.data import Dataset

IMAGES, COLUMNS = 8, 4
"""Training images that are shown changed, and how many of them in a row."""


def changed_images(dataset: Dataset, spec: TrainSpec) -> None:
    """Some training images as training would see them; nothing if they stay as they are."""
    from explorer.models.seeded import seeded
    from explorer.training.augment import augment, augments

    if dataset.modality != "image" or not augments(spec):
        return
    train = dataset.train
    with seeded(spec.seed):
        images = augment(train.inputs[:IMAGES], spec).clamp(0, 1).numpy()
    labels = [dataset.answer(target) for target in train.targets[:IMAGES]]
    title = f"{len(images)} changed training images"
    alt = f"Training images as they are trained on: {', '.join(labels)}."
    page.show(gallery(images, labels, title, alt, columns=COLUMNS, dark=page.dark()), key="preview-images")
    st.caption("Each is changed anew whenever it is trained on.")


def schedule(dataset: Dataset, spec: TrainSpec) -> None:
    """The learning rate over the planned steps; nothing if it stays as it is."""
    from explorer.training.loop import steps_per_epoch
    from explorer.training.schedules import PLATEAU_CUT, PLATEAU_WAIT, planned

    if spec.schedule == "plateau":
        st.caption(
            f"Where it is cut depends on the losses and cannot be drawn before: to {PLATEAU_CUT:g} of itself after "
            f"every {PLATEAU_WAIT} epochs without a smaller validation loss."
        )
    if spec.warmup or spec.schedule not in ("constant", "plateau"):
        total = steps_per_epoch(len(dataset.train), spec.batch_size) * spec.epochs
        steps, rates = planned(spec, total)
        nothing = np.zeros(len(steps))
        lines = {("batch", "learning_rate"): Line(steps, nothing, nothing, rates)}
        page.show(rate_curve(lines, total, page.dark(), height=160), key="preview-rate")
