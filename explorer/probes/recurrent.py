"""What recurrent layers remember: their hidden states and gates, at every place they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.decoder import AttentionGRU
from explorer.models.layers.recurrent import Recurrent
from explorer.probes.activations import one
from explorer.probes.capture import capture

HIDDEN, CELL = "hidden_state", "cell_state"
"""What a layer passes on, and what an LSTM keeps to itself."""
GATES = ("input_gate", "forget_gate", "output_gate", "reset_gate", "update_gate")
"""What lies between 0, closed, and 1, open."""
_INNER = (CELL, *GATES, "candidate")
AT_ONCE = 64
"""Examples that are run together."""


@dataclass(frozen=True)
class HiddenStates:
    """What one recurrent layer remembers of one example, place by place.

    Attributes:
        layer: Name of the module, such as ``lstm1.ahead1``, or ``lstm1.back1`` for the way back.
        values: (L, H): the state after each place was read; row 0 is the first place, also on the way back, where it
            was read last.
    """

    layer: str
    values: np.ndarray


@dataclass(frozen=True)
class Memory:
    """Everything inside one recurrent layer for one example, place by place.

    Attributes:
        layer: As in `HiddenStates`.
        parts: By name, as from `parts_of`: (L, H), as in `HiddenStates`; a text ends where its padding begins.
    """

    layer: str
    parts: dict[str, np.ndarray]


def recurrent_layers(model: nn.Module) -> list[str]:
    """Names of the modules of a model that read one place after the other, in the model's order."""
    found = []
    for name, module in model.named_modules():
        if isinstance(module, Recurrent):
            found += [f"{name}.{child}" for child, _ in module.named_children()]
        elif isinstance(module, AttentionGRU):
            found.append(name)
    return found


def parts_of(model: nn.Module, layer: str) -> tuple[str, ...]:
    """What can be seen in a recurrent layer: its hidden state, and, by the name of their modules, the cell state of an
    LSTM, gates and candidate.

    Raises:
        UnknownName, NotApplicable: As for `hidden_states`.
    """
    children = dict(_checked(model, layer).named_children())
    return (HIDDEN, *(part for part in _INNER if part in children))


def hidden_states(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> HiddenStates:
    """Hidden states of one recurrent layer.

    Args:
        model: A model with recurrent layers.
        x: One example, (1, …); of texts, (1, L) tokens, of which 0 is padding.
        layer: One of `recurrent_layers`.
        *more: What else the model is called with: for a translator what is written so far, (1, T) tokens.

    Raises:
        UnknownName: The model has no such module.
        NotApplicable: The module is not a recurrent one.
    """
    seen, _ = _watched(model, one(x), layer, (HIDDEN,), *more)
    return HiddenStates(layer, seen[HIDDEN][0])


def memory(model: nn.Module, x: torch.Tensor, layer: str, *more: torch.Tensor) -> Memory:
    """Hidden state, cell state, gates and candidate of one recurrent layer.

    Args:
        model, x, layer, *more: As for `hidden_states`.

    Raises:
        UnknownName, NotApplicable: As for `hidden_states`.
    """
    seen, lengths = _watched(model, one(x), layer, parts_of(model, layer), *more)
    return Memory(layer, {part: values[0, : lengths[0]] for part, values in seen.items()})


def over_examples(
    model: nn.Module, inputs: torch.Tensor, layer: str, part: str = HIDDEN, *more: torch.Tensor
) -> list[np.ndarray]:
    """One part of a recurrent layer for several examples, each (L, H) as in `Memory`.

    Args:
        model, layer: As for `hidden_states`.
        inputs: Examples, (N, …).
        part: One of `parts_of`.
        *more: What else the model is called with, N each.

    Raises:
        UnknownName, NotApplicable: As for `hidden_states`; or the layer has no such part.
    """
    if part not in (known := parts_of(model, layer)):
        raise UnknownName(f"part of {layer}", part, known)
    found: list[np.ndarray] = []
    for start in range(0, len(inputs), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        seen, lengths = _watched(model, inputs[rows], layer, (part,), *(some[rows] for some in more))
        found += [values[:length] for values, length in zip(seen[part], lengths, strict=True)]
    return found


def _watched(
    model: nn.Module, inputs: torch.Tensor, layer: str, parts: Sequence[str], *more: torch.Tensor
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Parts of a layer, (N, L, H) each, in the order of the places; and how many places of each are not padding."""
    units = _checked(model, layer).cell.hidden_size
    names = {part: layer if part == HIDDEN else f"{layer}.{part}" for part in parts}
    with torch.no_grad(), capture(model, names.values()) as seen:
        model(inputs, *more)
    found = {part: seen[name][..., :units] for part, name in names.items()}  # a decoder's context stands beside it
    count = next(iter(found.values())).shape[1]
    lengths = _lengths(more[0] if layer.startswith("decoder.") else inputs, count)
    if layer.rpartition(".")[2].startswith("back"):  # it read the places from the last to the first, then the padding
        places = torch.arange(count)
        turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)  # (N, L)
        rows = torch.arange(len(inputs))[:, None]
        found = {part: values[rows, turned] for part, values in found.items()}
    return {part: values.cpu().numpy() for part, values in found.items()}, lengths.numpy()


def _lengths(read: torch.Tensor, count: int) -> torch.Tensor:
    """(N,) places that are not padding, of `count`; a class token may stand before those that were given."""
    if read.is_floating_point():
        return torch.full((len(read),), count)
    return ((read != 0).sum(1).cpu() + count - read.shape[1]).clamp(min=1)


def _checked(model: nn.Module, layer: str) -> nn.Module:
    modules, known = dict(model.named_modules()), recurrent_layers(model)
    if layer not in modules:
        raise UnknownName("layer in this model", layer, [name for name in modules if name])
    if layer not in known:
        raise NotApplicable(
            f"{layer} is not a recurrent layer. "
            + (f"Choose one of: {', '.join(known)}." if known else "This model has none.")
        )
    return modules[layer]
