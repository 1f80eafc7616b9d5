"""What happens while a model is trained."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepDone:
    """One optimiser step.

    Attributes:
        step: Steps done so far, from 1.
        epoch: Epoch it belongs to, from 1.
        loss: Mean loss of the batch before the step: cross-entropy in nats, or squared error of standardised values.
        metrics: Metrics of the batch before the step, such as ``{"accuracy": 0.9}``.
        samples: Examples in the batch.
        seconds: Time spent training, this step included.
        rate: The learning rate of the step.
    """

    step: int
    epoch: int
    loss: float
    metrics: dict[str, float]
    samples: int
    seconds: float
    rate: float = 0.0


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training examples.

    Attributes:
        train: ``loss`` and the task's metrics over the epoch's batches, as they were while it went on.
        validation: The same of the validation split, at the end of the epoch.
        best: Whether no earlier epoch had a smaller validation loss.
    """

    step: int
    epoch: int
    train: dict[str, float]
    validation: dict[str, float]
    seconds: float
    best: bool = False


@dataclass(frozen=True)
class LayerFlow:
    """How strongly training moves one layer at one step.

    Attributes:
        gradient: Norm of the gradient of the layer's weights.
        weight: Norm of the weights before the step.
        update: Norm of what the step changed, as a share of `weight`; around 0.001 is usual (Karpathy, CS231n).
    """

    gradient: float
    weight: float
    update: float


@dataclass(frozen=True)
class FlowSeen:
    """Gradient flow at one step, by layer, from input to output."""

    step: int
    epoch: int
    seconds: float
    layers: dict[str, LayerFlow]


@dataclass(frozen=True)
class Changed:
    """Settings that were changed before the next step."""

    step: int
    epoch: int
    seconds: float
    values: dict[str, float]


@dataclass(frozen=True)
class EarlyStop:
    """Training ended before its last epoch, since the validation loss no longer became smaller."""

    step: int
    epoch: int
    seconds: float
    best_epoch: int


Event = StepDone | EpochDone | FlowSeen | Changed | EarlyStop
