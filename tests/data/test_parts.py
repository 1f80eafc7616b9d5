"""Parts of a data set: the folds of a cross-validation, and the first examples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.data import dataset_of
from explorer.data.parts import first, folded
from explorer.errors import DataError, SpecError
from explorer.specs import parse
from tests.samples import made_up


def of(**part: object) -> ex.Dataset:
    return dataset_of(ex.RunSpec(dataset="digits", model=ex.ModelSpec(), **part))


def test_without_a_part_a_run_has_the_whole_data_set(digits: ex.Dataset) -> None:
    assert of() is digits


def test_the_same_part_is_the_same_object() -> None:
    assert of(fold=(1, 4), examples=50) is of(fold=(1, 4), examples=50)
    assert len(of(fold=(1, 4), examples=50).train) == 50


def test_every_example_is_validated_on_once_and_never_trained_on_then(digits: ex.Dataset) -> None:
    every = np.sort(np.concatenate([digits.train.rows, digits.validation.rows]))
    folds = [folded(digits, n, 5) for n in range(5)]

    assert np.array_equal(np.sort(np.concatenate([fold.validation.rows for fold in folds])), every)
    for fold in folds:
        assert np.array_equal(np.sort(np.concatenate([fold.train.rows, fold.validation.rows])), every)
        assert fold.test is digits.test


def test_rows_keep_their_inputs_and_targets(digits: ex.Dataset) -> None:
    part = folded(digits, 2, 3).train
    places = {row: n for n, row in enumerate(digits.train.rows)}
    known = [(n, places[row]) for n, row in enumerate(part.rows) if row in places]

    mine, theirs = map(list, zip(*known, strict=True))
    assert torch.equal(part.inputs[mine], digits.train.inputs[theirs])
    assert torch.equal(part.targets[mine], digits.train.targets[theirs])


def test_each_fold_has_the_same_share_of_every_class(digits: ex.Dataset) -> None:
    counts = [torch.bincount(folded(digits, n, 5).validation.targets) for n in range(5)]

    assert max((one - counts[0]).abs().max() for one in counts) <= 1


def test_the_first_examples_are_a_mixed_part_of_the_train_split(digits: ex.Dataset) -> None:
    part = first(digits, 100)

    assert torch.equal(part.train.inputs, digits.train.inputs[:100])
    assert len(part.train.targets.unique()) == 10
    assert part.validation is digits.validation
    assert len(first(digits, 10**6).train) == len(digits.train)


def test_more_folds_than_examples_can_fill_are_refused_in_words() -> None:
    data = made_up(4, examples=3, task="regression")

    with pytest.raises(DataError, match=r"has 6 examples to train on and validate with, too few for 4 folds\. Use at"):
        folded(data, 0, 4)


@pytest.mark.parametrize("fold", [(5, 5), (-1, 5), (0, 1), (0, 21)])
def test_a_fold_that_cannot_be_is_refused(fold: tuple[int, int]) -> None:
    with pytest.raises(SpecError, match="This run cannot be used"):
        parse(ex.RunSpec, {"dataset": "digits", "model": {}, "fold": fold}, "run")
