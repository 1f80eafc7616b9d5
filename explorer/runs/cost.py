"""What a run costs: its size, its arithmetic, its time, its memory, and an estimate of its energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.runs.run import Run

FLOPS_PER_MAC = 6
"""Floating-point operations of training for each multiply-add of the forward pass: a multiply-add is two, and the
backward pass takes about twice as many as the forward pass (Kaplan et al., 2020, "Scaling Laws for Neural Language
Models", section 2.1: C ≈ 6 N D)."""

WATTS = {"cpu": 42.5, "cuda": 300.0, "mps": 20.0}
"""Assumed power of each kind of device while it trains, in watts.

cpu: half of 85 W, what CodeCarbon takes for a processor it does not know (https://mlco2.github.io/codecarbon,
methodology). cuda and mps: guesses, of a large graphics card and of an Apple chip; no power was measured.
"""


@dataclass(frozen=True)
class Cost:
    """What a run has cost so far.

    Attributes:
        parameters: Trainable weights.
        macs: Multiply-adds for one example, forwards, in convolutions and matrix products; texts count at full length.
        flops: Floating-point operations of training so far, by `FLOPS_PER_MAC`; validating is not counted.
        seconds: Time spent training; pauses do not count.
        rate: Training examples per second over that time; 0 before the first.
        memory: Most bytes that training took.
        watts: Power assumed of its device.
        energy: Estimated watt-hours: `watts` for as long as it trained.
    """

    parameters: int
    macs: int
    flops: int
    seconds: float
    rate: float
    memory: int
    watts: float
    energy: float


def cost_of(run: Run) -> Cost:
    """What a run has cost so far."""
    power = watts(run.device)
    return Cost(
        parameters=run.parameters,
        macs=run.macs,
        flops=flops(run.macs, run.samples),
        seconds=run.trained,
        rate=run.samples / run.trained if run.trained else 0.0,
        memory=run.memory,
        watts=power,
        energy=power * run.trained / 3600,
    )


def flops(macs: int, samples: int) -> int:
    """Floating-point operations of training on so many examples."""
    return FLOPS_PER_MAC * macs * samples


def watts(device: str) -> float:
    """Power assumed of a device, given in words as in ``cuda (NVIDIA H100)``; that of a CPU if it is not known."""
    return WATTS.get(device.split(" ")[0], WATTS["cpu"])


def flops_until(run: Run, steps: np.ndarray) -> np.ndarray:
    """Floating-point operations by each of some steps (N,) of a run.

    Exact at the ends of epochs; where the batch size was changed on the way, the examples are taken as evenly spread.
    """
    return flops(run.macs, run.samples) * np.asarray(steps, float) / max(run.step, 1)
