"""How many examples a model works on at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.models import at_once, memory


def wide(units: int) -> nn.Module:
    """Makes `units` numbers, and the same again, of each example."""
    return nn.Sequential(nn.Linear(1, units, bias=False), nn.ReLU())


@pytest.mark.parametrize(("bound", "batch"), [(2**30, 1024), (80 * 100, 100), (80 * 100 - 1, 99), (80, 1), (1, 1)])
def test_a_batch_stays_within_the_bound_but_is_never_empty(
    bound: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MEMORY_BOUND", bound)
    model, x = wide(5), torch.ones(1, 1)  # 5 + 5 numbers with their gradients, of four bytes each: 80 bytes

    assert at_once(1024, lambda: model(x)) == batch


def test_several_outputs_count_together() -> None:
    with memory.Counted() as made:
        nn.GRU(3, 4, batch_first=True)(torch.ones(1, 5, 3))
        before = made.values
        torch.ones(6).max(0)  # the largest and its place

    assert before >= 5 * 4
    assert made.values == before + 6 + 2
