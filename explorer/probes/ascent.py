"""Activation maximisation: the input that excites a channel or a class most, found by climbing its gradient."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable
from explorer.probes.capture import capture

NOISE = 0.05
"""Spread of the start around the middle of the data, as a share of their range."""


@dataclass(frozen=True)
class Goal:
    """What is made as large as it can be.

    Attributes:
        layer: A submodule that puts out (N, C, H, W), (N, C, L) or (N, C); or empty for what the model answers.
        channel: One of its channels or units, or the logit of a class.
        everywhere: Whether it is the mean of the whole map rather than the value in its middle.
        sequence: Whether the layer puts out a sequence instead, (N, L, C).
    """

    layer: str
    channel: int
    everywhere: bool = False
    sequence: bool = False


@dataclass(frozen=True)
class Rules:
    """How it is climbed. Lengths are shares of the data's range.

    Attributes:
        steps: How many steps are taken.
        seed: Of the start and of the jitter.
        rate: Length of the first step of a pixel, by root mean square; it falls to zero along a straight line.
        decay: Pull of every value towards zero (L2 decay): one of size 1 is pulled as hard as a mean gradient pushes if
            this is 1.
        smoothness: The same for differences between neighbours (total variation).
        jitter: Most places the input is shifted by, at random, before each step.
    """

    steps: int = 128
    seed: int = 0
    rate: float = 0.1
    decay: float = 0.1
    smoothness: float = 0.1
    jitter: int = 1


@dataclass(frozen=True)
class Climb:
    """How far a climb has come.

    Attributes:
        goal, rules: What is climbed, and how.
        x: The input as it is now, of the shape of one example.
        scores: Activation or logit at the start and after each step, without the regularisers.
    """

    goal: Goal
    rules: Rules
    x: np.ndarray
    scores: tuple[float, ...]

    @property
    def taken(self) -> int:
        """Steps that were taken."""
        return max(0, len(self.scores) - 1)

    @property
    def done(self) -> bool:
        """Whether all were."""
        return self.taken >= self.rules.steps


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value that the data have: of each channel of images and series, of each column of a table.

    Attributes:
        low, high: Arrays that broadcast to one example.
    """

    low: np.ndarray
    high: np.ndarray


def bounds(inputs: torch.Tensor) -> Bounds:
    """The bounds of examples (N, C, …) or (N, D)."""
    axes = (0, *range(2, inputs.ndim))
    low, high = (found(inputs, axes, keepdim=True)[0].numpy() for found in (torch.amin, torch.amax))
    return Bounds(low, np.where(high > low, high, low + 1e-6).astype(low.dtype))


def start(goal: Goal, rules: Rules, within: Bounds, shape: tuple[int, ...]) -> Climb:
    """The foot of a climb: noise around the middle of the bounds, the same for the same seed."""
    noise = NOISE * np.random.default_rng(rules.seed).standard_normal(shape)
    middle, span = (within.low + within.high) / 2, within.high - within.low
    x = (middle + span * noise).clip(within.low, within.high).astype(np.float32)
    return Climb(goal, rules, x, ())


def climb(model: nn.Module, before: Climb, within: Bounds, count: int) -> Climb:
    """Go on by some steps of gradient ascent (Erhan et al., 2009; Simonyan et al., 2013).

    Each step adds the gradient of the goal, scaled to a root mean square of 1 where it is not zero, so that the rules
    mean the same for every channel, less the gradients of the regularisers: L2 decay (Simonyan et al., 2013) and total
    variation (Mahendran & Vedaldi, 2015). Before each, the input is shifted a little (Mordvintsev et al., 2015), and
    after it brought back within the bounds. How many steps are taken at once makes no difference.

    Args:
        model: Any module that takes (N, *shape).
        before: How far it has come.
        within: Bounds of every value.
        count: How many steps to take.

    Raises:
        NotApplicable: The goal is not there, or no gradient reaches the input: it is zero everywhere.
    """
    low, high = torch.from_numpy(within.low), torch.from_numpy(within.high)
    x, scores, rules = torch.from_numpy(before.x.copy()), list(before.scores), before.rules
    if not scores:
        scores.append(_score(model, before.goal, x))
    for step in range(before.taken, min(rules.steps, before.taken + count)):
        shift = _shift(rules, step, x)
        slope = _rolled(_slope(model, before.goal, _rolled(x, shift)), [-n for n in shift])
        if not slope.any():
            raise NotApplicable(
                f"At step {step} of the climb the gradient is zero: the channel is silent whatever little is changed. "
                "Choose another seed, or the layer before the activation."
            )
        shares = x / (high - low)
        push = (
            slope / slope[slope != 0].square().mean().sqrt()
            - rules.decay * shares
            - rules.smoothness * _variation(shares)
        )
        rate = rules.rate * (1 - step / rules.steps)
        x = (x + rate * (high - low) * push).clamp(low, high)
        scores.append(_score(model, before.goal, x))
    return replace(before, x=x.numpy(), scores=tuple(scores))


def _shift(rules: Rules, step: int, x: torch.Tensor) -> list[int]:
    """How far to shift along each axis; none for rows of a table, whose columns have no neighbours."""
    if x.ndim < 2 or not rules.jitter:
        return [0] * (x.ndim - 1)
    return np.random.default_rng([rules.seed, step]).integers(-rules.jitter, rules.jitter + 1, x.ndim - 1).tolist()


def _rolled(x: torch.Tensor, shift: list[int]) -> torch.Tensor:
    return x.roll(shift, list(range(1, x.ndim))) if any(shift) else x


def _variation(x: torch.Tensor) -> torch.Tensor:
    """Gradient of the total variation, Σ √(dx² + dy²), by which neighbours are drawn together."""
    if x.ndim < 2:
        return torch.zeros_like(x)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        squares = torch.full_like(x, 1e-6)
        for axis in range(1, x.ndim):
            last = torch.narrow(x, axis, x.shape[axis] - 1, 1)
            squares = squares + torch.diff(x, dim=axis, append=last).square()
        return torch.autograd.grad(squares.sqrt().sum(), x)[0]


def _score(model: nn.Module, goal: Goal, x: torch.Tensor) -> float:
    with torch.no_grad():
        return float(_value(model, goal, x))


def _slope(model: nn.Module, goal: Goal, x: torch.Tensor) -> torch.Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad(_value(model, goal, x), x)[0]


def _value(model: nn.Module, goal: Goal, x: torch.Tensor) -> torch.Tensor:
    """The goal, one number, as part of the graph."""
    with capture(model, [goal.layer] if goal.layer else [], attached=True) as seen:
        answer = model(x[None])
    maps = (seen[goal.layer] if goal.layer else answer)[0]  # (C, H, W), (C, L) or (C,)
    maps = maps.T if goal.sequence else maps  # (C, L)
    if not 0 <= goal.channel < len(maps):
        raise NotApplicable(f"{goal.layer or 'The answer'} has {len(maps)} channels; there is no {goal.channel}.")
    channel = maps[goal.channel]
    if goal.everywhere or channel.ndim == 0:
        return channel.mean()
    return channel[tuple(side // 2 for side in channel.shape)]
