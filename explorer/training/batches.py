"""The training examples where they are trained on, batch by batch, without a wait for the device."""

from __future__ import annotations

import torch

from explorer.data import PAD, Split
from explorer.training.tasks import Task


class Batches:
    """Training examples in the order of an epoch.

    The device has a copy of the order, and what depends on lengths of texts is worked out on the CPU: to read a number
    back for every batch would take longer than a small network's step.

    Args:
        split: The examples, on the CPU.
        task: What is learned.
        device: Where they are kept.
    """

    def __init__(self, split: Split, task: Task, device: torch.device) -> None:
        self.inputs, self.targets = split.inputs.to(device), split.targets.to(device)
        self._task, self._device, self._on_cpu = task, device, split
        self._lengths = lengths(split.inputs), lengths(split.targets)

    def arrange(self, rows: torch.Tensor) -> None:
        """Take the examples in this order (E,), on the CPU, from now on."""
        self._rows, self._rows_there = rows, rows.to(self._device)

    def take(self, start: int, stop: int) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Inputs and targets of the examples at these places of the order, and over how many answers their loss is the
        mean. Texts come without the columns that are padding in all of them.
        """
        rows, there = self._rows[start:stop], self._rows_there[start:stop]
        given, wanted = (
            (values if long is None else values[:, : int(long[rows].max())]).index_select(0, there)
            for values, long in zip((self.inputs, self.targets), self._lengths, strict=True)
        )
        near = wanted if self._device.type == "cpu" else self._on_cpu.targets.index_select(0, rows)
        return given, wanted, self._task.count(near)


def lengths(values: torch.Tensor) -> torch.Tensor | None:
    """Up to where each text is not padding, at least 1: (N, L) tokens → (N,); None for what is not texts."""
    if values.dtype != torch.long or values.ndim != 2:
        return None
    places = torch.arange(1, values.shape[1] + 1)
    return ((values != PAD) * places).amax(1).clamp(min=1)
