"""Gradient flow: how strongly each layer is moved."""

from __future__ import annotations

import math

import torch
from torch import nn

from explorer.training.events import LayerFlow


class Flow:
    """Measures one step: `before` when the gradients are there, `after` when the weights have moved.

    Norms of all weights are taken by two fused calls each (``torch._foreach_norm``), then put together by layer.
    """

    def __init__(self, model: nn.Module) -> None:
        named = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
        self.weights = [weight for _, weight in named]
        # conv1.weight and conv1.bias are of conv1; what lies deeper in a block is of the block.
        self.layers = [_layer_of(name) for name, _ in named]

    @torch.no_grad()
    def before(self) -> None:
        """Take down the gradients and a copy of the weights."""
        gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in self.weights]
        self.gradients = torch._foreach_norm(gradients)
        self.old = torch._foreach_add(self.weights, 0)

    @torch.no_grad()
    def after(self) -> dict[str, LayerFlow]:
        """What the step did, by layer."""
        moved = torch._foreach_norm(torch._foreach_sub(self.weights, self.old))
        norms = torch._foreach_norm(self.old)
        table = torch.stack([torch.stack(self.gradients), torch.stack(norms), torch.stack(moved)]).double()
        squares = table.square().tolist()  # one wait for the device
        sums: dict[str, list[float]] = {}
        for layer, *column in zip(self.layers, *squares, strict=True):
            known = sums.setdefault(layer, [0.0, 0.0, 0.0])
            for place, value in enumerate(column):
                known[place] += value
        return {
            layer: LayerFlow(gradient**0.5, weight**0.5, (move / weight) ** 0.5 if weight else 0.0)
            for layer, (gradient, weight, move) in sums.items()
        }


def largest_gradient(model: nn.Module) -> str:
    """The layer with the largest gradient, or the first with one that is not finite; empty if there is none, or if none
    is finite: then it does not say where that began.
    """
    norms: dict[str, float] = {}
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            layer = _layer_of(name)
            norm = float(weight.grad.detach().cpu().double().norm())  # squares of large ones are beyond float32
            norms[layer] = math.hypot(norms.get(layer, 0.0), norm)
    broken = [layer for layer, norm in norms.items() if not math.isfinite(norm)]
    if broken:
        return broken[0] if len(broken) < len(norms) else ""
    return max(norms, key=norms.__getitem__, default="")


def _layer_of(name: str) -> str:
    parts = name.split(".")
    depth = 2 if parts[0] in ("encoder", "decoder") else 1  # the halves of a translator
    return ".".join(parts[: min(depth, len(parts) - 1)]) or name
