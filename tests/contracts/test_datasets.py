"""Every data set: split once, evenly and repeatably, in one format."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable
from dataclasses import FrozenInstanceError
from functools import cache

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.data import END, PAD, START, UNKNOWN
from explorer.data.assemble import Table
from explorer.data.base import FRAME, SPECIAL
from explorer.data.source import DataSource
from explorer.errors import DataError

SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
CLASSED = ("classification", "binary")
HERE = [name for name in ex.DATASETS if ex.DATASETS[name].missing() is None]


@pytest.fixture(params=HERE)
def dataset(request: pytest.FixtureRequest) -> ex.Dataset:
    return ex.load_dataset(request.param)


def of(wanted: Callable[[type[DataSource]], bool]) -> pytest.MarkDecorator:
    """Only the data sets of which this is true."""
    return pytest.mark.parametrize("dataset", [name for name in HERE if wanted(ex.DATASETS[name])], indirect=True)


texts = of(lambda source: source.modality == "tokens")


@cache
def read(name: str) -> Table:
    """What the data set was split from."""
    return ex.DATASETS[name].make().read()


def key(example: np.ndarray | tuple[str, ...]) -> Hashable:
    """Equal for equal examples."""
    return example if isinstance(example, tuple) else example.tobytes()


def test_every_example_is_in_exactly_one_split(dataset: ex.Dataset) -> None:
    rows = np.concatenate([dataset.split(name).rows for name in SHARES])
    expected: dict[Hashable, int] = {}
    for row, example in enumerate(read(dataset.name).inputs):
        expected.setdefault(key(example) if ex.DATASETS[dataset.name].distinct else row, row)

    assert sorted(rows.tolist()) == sorted(expected.values())


def test_the_splits_hold_70_15_and_15_percent_of_every_class(dataset: ex.Dataset) -> None:
    parts = read(dataset.name).parts is not None
    classes = {
        name: split.targets if dataset.task in CLASSED else torch.zeros(len(split), dtype=torch.int64)
        for name, split in ((name, dataset.split(name)) for name in SHARES)
    }
    counts = {name: torch.bincount(of, minlength=len(dataset.classes)) for name, of in classes.items()}
    of_each_class = sum(counts.values())

    for name, share in SHARES.items():
        # Where whole regions of a photo go into a split, a region more or less makes a difference.
        spare = 0.03 * of_each_class if parts else torch.ones(())
        assert ((counts[name] - share * of_each_class).abs() <= spare).all()


@of(lambda source: source.distinct)
def test_no_example_of_one_split_is_equal_to_one_of_another(dataset: ex.Dataset) -> None:
    inputs = read(dataset.name).inputs
    train, validation, test = ({key(inputs[row]) for row in dataset.split(name).rows} for name in SHARES)

    assert not (train & validation or train & test or validation & test)
    assert len(train | validation | test) == sum(len(dataset.split(name)) for name in SHARES)


def test_inputs_are_finite_numbers_of_the_shape_that_is_promised(dataset: ex.Dataset) -> None:
    for name in SHARES:
        split = dataset.split(name)
        assert split.inputs.shape == (len(split), *dataset.shape.size)
        assert split.inputs.dtype == (torch.int64 if dataset.modality == "tokens" else torch.float32)
        assert split.inputs.isfinite().all()
        if dataset.modality == "image":
            assert split.inputs.min() >= 0
            assert 0.9 < split.inputs.max() <= 1
        if dataset.modality == "vector":
            assert len(dataset.features) == len(set(dataset.features)) == split.inputs.shape[1]


@texts
def test_texts_are_padded_at_the_end_only(dataset: ex.Dataset) -> None:
    for name in SHARES:
        padding = dataset.split(name).inputs == PAD
        assert not padding[:, 0].any()
        assert (padding[:, 1:] >= padding[:, :-1]).all()
    assert not (torch.cat([dataset.split(name).inputs[:, -1] for name in SHARES]) == PAD).all()


def test_targets_fit_the_task(dataset: ex.Dataset) -> None:
    for name in SHARES:
        targets = dataset.split(name).targets
        if dataset.task == "translation":
            assert targets.dtype == torch.int64
            assert (targets[:, 0] == START).all()
            assert ((targets == END).sum(1) == 1).all()
            assert 0 <= targets.min() <= targets.max() < len(dataset.target_vocabulary)
        elif dataset.task == "regression":
            assert targets.dtype == torch.float32
            assert targets.shape == (len(dataset.split(name)),)
            assert targets.isfinite().all()
        else:
            assert targets.dtype == torch.int64
            assert targets.shape == (len(dataset.split(name)),)
            assert set(targets.tolist()) == set(range(len(dataset.classes)))
    assert (len(dataset.classes) == 2) == (dataset.task == "binary")
    assert dataset.outputs >= 1


def test_targets_are_those_of_the_source(dataset: ex.Dataset) -> None:
    table = read(dataset.name)
    for name in SHARES:
        split = dataset.split(name)
        if dataset.task in CLASSED:
            assert split.targets.tolist() == table.targets[split.rows].tolist()
            said = [dataset.answer(target) for target in split.targets[:20]]
            assert said == [table.classes[table.targets[row]] for row in split.rows[:20]]
        elif dataset.task == "regression":
            mean, spread = dataset.scale
            assert (mean + spread * split.targets).numpy() == pytest.approx(table.targets[split.rows], rel=1e-4)
            assert dataset.unit and dataset.unit in dataset.answer(split.targets[0])
    if dataset.task == "regression":
        known = table.targets[dataset.train.rows]
        assert dataset.scale == pytest.approx((known.mean(), known.std(ddof=1)))


@of(lambda source: source.modality in ("vector", "series"))
def test_numbers_are_standardised_by_the_train_split_alone(dataset: ex.Dataset) -> None:
    raw = np.asarray(read(dataset.name).inputs, dtype=np.float64)
    axes = (0, 2)[: raw.ndim - 1]

    def by_hand(known: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return (raw[rows] - known.mean(axes, keepdims=True)) / known.std(axes, ddof=1, keepdims=True)

    for name in SHARES:
        split = dataset.split(name)
        inputs = split.inputs.numpy()
        assert np.abs(inputs - by_hand(raw[dataset.train.rows], split.rows)).max() < 1e-3
        assert np.abs(inputs - by_hand(raw, split.rows)).max() > 2e-3


@texts
def test_the_vocabulary_holds_what_the_train_split_holds_and_no_more(dataset: ex.Dataset) -> None:
    source, table = ex.DATASETS[dataset.name], read(dataset.name)
    sides = {"inputs": (table.inputs, dataset.vocabulary, SPECIAL)}
    if dataset.task == "translation":
        sides["targets"] = (table.targets, dataset.target_vocabulary, (*SPECIAL, *FRAME))
    for said, vocabulary, special in sides.values():
        counts = Counter(token for row in dataset.train.rows for token in said[row])
        known = {token for token, count in counts.items() if count >= source.rare}

        assert vocabulary[: len(special)] == special
        assert len(vocabulary) == len(set(vocabulary))
        assert set(vocabulary[len(special) :]) == known


@texts
def test_tokens_are_the_words_of_the_source(dataset: ex.Dataset) -> None:
    inputs, vocabulary = read(dataset.name).inputs, dataset.vocabulary
    for name in SHARES:
        split = dataset.split(name)
        for row, tokens in zip(split.rows[:200], split.inputs[:200].tolist(), strict=True):
            words = inputs[row][: len(tokens)]
            assert len(words) == sum(token != PAD for token in tokens)
            for word, token in zip(words, tokens, strict=False):
                assert (word not in vocabulary) if token == UNKNOWN else vocabulary[token] == word


def test_without_the_evidence_nothing_tells_the_class(dataset: ex.Dataset) -> None:
    if dataset.train.evidence is None:
        pytest.skip("nobody knows what decides the class")
    for name in SHARES:
        split = dataset.split(name)
        positions = split.inputs.shape[-2:] if dataset.modality == "image" else split.inputs.shape[1:]
        assert split.evidence.dtype == torch.bool
        assert split.evidence.shape == (len(split), *positions)
        share = split.evidence.flatten(1).float().mean(1)
        assert share.min() > 0
        assert share.max() < 0.5
        if dataset.modality == "tokens":
            assert not (split.evidence & (split.inputs == PAD)).any()

        hidden = split.evidence[:, None] if dataset.modality == "image" else split.evidence
        classes = defaultdict(list)
        for blanked, target in zip(split.inputs.masked_fill(hidden, 0).numpy(), split.targets.tolist(), strict=True):
            classes[blanked.tobytes()].append(target)
        for alike in classes.values():
            counts = Counter(alike)
            assert set(counts) == set(range(len(dataset.classes)))
            assert len(set(counts.values())) == 1


def test_the_seed_alone_decides_the_split(dataset: ex.Dataset) -> None:
    source = ex.DATASETS[dataset.name]
    again, other = source.make().load(), source.make(seed=1).load()

    for name in SHARES:
        assert np.array_equal(again.split(name).rows, dataset.split(name).rows)
        assert torch.equal(again.split(name).inputs, dataset.split(name).inputs)
        assert torch.equal(again.split(name).targets, dataset.split(name).targets)
        assert set(other.split(name).rows) != set(dataset.split(name).rows)


def test_the_examples_are_shuffled(dataset: ex.Dataset) -> None:
    for name in SHARES:
        rows = dataset.split(name).rows
        assert abs(np.corrcoef(rows, np.arange(len(rows)))[0, 1]) < 0.6
    if dataset.task in CLASSED:
        assert len(set(dataset.train.targets[:50].tolist())) >= min(3, len(dataset.classes))


def test_it_says_what_it_is_and_where_it_is_from(dataset: ex.Dataset) -> None:
    source = ex.DATASETS[dataset.name]

    assert source.name == dataset.name == dataset.name.lower()
    assert source.title
    assert len(dataset.about) > 30
    assert dataset.source
    assert dataset.licence
    assert all(field.description for field in source.model_fields.values())


def test_titles_are_not_taken_twice() -> None:
    titles = [source.title for source in ex.DATASETS.values()]

    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", [source.name for source in ex.DATASETS.values() if source.needs])
def test_a_missing_optional_package_is_named_with_the_line_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ex.DATASETS[name]
    monkeypatch.setattr("explorer.data.source.find_spec", lambda package: None)

    assert f"pip install {source.needs}" in source.missing()
    with pytest.raises(DataError, match=f"{source.title} .*pip install {source.needs}"):
        source.make().load()


def test_it_cannot_be_changed(dataset: ex.Dataset) -> None:
    with pytest.raises(FrozenInstanceError):
        dataset.train = dataset.test  # type: ignore[misc]
