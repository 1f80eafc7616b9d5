"""Every data set: split once, evenly and repeatably, in one format."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

import explorer as ex

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}


@pytest.fixture(params=list(ex.DATASETS))
def dataset(request: pytest.FixtureRequest) -> ex.Dataset:
    return ex.load_dataset(request.param)


def test_every_example_is_in_exactly_one_split(dataset: ex.Dataset) -> None:
    rows = np.concatenate([dataset.split(name).rows for name in SHARES])

    assert np.array_equal(np.sort(rows), np.arange(len(rows)))


def test_the_splits_hold_70_15_and_15_percent_of_every_class(dataset: ex.Dataset) -> None:
    counts = {name: torch.bincount(dataset.split(name).targets, minlength=len(dataset.classes)) for name in SHARES}
    of_each_class = sum(counts.values())

    for name, share in SHARES.items():
        assert len(dataset.split(name)) == pytest.approx(share * int(of_each_class.sum()), abs=1)
        assert (counts[name] - share * of_each_class).abs().max() <= 1


def test_inputs_are_between_0_and_1_and_targets_are_class_numbers(dataset: ex.Dataset) -> None:
    for name in SHARES:
        split = dataset.split(name)
        assert split.inputs.dtype == torch.float32
        assert split.inputs.shape == (len(split), *dataset.shape.size)
        assert split.inputs.min() == 0
        assert split.inputs.max() == 1
        assert split.targets.dtype == torch.int64
        assert split.targets.shape == (len(split),)
        assert set(split.targets.tolist()) == set(range(len(dataset.classes)))


def test_the_seed_alone_decides_the_split(dataset: ex.Dataset) -> None:
    source = ex.DATASETS[dataset.name]
    again, other = source.make().load(), source.make(seed=1).load()

    for name in SHARES:
        assert np.array_equal(again.split(name).rows, dataset.split(name).rows)
        assert torch.equal(again.split(name).inputs, dataset.split(name).inputs)
        assert not np.array_equal(other.split(name).rows, dataset.split(name).rows)


def test_the_examples_are_shuffled(dataset: ex.Dataset) -> None:
    assert len(set(dataset.train.targets[:50].tolist())) > 2


def test_it_says_what_it_is_and_where_it_is_from(dataset: ex.Dataset) -> None:
    source = ex.DATASETS[dataset.name]

    assert source.name == dataset.name == dataset.name.lower()
    assert source.title
    assert len(dataset.about) > 30
    assert dataset.source
    assert dataset.licence
    assert all(field.description for field in source.model_fields.values())


def test_it_cannot_be_changed(dataset: ex.Dataset) -> None:
    with pytest.raises(FrozenInstanceError):
        dataset.train = dataset.test  # type: ignore[misc]
