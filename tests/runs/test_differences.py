"""What differs between runs is listed, and only that; which comparisons do not hold is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import explorer as ex
from explorer.models import preset
from explorer.runs.differences import cautions, differences, in_words, title
from explorer.runs.outcomes import outcomes, ranked
from explorer.runs.store import Status
from explorer.specs import Change, ModelSpec, RunSpec, TrainSpec
from tests.runs.conftest import SPEC


def starter(family: str, dataset: str = "digits", train: dict[str, Any] | None = None, **params: Any) -> RunSpec:
    model = preset(family, ex.load_dataset(dataset), **params)
    return RunSpec(dataset=dataset, model=model, family=family, starter=params, train=TrainSpec(**train or {}))


def columns(*specs: RunSpec) -> dict[str, list[Any]]:
    return differences(specs).to_dict("list")


def test_runs_that_are_the_same_differ_in_nothing() -> None:
    assert columns(SPEC, SPEC) == columns(SPEC) == {}


def test_settings_of_starters_stand_for_their_layers() -> None:
    specs = starter("cnn"), starter("cnn", width=32), starter("cnn", train={"learning_rate": 0.1}, width=16)
    assert columns(*specs) == {"width": [16, 32, 16], "learning_rate": [0.001, 0.001, 0.1]}
    assert columns(starter("mlp"), starter("mlp", depth=3)) == {"depth": [2, 3]}


def test_layers_of_edited_models_are_compared_by_name_and_defaults_count_as_given() -> None:
    def custom(*layers: dict[str, Any]) -> RunSpec:
        return RunSpec(dataset="digits", model=ModelSpec.of(*layers))

    end = ({"kind": "flatten"}, {"kind": "output"})
    one = custom({"kind": "conv", "channels": 8}, *end)
    other = custom({"kind": "conv", "channels": 12, "kernel": 3}, {"kind": "relu"}, *end)
    assert columns(one, other) == {"conv1.channels": [8, 12], "relu1": ["–", "yes"]}
    assert [title(name) for name in differences([one, other])] == ["conv1 channels", "relu1"]


def test_a_starter_that_claims_parameters_it_was_not_made_with_is_compared_by_its_layers() -> None:
    honest, claims = starter("mlp", width=8), starter("mlp", width=16).model_copy(update={"starter": {"width": 99}})
    assert columns(honest, claims) == {"linear1.units": [8, 16], "linear2.units": [8, 16]}


def test_models_that_differ_in_much_have_one_column_in_words() -> None:
    found = columns(starter("rnn"), starter("cnn"))
    assert list(found) == ["family", "layers"]
    assert found["layers"][0] == "rows1, lstm1 units 64"
    assert "conv2 channels 32, batchnorm2" in found["layers"][1]


def test_data_folds_changes_and_beginnings_are_told() -> None:
    changed = SPEC.model_copy(update={"changes": ((7, Change(learning_rate=0.1, clip=1)),), "start": ("0123abcd", 5)})
    part = SPEC.model_copy(update={"examples": 100, "fold": (1, 5)})
    assert columns(SPEC, changed, part) == {
        "examples": ["all", "all", 100],
        "fold": ["–", "–", "2 of 5"],
        "start": ["–", "0123abcd at step 5", "–"],
        "changes": ["–", "after step 7: learning rate 0.1, clip 1", "–"],
    }


def test_a_row_is_said_in_words() -> None:
    table = differences([starter("mlp"), starter("mlp", train={"nesterov": True, "learning_rate": 0.01}, width=8)])
    assert in_words(table.iloc[1]) == "width 8, learning rate 0.01, nesterov yes"


def test_a_run_whose_data_were_removed_is_still_compared() -> None:
    gone = SPEC.model_copy(update={"dataset": "own-0123456789ab", "family": "mlp"})
    assert columns(SPEC, gone)["dataset"] == ["digits", "own-0123456789ab"]


@pytest.fixture
def runs(store: ex.RunStore) -> list[ex.Run]:
    return [
        replace(store.create(SPEC, parameters=n), status=Status.FINISHED, device="cpu (1 threads)") for n in (1, 2, 3)
    ]


def test_nothing_is_warned_of_runs_that_differ_in_settings_only(runs: list[ex.Run]) -> None:
    assert cautions(runs, ["accuracy"] * 3) == []


@pytest.mark.parametrize(
    ("spec", "device", "metric", "said"),
    [
        ({"dataset": "mnist5k"}, "cpu", "accuracy", "different data (digits, mnist5k)"),
        ({"dataset": "diabetes"}, "cpu", "mae", "no metric in common"),
        ({"fold": (0, 3)}, "cpu", "accuracy", "Folds are validated on different examples"),
        ({"purpose": "range test"}, "cpu", "accuracy", "range test"),
        ({"train": TrainSpec(label_smoothing=0.1)}, "cpu", "accuracy", "Label smoothing"),
        ({}, "cuda (NVIDIA H100)", "accuracy", "different devices"),
    ],
)
def test_comparisons_that_do_not_hold_are_named(
    runs: list[ex.Run], spec: dict[str, Any], device: str, metric: str, said: str
) -> None:
    other = replace(runs[2], spec=SPEC.model_copy(update=spec), device=device)
    (words,) = cautions([*runs[:2], other], ["accuracy", "accuracy", metric])
    assert said in words


def epochs(*rows: tuple[ex.Run, str, list[float]]) -> pd.DataFrame:
    """Validation values after each epoch."""
    flat = [(run.id, "validation", name, value) for run, name, values in rows for value in values]
    return pd.DataFrame(flat, columns=["run", "split", "name", "value"])


def test_runs_are_ranked_by_validation_then_by_loss_and_broken_ones_not_at_all(runs: list[ex.Run]) -> None:
    first, second, third = runs
    broken = replace(third, id="0badbad0", status=Status.DIVERGED, test={"accuracy": 1.0})
    seen = epochs(
        (first, "accuracy", [0.9, 0.8]), (first, "loss", [0.5, 0.6]),
        (second, "accuracy", [0.5, 0.9]), (second, "loss", [0.3, 0.4]),
        (third, "accuracy", [0.9]), (third, "loss", [0.2]),
        (broken, "accuracy", [1.0]), (broken, "loss", [0.0]),
    )  # fmt: skip
    table = outcomes([*runs, broken], seen)
    assert list(table["quality"]) == [0.8, 0.9, 0.9, 1.0]
    assert list(table["loss"]) == [0.6, 0.4, 0.2, 0.0]
    assert list(table["lowest"]) == [0.5, 0.3, 0.2, 0.0]
    assert ranked(table) == [third.id, second.id, first.id]


def test_less_error_is_better_and_different_metrics_have_no_order(runs: list[ex.Run]) -> None:
    first, second, _ = runs
    errors = epochs((first, "mae", [2.0]), (second, "mae", [1.0]))
    assert ranked(outcomes([first, second], errors)) == [second.id, first.id]
    mixed = epochs((first, "mae", [2.0]), (second, "accuracy", [0.5]))
    assert ranked(outcomes([first, second], mixed)) == []
    assert ranked(outcomes(runs, epochs())) == []
