"""What a step does around its arithmetic, in few calls: in small networks it would take a fifth of the time."""

from __future__ import annotations

import torch
from torch import nn


class Quick:
    """The upkeep of one model and its optimiser, step by step.

    Args:
        model: Is trained; its modules, parameters and buffers stay the same objects.
        optimizer: Trains it. Nobody has hung hooks into it.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self._model, self._optimizer = model, optimizer
        self._modules, self._weights = list(model.modules()), list(model.parameters())
        self._buffers = list(model.buffers())
        self._kept = [buffer.clone() for buffer in self._buffers]
        # Without what torch wraps around it for profilers and hooks, which takes as long as a small network's step.
        self._step = getattr(type(optimizer).step, "__wrapped__", type(optimizer).step)
        self._fused: _FusedAdam | None = None

    def train(self) -> None:
        """Train mode."""
        if not all(module.training for module in self._modules):
            self._model.train()

    def begin(self) -> None:
        """Train mode, no gradients, and a copy of the running averages to go back to."""
        self.train()
        for weight in self._weights:
            weight.grad = None
        if self._buffers:
            torch._foreach_copy_(self._kept, self._buffers)

    def restore(self) -> None:
        """Put the running averages back to what they were when the step began."""
        for buffer, kept in zip(self._buffers, self._kept, strict=True):
            buffer.copy_(kept)

    def step(self) -> None:
        """Move the weights."""
        if self._fused is None and self._optimizer.state:  # there from the second step on
            self._fused = _FusedAdam(self._optimizer)
        if self._fused is None or not self._fused.step():
            self._step(self._optimizer)


class _FusedAdam:
    """The step of a fused Adam or AdamW as `torch.optim` takes it, without looking at every weight's state anew.

    Args:
        optimizer: Has taken a step. Of another kind, or where weights have taken different numbers of steps, `step`
            leaves the work to it.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._group, self._state = optimizer.param_groups[0], optimizer.state
        self._weights = self._group["params"]
        adam = isinstance(optimizer, torch.optim.Adam) and self._group["fused"] and len(optimizer.param_groups) == 1
        self._usable = (
            adam and len({float(self._state.get(weight, {}).get("step", 0)) for weight in self._weights}) == 1
        )
        if not self._usable:
            return
        self._kernel = torch._fused_adamw_ if self._group["decoupled_weight_decay"] else torch._fused_adam_
        self._count = self._state[self._weights[0]]["step"]  # one for all: they have always been the same
        for weight in self._weights:
            self._state[weight]["step"] = self._count
        self._first, self._second = (
            [self._state[weight][name] for weight in self._weights] for name in ("exp_avg", "exp_avg_sq")
        )

    @torch.no_grad()
    def step(self) -> bool:
        """Take a step, and return whether it could."""
        if not self._usable:
            return False
        gradients = [weight.grad for weight in self._weights]
        if any(gradient is None for gradient in gradients):
            self._usable = False
            for weight in self._weights:
                self._state[weight]["step"] = self._count.clone()
            return False
        self._count.add_(1)
        group = self._group
        beta1, beta2 = group["betas"]
        self._kernel(
            self._weights,
            gradients,
            self._first,
            self._second,
            [],
            [self._count] * len(gradients),
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        return True
