"""Time travel: a run's model as it was at any kept step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.errors import ExplorerError, RunGone, SnapshotError
from explorer.runs.execute import execute, submit
from explorer.runs.replay import model_at
from tests.runs.conftest import SPEC


@pytest.fixture
def run(store: ex.RunStore) -> ex.Run:
    """A run of one epoch."""
    with store.owners.hold() as owner:
        spec = SPEC.model_copy(update={"train": ex.TrainSpec(epochs=1)})
        return execute(store, submit(store, spec, owner=owner), owner)


def test_the_model_of_a_step_is_the_model_that_was_trained_to_it(
    store: ex.RunStore, run: ex.Run, digits: ex.Dataset
) -> None:
    reference = ex.build(SPEC.model, digits)
    for event in ex.train(reference, digits, run.spec.train):
        if isinstance(event, ex.StepDone) and event.step in (7, 20):
            again = model_at(store, run.id, event.step)
            torch.testing.assert_close(again.state_dict(), reference.state_dict(), atol=1e-6, rtol=0)
            assert not again.training


def test_nobody_else_holds_the_model(store: ex.RunStore, run: ex.Run) -> None:
    model_at(store, run.id, 0).output1.weight.data.fill_(0)

    assert model_at(store, run.id, 0).output1.weight.abs().max() > 0


def test_what_is_not_there_or_does_not_fit_says_so(
    store: ex.RunStore, run: ex.Run, sql: Callable[..., list[Any]]
) -> None:
    with pytest.raises(SnapshotError, match="step 999 are not there"):
        model_at(store, run.id, 999)
    with pytest.raises(RunGone):
        model_at(store, "00000000", 0)

    store.snapshots.save(run.id, 3, {"output1.weight": torch.zeros(10, 63), "output1.bias": torch.zeros(10)})
    with pytest.raises(SnapshotError, match="The weights of step 3 do not fit the model of this run"):
        model_at(store, run.id, 3)

    sql("UPDATE runs SET spec = 'junk'")
    with pytest.raises(ExplorerError, match="The record of this run is damaged"):
        model_at(store, run.id, 0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_in_words(value: float, store: ex.RunStore, run: ex.Run) -> None:
    weights = store.snapshots.load(run.id, 0)
    weights["output1.bias"][3] = value
    store.snapshots.save(run.id, 5, weights)

    with pytest.raises(SnapshotError, match=r"The weights of step 5 hold numbers that are not finite.*an earlier step"):
        model_at(store, run.id, 5)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int32, torch.bfloat16, torch.bool, torch.complex64])
def test_weights_of_another_type_are_refused_and_not_converted(
    dtype: torch.dtype, store: ex.RunStore, run: ex.Run
) -> None:
    weights = store.snapshots.load(run.id, 0)
    store.snapshots.save(run.id, 5, weights | {"output1.bias": weights["output1.bias"].to(dtype)})

    with pytest.raises(SnapshotError, match=rf"step 5 do not fit .*: output1\.bias is {dtype}, not torch\.float32"):
        model_at(store, run.id, 5)


@pytest.mark.parametrize("change", [{"more": torch.zeros(1)}, {"output1.bias": torch.zeros(10, 1)}])
def test_weights_of_another_shape_or_number_are_refused(
    change: dict[str, torch.Tensor], store: ex.RunStore, run: ex.Run
) -> None:
    store.snapshots.save(run.id, 5, store.snapshots.load(run.id, 0) | change)

    with pytest.raises(SnapshotError, match="The weights of step 5 do not fit the model of this run"):
        model_at(store, run.id, 5)


@pytest.mark.parametrize("step", ["0", "first", None, 0.0, float("inf"), [0]])
def test_a_step_that_is_no_whole_number_is_refused(step: object, store: ex.RunStore, run: ex.Run) -> None:
    with pytest.raises(SnapshotError, match="for a step; a whole number is needed"):
        model_at(store, run.id, step)


@pytest.mark.parametrize("wrong", [None, 7, [], b"0badcafe", "\ud800", "a\0b"])
def test_what_is_no_id_of_a_run_is_a_run_that_is_not_there(wrong: object, store: ex.RunStore) -> None:
    with pytest.raises(RunGone):
        model_at(store, wrong, 0)
