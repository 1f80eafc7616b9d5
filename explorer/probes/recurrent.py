"""Hidden states of recurrent layers, at every place they read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable
from explorer.models.layers.recurrent import Recurrent
from explorer.probes.activations import feature_maps


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


def recurrent_layers(model: nn.Module) -> list[str]:
    """Names of the modules of a model that read one place after the other, in the model's order."""
    return [
        f"{name}.{child}"
        for name, module in model.named_modules()
        if isinstance(module, Recurrent)
        for child, _ in module.named_children()
    ]


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
    known = recurrent_layers(model)
    if layer not in known and layer in dict(model.named_modules()):
        raise NotApplicable(
            f"{layer} is not a recurrent layer. "
            + (f"Choose one of: {', '.join(known)}." if known else "This model has none.")
        )
    values = feature_maps(model, x, layer, *more).values  # (L, H)
    if layer.rpartition(".")[2].startswith("back"):  # it read the places from the last to the first, then the padding
        padding = 0 if x.is_floating_point() else int((x == 0).sum())
        length = max(1, len(values) - padding)
        values = np.concatenate([values[:length][::-1], values[length:]])
    return HiddenStates(layer, values)
