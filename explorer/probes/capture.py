"""The only place that hooks into a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.attention import MultiHeadAttention

Hook = Callable[..., Any]
"""What is called with a module, what it was given and what it puts out."""


@contextmanager
def quiet(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode and leave it, also after an error, as it was: the mode of every module, and gradients.

    Gradients that a pass inside left on the weights are dropped; the ones there before are put back.
    """
    modules = list(model.modules())  # looked through once: in a small network that is a good part of one answer
    learning = [module for module in modules if module.training]
    weights = {weight for module in modules for weight in module._parameters.values() if weight is not None}
    gradients = {weight: weight.grad for weight in weights if weight.grad is not None}
    for weight in gradients:
        weight.grad = None
    for module in learning:
        module.training = False
    try:
        yield
    finally:
        for module in modules:
            if module.training:
                module.training = False
        for module in learning:
            module.training = True
        for weight in weights:
            if weight.grad is not None or weight in gradients:
                weight.grad = gradients.get(weight)


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
        layers: Names of submodules that read one way and hold their weights in ``cell``: an `nn.RNN`, `nn.LSTM` or
            `nn.GRU` of one layer, as ``"lstm1.ahead1"`` does, or an `nn.GRUCell`, which they call step by step
            themselves.

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

    def begin(name: str) -> Hook:
        def hook(_module: nn.Module, _given: object) -> None:
            seen[name] = []

        return hook

    def keep(name: str) -> Hook:
        def hook(_cell: nn.Module, _given: object, output: torch.Tensor) -> torch.Tensor:
            seen[name].append(output[None])
            return seen[name][-1][0]  # what comes later is made from what was kept

        return hook

    cudnn = torch.backends.cudnn.flags(enabled=False)  # it has no backward pass in eval mode
    stepping = {name: module for name, module in modules.items() if isinstance(module.cell, nn.RNNCellBase)}
    hooks = {module: unroll(name) for name, module in modules.items() if name not in stepping}
    hooks |= {module.cell: keep(name) for name, module in stepping.items()}
    with quiet(model), torch.enable_grad(), cudnn, _hooked(hooks, {m: begin(name) for name, m in stepping.items()}):
        yield seen


def uses(model: nn.Module, kinds: tuple[type[nn.Module], ...], x: torch.Tensor) -> dict[str, int]:
    """How often each submodule of some kinds is used when the model, in eval mode, works on `x`."""
    names = {module: name for name, module in model.named_modules() if isinstance(module, kinds)}
    times = dict.fromkeys(names.values(), 0)

    def count(module: nn.Module, _given: object, _output: object) -> None:
        times[names[module]] += 1

    with torch.no_grad(), quiet(model), _hooked(dict.fromkeys(names, count)):
        model(x)
    return times


@contextmanager
def apart(model: nn.Module, kinds: tuple[type[nn.Module], ...]) -> Iterator[None]:
    """Give submodules of some kinds a copy of what they read: a hook on the gradient there and one on the gradient of
    what the module before puts out would else be on one tensor, and the first not see what the second does.
    """

    def copy(_module: nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return tuple(one.clone() for one in given)

    with _hooked({}, {module: copy for module in model.modules() if isinstance(module, kinds)}):
        yield


@contextmanager
def ablated(
    model: nn.Module, layer: str, units: Sequence[int], to: float | torch.Tensor = 0.0, axis: int = 1
) -> Iterator[None]:
    """Switch units of a layer off while the model runs, in eval mode: what they put out is replaced.

    Args:
        model: Any module.
        layer: Name of a submodule. Of a `MultiHeadAttention` it is heads that are switched off, before its output
            projection mixes them (Michel et al., 2019); of any other, slices of what it puts out.
        units: Numbers of the heads, channels or units.
        to: What takes the place of their values: one number, or of each unit one, (len(units),), such as its mean over
            the data; of heads (len(units), D / heads).
        axis: Along which axis of the output the units lie: 1 for channels (N, C, …) and plain units (N, D), -1 for the
            columns of a sequence (N, L, D). Heads have their own.

    Yields:
        Nothing. Outside the block hooks, modes and gradients are as they were before, also after an error.

    Raises:
        UnknownName: The model has no such layer; nothing was hooked.
        NotApplicable: The layer has no such unit; raised when the model runs.

    Example:
        >>> with ablated(model, "conv1", [3]):
        ...     model(x)
    """
    module = _found(model, [layer])[layer]

    def off(_module: nn.Module, _given: object, output: torch.Tensor) -> torch.Tensor:
        if not isinstance(output, torch.Tensor):
            raise NotApplicable(f"{layer} puts out several tensors. Choose a layer that puts out one.")
        return _replaced(output, axis, units, to, layer)

    def heads_off(_module: nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        apart = given[0].unflatten(2, (module.heads, -1))  # (N, L, heads, D / heads)
        return (_replaced(apart, 2, units, to, layer).flatten(2),)

    heads = isinstance(module, MultiHeadAttention)
    handle = module.out.register_forward_pre_hook(heads_off) if heads else module.register_forward_hook(off)
    try:
        with quiet(model):
            yield
    finally:
        handle.remove()


def _replaced(
    values: torch.Tensor, axis: int, units: Sequence[int], to: float | torch.Tensor, layer: str
) -> torch.Tensor:
    """A copy of values in which some slices along an axis are replaced."""
    axis %= values.ndim
    count = values.shape[axis]
    if wrong := [unit for unit in units if not 0 <= unit < count]:
        raise NotApplicable(f"{layer} has no unit {wrong[0]}: its {count} units are numbered 0 to {count - 1}.")
    if isinstance(to, torch.Tensor):
        to = to.to(values).reshape(*to.shape, *[1] * (values.ndim - axis - to.ndim))
    values = values.clone()
    values[(slice(None),) * axis + (list(units),)] = to
    return values


def _found(model: nn.Module, layers: Iterable[str]) -> dict[str, nn.Module]:
    modules = {name: module for name, module in model.named_modules() if name}
    names = list(layers)
    for name in names:
        if name not in modules:
            raise UnknownName("layer in this model", name, modules)
    return {name: modules[name] for name in names}


@contextmanager
def _hooked(hooks: dict[nn.Module, Hook], before: dict[nn.Module, Hook] | None = None) -> Iterator[None]:
    """Hook into modules after they ran, and before they run."""
    handles = [module.register_forward_hook(hook) for module, hook in hooks.items()]
    handles += [module.register_forward_pre_hook(hook) for module, hook in (before or {}).items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
