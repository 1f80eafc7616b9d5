"""Batches: the examples of an epoch's order, texts as wide as the longest of them."""

from __future__ import annotations

import pytest
import torch

from explorer.data import PAD, Dataset
from explorer.training.batches import Batches, lengths
from explorer.training.measure import trimmed
from explorer.training.tasks import task_of
from tests.samples import made_up

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "dataset",
    [
        made_up(1, 8, 8, examples=23),
        made_up(9, tokens=12, examples=23),
        made_up(9, tokens=12, examples=23, task="translation"),
        made_up(5, examples=23, task="regression"),
    ],
    ids=["image", "text", "translation", "regression"],
)
def test_a_batch_holds_its_examples_without_columns_of_padding(dataset: Dataset) -> None:
    task, order = task_of(dataset), torch.randperm(23, generator=torch.Generator().manual_seed(1))
    batches = Batches(dataset.train, task, CPU)
    batches.arrange(order)

    for start in range(0, 23, 3):
        rows = order[start : start + 3]
        given, wanted, count = batches.take(start, start + 3)
        assert torch.equal(given, trimmed(dataset.train.inputs[rows]))
        assert torch.equal(wanted, trimmed(dataset.train.targets[rows]))
        assert count == task.count(dataset.train.targets[rows])


def test_a_text_ends_with_its_last_token() -> None:
    texts = torch.tensor([[3, 4, PAD, PAD], [3, PAD, 5, PAD], [PAD, PAD, PAD, PAD], [3, 4, 5, 6]])

    assert lengths(texts).tolist() == [2, 3, 1, 4]
    assert lengths(texts.float()) is None
    assert lengths(texts[:, 0]) is None
