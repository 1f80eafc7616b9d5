"""The only place that hooks into a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from explorer.errors import UnknownName
from explorer.training import evaluating


@contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode and leave it, also after an error, as it was: the mode of every module, and gradients.

    Gradients that a pass inside left on the weights are dropped; the ones there before are put back.
    """
    gradients = {weight: weight.grad for weight in model.parameters()}
    for weight in gradients:
        weight.grad = None
    try:
        with evaluating(model):
            yield
    finally:
        for weight, gradient in gradients.items():
            weight.grad = gradient


@contextmanager
def capture(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, torch.Tensor]]:
    """Record what layers put out while the model runs, in eval mode.

    Args:
        model: Any module. Of a submodule that puts out several tensors, as `torch.nn.GRU` does, the first is kept.
        layers: Names of its submodules as in ``model.named_modules()``, such as ``"conv1"`` or ``"residual1.conv2"``.

    Yields:
        A dict that fills as the model runs: layer name to a detached copy of its last output, (N, …) on the model's
        device. Outside the block hooks, modes and gradients are as they were before, also after an error.

    Raises:
        UnknownName: The model has no such layer; nothing was hooked.

    Example:
        >>> with capture(model, ["conv1"]) as seen:
        ...     model(x)
        >>> seen["conv1"].shape
    """
    names = list(layers)
    modules = {name: module for name, module in model.named_modules() if name}
    for name in names:
        if name not in modules:
            raise UnknownName("layer in this model", name, modules)
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> object:
        def hook(_module: nn.Module, _given: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
            output = output[0] if isinstance(output, tuple) else output
            seen[name] = output.detach().clone()  # a copy: a later layer may work in place

        return hook

    with quiet(model):
        handles = [modules[name].register_forward_hook(keep(name)) for name in names]
        try:
            yield seen
        finally:
            for handle in handles:
                handle.remove()
