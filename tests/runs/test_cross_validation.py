"""Cross-validation: every fold is a run of its own, and what they say together is plain statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import explorer as ex
from explorer.data import dataset_of
from explorer.errors import DataError, ExplorerError, SpecError
from explorer.runs.cross_validation import PREFIX, cross_validate, folds_of, is_fold, spreads
from explorer.runs.execute import execute
from explorer.runs.run import Status

SPEC = ex.RunSpec(
    dataset="iris",
    model=ex.ModelSpec.of({"kind": "linear", "units": 8}, {"kind": "output"}),
    train=ex.TrainSpec(epochs=2, batch_size=16),
    family="mlp",
)


def carried_out(store: ex.RunStore) -> None:
    """Train whatever is queued."""
    with store.owners.hold() as owner:
        while run := store.claim(owner):
            execute(store, run, owner)


def test_one_call_queues_a_run_for_every_fold_in_order(store: ex.RunStore) -> None:
    sweep = cross_validate(store, SPEC, 4, session="me")
    runs = store.of_sweep(sweep)

    assert sweep.startswith(PREFIX)
    assert [run.title for run in runs] == [f"MLP on iris, fold {number} of 4" for number in range(1, 5)]
    assert [run.spec.fold for run in runs] == [(number, 4) for number in range(4)]
    assert all(run.status is Status.QUEUED and is_fold(run) and run.parameters and run.macs for run in runs)
    assert len(store.list()) == 4


def test_runs_of_a_sweep_are_only_those_made_together(store: ex.RunStore) -> None:
    one, other = cross_validate(store, SPEC, 3), cross_validate(store, SPEC, 5)
    alone = store.create(SPEC)

    assert one != other
    assert [len(store.of_sweep(sweep)) for sweep in (one, other, "", "nobody")] == [3, 5, 0, 0]
    assert not is_fold(alone)


def test_every_fold_begins_anew_whatever_was_cross_validated(store: ex.RunStore) -> None:
    changed = ((3, ex.specs.Change(learning_rate=0.5)),)
    spec = SPEC.model_copy(update={"start": ("0123abcd", 4), "changes": changed, "purpose": "one batch"})

    for run in store.of_sweep(cross_validate(store, spec, 3)):
        assert (run.spec.start, run.spec.changes, run.spec.purpose) == (None, (), "train")


def test_mean_and_deviation_are_those_of_the_final_models_on_their_own_folds(store: ex.RunStore) -> None:
    sweep = cross_validate(store, SPEC, 3)
    carried_out(store)
    folds = folds_of(store, sweep)

    wanted = []
    for run in store.of_sweep(sweep):
        model = ex.model_at(store, run.id, store.snapshots.steps(run.id)[-1])
        wanted.append(ex.evaluate(model, dataset_of(run.spec), "validation"))
    assert [fold.number for fold in folds] == [1, 2, 3]
    assert all(fold.counts for fold in folds)
    for name in ("loss", "accuracy"):
        values = [one[name] for one in wanted]
        assert [fold.metrics[name] for fold in folds] == pytest.approx(values, abs=1e-5)
        spread = spreads(folds)[name]
        assert spread.count == 3
        assert spread.mean == pytest.approx(np.mean(values), abs=1e-5)
        assert spread.deviation == pytest.approx(np.std(values, ddof=1), abs=1e-5)


def test_only_folds_that_finished_count(store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    sweep = cross_validate(store, SPEC, 4)
    carried_out(store)
    first, second, third, fourth = store.of_sweep(sweep)
    sql("UPDATE runs SET status = 'failed' WHERE id = ?", first.id)
    store.delete(second.id)
    folds = folds_of(store, sweep)

    assert [fold.counts for fold in folds] == [False, False, True, True]
    assert folds[1].run is None
    assert [fold.run.id for fold in folds if fold.run] == [first.id, third.id, fourth.id]
    values = [fold.metrics["accuracy"] for fold in folds[2:]]
    assert spreads(folds)["accuracy"].mean == pytest.approx(np.mean(values))
    store.delete(fourth.id)
    assert np.isnan(spreads(folds_of(store, sweep))["accuracy"].deviation)
    store.delete(third.id)
    assert spreads(folds_of(store, sweep)) == {}


@pytest.mark.parametrize("folds", [-1, 0, 1, 2, 11, 1000])
def test_a_number_of_folds_that_is_not_offered_is_refused(store: ex.RunStore, folds: int) -> None:
    with pytest.raises(SpecError, match="Choose 3 to 10"):
        cross_validate(store, SPEC, folds)
    assert store.list() == []


def test_nothing_is_stored_if_one_fold_cannot_work(store: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExplorerError, match="no layers"):
        cross_validate(store, SPEC.model_copy(update={"model": ex.ModelSpec()}), 3)
    monkeypatch.setattr("explorer.data.parts.load_dataset", lambda name: few())
    with pytest.raises(DataError, match="too few for 10 folds"):
        cross_validate(store, SPEC.model_copy(update={"dataset": "few"}), 10)
    assert store.list() == []


def few() -> ex.Dataset:
    from tests.samples import made_up

    return made_up(4, classes=3, examples=6, name="few")
