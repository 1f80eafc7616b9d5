"""How much a model may take, and how many examples that lets it work on at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

MEMORY_BOUND = 2**30
"""Bytes one training model may take: weights, gradients, optimiser state and the activations of one batch."""
BYTES = 4  # float32


class Counted(TorchDispatchMode):
    """Counts what operations cost, with torch's own counts where it has them.

    `FlopCounterMode` counts the same but hooks every module of the process, which other sessions would feel.

    Attributes:
        total: Floating-point operations.
        values: Numbers that operations made on the way, which training keeps for the gradients.
    """

    total = 0
    values = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if not func.is_view:
            made = output if isinstance(output, (tuple, list)) else (output,)
            self.values += sum(values.numel() for values in made if isinstance(values, torch.Tensor))
        if formula := flop_registry.get(func.overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=output)
        return output


@torch.no_grad()
def at_once(most: int, one: Callable[[], object]) -> int:
    """The largest batch, up to `most`, whose activations and their gradients stay within `MEMORY_BOUND`.

    Args:
        most: As many as are worth it: more would not be faster.
        one: Lets the model work on one example, which tells how much it makes on the way.
    """
    with Counted() as made:
        one()
    return max(1, min(most, MEMORY_BOUND // max(1, 2 * BYTES * made.values)))
