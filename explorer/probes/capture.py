"""The only place that hooks into a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from explorer.errors import UnknownName
from explorer.training import evaluating

Hook = Callable[..., Any]
"""What is called with a module, what it was given and what it puts out."""


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
def capture(
    model: nn.Module, layers: Iterable[str], *, given: bool = False, attached: bool = False
) -> Iterator[dict[str, torch.Tensor]]:
    """Record what layers put out while the model runs, in eval mode.

    Args:
        model: Any module. Of a submodule that puts out several tensors, as `torch.nn.GRU` does, the first is kept.
        layers: Names of its submodules as in ``model.named_modules()``, such as ``"conv1"`` or ``"residual1.conv2"``.
        given: Record what they are given instead.
        attached: Keep the tensors themselves, as parts of the graph, so that gradients can be taken of them.

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
    modules = _found(model, layers)
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Hook:
        def hook(_module: nn.Module, received: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
            found = received if given else output
            found = found[0] if isinstance(found, tuple) else found
            seen[name] = found if attached else found.detach().clone()  # a copy: a later layer may work in place

        return hook

    with quiet(model), _hooked({module: keep(name) for name, module in modules.items()}):
        yield seen


@contextmanager
def unrolled(model: nn.Module, layers: Iterable[str]) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Record the hidden states of recurrent layers as parts of the graph, so that gradients can be taken of them.

    Inside the block these layers take their steps one by one, with the same weights: a fused kernel hides how a state
    depends on the ones before it.

    Args:
        model: Any module.
        layers: Names of submodules that read one way and hold their weights in ``cell``, an `nn.RNN`, `nn.LSTM` or
            `nn.GRU` of one layer, such as ``"lstm1.ahead1"``.

    Yields:
        A dict that fills as the model runs: layer name to its states, (1, N, H) each, in the order they were read.

    Raises:
        UnknownName: The model has no such layer; nothing was hooked.
    """
    modules = _found(model, layers)
    seen: dict[str, list[torch.Tensor]] = {}

    def unroll(name: str) -> Hook:
        def hook(module: nn.Module, given: tuple[torch.Tensor, ...], _output: torch.Tensor) -> torch.Tensor:
            memory, seen[name] = None, []
            for step in given[0].split(1, dim=1):  # (N, 1, D)
                _, memory = module.cell(step, memory)
                seen[name].append(memory[0] if isinstance(memory, tuple) else memory)  # an LSTM has a cell state, too
            return torch.cat(seen[name]).transpose(0, 1)  # (N, L, H)

        return hook

    cudnn = torch.backends.cudnn.flags(enabled=False)  # it has no backward pass in eval mode
    with quiet(model), torch.enable_grad(), cudnn, _hooked({m: unroll(name) for name, m in modules.items()}):
        yield seen


def _found(model: nn.Module, layers: Iterable[str]) -> dict[str, nn.Module]:
    modules = {name: module for name, module in model.named_modules() if name}
    names = list(layers)
    for name in names:
        if name not in modules:
            raise UnknownName("layer in this model", name, modules)
    return {name: modules[name] for name in names}


@contextmanager
def _hooked(hooks: dict[nn.Module, Hook]) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
