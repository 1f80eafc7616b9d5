"""What all data sets share, on made-up ones whose numbers can be checked in the head."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import torch

from explorer.data import END, PAD, START, UNKNOWN, DataSource
from explorer.data.assemble import Table, parted
from explorer.data.source import shipped

TRAIN, VALIDATION, TEST = 0, 1, 2


class Made(DataSource):
    """Whatever a test puts into `table`."""

    name = "made"
    title = "Made up"
    source = "A test"
    licence = "None"
    table: ClassVar[Table]

    def read(self) -> Table:
        return self.table


def made(modality: str, table: Table, task: str = "classification", **more: object) -> DataSource:
    """A data set that reads this table."""
    namespace = {"modality": modality, "task": task, "table": table, "__module__": __name__, **more}
    return type("Made", (Made,), {**namespace, "__doc__": Made.__doc__}).make()


def test_tables_are_standardised_by_the_mean_and_spread_of_the_train_split() -> None:
    inputs = np.array([[1.0, 7.0], [3.0, 7.0], [100.0, 8.0], [-100.0, 6.0]])
    table = Table(inputs, np.array([0, 1, 0, 1]), ("a", "b"), parts=np.array([TRAIN, TRAIN, VALIDATION, TEST]))

    loaded = made("vector", table).load()

    spread = 2**0.5  # of 1 and 3, whose mean is 2; a column that does not change is only moved
    assert sorted(loaded.train.inputs.tolist()) == [[pytest.approx(-1 / spread), 0], [pytest.approx(1 / spread), 0]]
    assert loaded.validation.inputs.tolist() == [[pytest.approx(98 / spread), 1]]
    assert loaded.test.inputs.tolist() == [[pytest.approx(-102 / spread), -1]]
    assert loaded.feature_scales == ((2, pytest.approx(spread)), (7, 1))
    np.testing.assert_allclose(loaded.unscaled(loaded.test.inputs), [[-100, 6]], rtol=1e-6)


def test_values_are_standardised_by_the_train_split_and_said_in_their_unit() -> None:
    table = Table(
        np.arange(4.0)[:, None], np.array([10.0, 30.0, 20.0, 50.0]), parts=np.array([TRAIN, TRAIN, VALIDATION, TEST])
    )

    loaded = made("vector", table, "regression", unit="metres").load()

    assert loaded.scale == (20, pytest.approx(200**0.5))
    assert loaded.validation.targets.tolist() == [0]
    assert loaded.answer(loaded.test.targets[0]) == "50 metres"
    assert loaded.outputs == 1


def test_words_that_are_rare_in_the_train_split_or_not_in_it_are_unknown() -> None:
    texts = [("the", "cat", "sat"), ("the", "cat"), ("the", "dog"), ("dog", "dog", "the")]
    table = Table(texts, np.array([0, 1, 0, 1]), ("a", "b"), parts=np.array([TRAIN, TRAIN, VALIDATION, TEST]))

    loaded = made("tokens", table, rare=2).load()

    assert loaded.vocabulary == ("<pad>", "<unknown>", "cat", "the")
    assert loaded.validation.inputs.tolist() == [[3, UNKNOWN, PAD]]
    assert loaded.test.inputs.tolist() == [[UNKNOWN, UNKNOWN, 3]]
    assert loaded.text(loaded.test.inputs[0]) == "<unknown> <unknown> the"


def test_long_texts_are_cut_and_translations_framed() -> None:
    table = Table([tuple("abcd"), tuple("ab")], [tuple("vwxyz"), tuple("x")], parts=np.array([TRAIN, TRAIN]))

    loaded = made("tokens", table, "translation", longest=3).load()
    order = np.argsort(loaded.train.rows)

    assert [loaded.text(tokens) for tokens in loaded.train.inputs[order]] == ["abc", "ab"]
    assert [loaded.answer(tokens) for tokens in loaded.train.targets[order]] == ["vwx", "x"]
    assert loaded.train.targets[order][1].tolist() == [START, loaded.target_vocabulary.index("x"), END, PAD, PAD]


def test_the_first_of_equal_examples_is_kept_with_its_evidence() -> None:
    inputs = np.array([[1.0], [2.0], [1.0], [3.0]])
    evidence = np.array([[True], [False], [False], [False]])
    parts = np.array([TRAIN, TEST, TEST, TRAIN])
    table = Table(inputs, np.array([0, 1, 1, 1]), ("a", "b"), parts=parts, evidence=evidence)

    once, twice = made("vector", table).load(), made("vector", table, distinct=False).load()

    assert sorted(once.train.rows.tolist()) == [0, 3]
    assert once.test.rows.tolist() == [1]
    assert torch.equal(once.train.evidence[:, 0], torch.from_numpy(once.train.rows == 0))
    assert sorted(twice.test.rows.tolist()) == [1, 2]


def test_every_group_has_its_share_of_every_part() -> None:
    parts = parted(np.repeat([0, 1], [20, 40]), seed=0)

    assert np.bincount(parts[:20]).tolist() == [14, 3, 3]
    assert np.bincount(parts[20:]).tolist() == [28, 6, 6]


def test_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(ImportError, match="no package unheard_of"):
        shipped("unheard_of", "data.csv")
