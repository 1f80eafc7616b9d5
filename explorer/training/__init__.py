"""Training: an iterator of events."""

from explorer.training.device import describe_device, resolve_device
from explorer.training.events import Changed, EarlyStop, EpochDone, Event, FlowSeen, LayerFlow, StepDone
from explorer.training.finder import RangeTest, Suggestion, suggest
from explorer.training.loop import Training, steps_per_epoch, train
from explorer.training.measure import evaluate, evaluating
from explorer.training.one_batch import OneBatch
from explorer.training.tasks import Task, task_of

__all__ = [
    "Changed",
    "EarlyStop",
    "EpochDone",
    "Event",
    "FlowSeen",
    "LayerFlow",
    "OneBatch",
    "RangeTest",
    "StepDone",
    "Suggestion",
    "Task",
    "Training",
    "describe_device",
    "evaluate",
    "evaluating",
    "resolve_device",
    "steps_per_epoch",
    "suggest",
    "task_of",
    "train",
]
