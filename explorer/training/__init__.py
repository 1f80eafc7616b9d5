"""Training: a generator of events."""

from explorer.training.device import describe_device, resolve_device
from explorer.training.loop import EpochDone, StepDone, evaluate, evaluating, steps_per_epoch, train
from explorer.training.tasks import Task, task_of

__all__ = [
    "EpochDone",
    "StepDone",
    "Task",
    "describe_device",
    "evaluate",
    "evaluating",
    "resolve_device",
    "steps_per_epoch",
    "task_of",
    "train",
]
