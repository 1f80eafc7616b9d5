"""What each purpose of a run means for its training."""

from __future__ import annotations

from explorer.data import dataset_of
from explorer.specs import RunSpec
from explorer.training.finder import RangeTest
from explorer.training.loop import Training, steps_per_epoch
from explorer.training.one_batch import OneBatch
from explorer.training.trial import Trial

TRIALS: dict[str, type[Trial]] = {"range test": RangeTest, "one batch": OneBatch}
"""Purposes of which nothing is kept to be used: they answer a question."""


def training_of(spec: RunSpec) -> type[Training]:
    """What trains a run."""
    return TRIALS.get(spec.purpose, Training)


def suited(spec: RunSpec) -> RunSpec:
    """The same run with the settings its purpose asks for; an ordinary one is left as it is."""
    trial = TRIALS.get(spec.purpose)
    return trial.suited(spec, len(dataset_of(spec).train)) if trial else spec


def planned_steps(spec: RunSpec) -> int:
    """Most optimiser steps a run takes."""
    if trial := TRIALS.get(spec.purpose):
        return trial.most
    return steps_per_epoch(len(dataset_of(spec).train), spec.train.batch_size) * spec.train.epochs
