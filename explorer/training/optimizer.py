"""Optimisers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import torch
from torch import nn

from explorer.specs import OPTIMIZERS, TrainSpec


def make_optimizer(model: nn.Module, spec: TrainSpec) -> torch.optim.Optimizer:
    """The optimiser a spec names, in its fused form where torch has one."""
    cls = getattr(torch.optim, OPTIMIZERS[spec.optimizer])
    options = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay}
    if spec.optimizer == "sgd":
        options |= {"momentum": spec.momentum, "nesterov": spec.nesterov and spec.momentum > 0}
    if "fused" in inspect.signature(cls).parameters:
        options["fused"] = True
    return cls(model.parameters(), **options)


def laid_out(optimizer: torch.optim.Optimizer) -> None:
    """Lay what an optimiser remembers of each weight out in memory as the weight is: fused steps rely on it."""
    for weight, state in optimizer.state.items():
        for name, value in state.items():
            if torch.is_tensor(value) and value.shape == weight.shape:
                state[name] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def finite(tensors: Iterable[torch.Tensor | None]) -> bool:
    """Whether all numbers in all tensors are finite; None stands for a gradient that is not there."""
    moving = [values.detach() for values in tensors if values is not None]
    moving = [values for values in moving if values.is_floating_point() and values.numel()]
    if not moving:
        return True
    largest = torch._foreach_norm(moving, float("inf"))  # NaN stays NaN, and no square overflows
    return bool(torch.stack([value.isfinite() for value in largest]).all())
