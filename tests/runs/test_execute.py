"""Carrying out a run: whatever its end, the store tells the story."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.errors import RunGone, SpecError, UnknownName
from explorer.runs import Status
from explorer.runs.execute import execute, submit
from tests.runs.conftest import SPEC

CNN = ex.preset("cnn", ex.load_dataset("digits"), width=4)


def spec(**settings: Any) -> ex.RunSpec:
    return ex.RunSpec(dataset="digits", model=CNN, train=ex.TrainSpec(**settings), family="cnn")


def run_now(store: ex.RunStore, what: ex.RunSpec, watch: Callable[[Any], None] | None = None) -> ex.Run:
    """Submit and carry out a run in this process."""
    with store.owners.hold() as owner:
        return execute(store, submit(store, what, owner=owner), owner, watch=watch)


def finite(state: dict[str, torch.Tensor]) -> bool:
    return all(bool(values.isfinite().all()) for values in state.values())


def test_a_run_that_finishes_leaves_metrics_snapshots_and_a_test(store: ex.RunStore, digits: ex.Dataset) -> None:
    run = run_now(store, spec(epochs=3, batch_size=128))

    assert (run.status, run.reason, run.epoch, run.step, run.total_steps) == (Status.FINISHED, "", 3, 30, 30)
    assert run.device.startswith("cpu")
    assert run.rate > 0
    assert run.trained > 0
    model = ex.build(CNN, digits)
    assert run.parameters == sum(weight.numel() for weight in model.parameters())
    model.load_state_dict(store.snapshots.load(run.id, 30))
    assert run.test == pytest.approx(ex.evaluate(model, digits), abs=1e-6)
    model.load_state_dict(store.snapshots.load(run.id, 0))
    assert all(
        torch.equal(*pair)
        for pair in zip(model.state_dict().values(), ex.build(CNN, digits).state_dict().values(), strict=True)
    )


def test_the_metrics_in_the_store_are_those_of_the_loop(store: ex.RunStore, digits: ex.Dataset) -> None:
    run = run_now(store, spec(epochs=2, seed=3))
    metrics = store.metrics(run.id)

    events = list(ex.train(ex.build(CNN, digits, seed=3), digits, ex.TrainSpec(epochs=2, seed=3)))

    for split, kind in (("batch", ex.StepDone), ("validation", ex.EpochDone), ("train", ex.EpochDone)):
        for name in ("loss", "accuracy"):
            stored = metrics[(metrics["split"] == split) & (metrics["name"] == name)]
            expected = [event for event in events if isinstance(event, kind)]
            assert stored["step"].tolist() == [event.step for event in expected]
            values = [
                ({"loss": e.loss, **e.metrics} if split == "batch" else getattr(e, split))[name] for e in expected
            ]
            assert stored["value"].tolist() == pytest.approx(values, abs=1e-5)


def test_a_long_run_keeps_some_dozens_of_snapshots_with_the_first_and_last(store: ex.RunStore) -> None:
    run = run_now(store, spec(epochs=9, batch_size=128))

    steps = store.snapshots.steps(run.id)

    assert 24 <= len(steps) <= 48
    assert max(later - earlier for earlier, later in pairwise(steps)) <= 3, "evenly spread"
    assert (steps[0], steps[-1]) == (0, 90)


@pytest.mark.parametrize("batch_size", [64, 65536], ids=["steps", "one step an epoch"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_run_that_diverges_fails_in_words_and_keeps_its_last_good_weights(
    optimizer: str, batch_size: int, store: ex.RunStore
) -> None:
    run = run_now(store, spec(learning_rate=1e9, optimizer=optimizer, batch_size=batch_size))

    assert run.status is Status.DIVERGED
    assert re.search("loss became|stopped being finite", run.reason)
    assert "with learning rate 1e+09" in run.reason
    assert "Try a smaller one, such as 0.01." in run.reason
    assert run.test == {}
    for step in store.snapshots.steps(run.id):
        assert finite(store.snapshots.load(run.id, step))
    assert store.snapshots.steps(run.id)[0] == 0
    assert store.metrics(run.id)["value"].notna().all()


def test_a_run_whose_weights_explode_slowly_keeps_only_snapshots_one_can_look_at(store: ex.RunStore) -> None:
    run = run_now(store, spec(learning_rate=1e5, optimizer="sgd", epochs=2))  # a snapshot at every step

    assert run.status is Status.DIVERGED
    assert all(finite(store.snapshots.load(run.id, step)) for step in store.snapshots.steps(run.id))


def test_a_run_that_is_stopped_keeps_what_it_learned_and_is_tested(store: ex.RunStore, digits: ex.Dataset) -> None:
    def stop_after_an_epoch(event: Any) -> None:
        if isinstance(event, ex.EpochDone):
            (running,) = store.list()
            store.stop(running.id)

    run = run_now(store, spec(epochs=10_000), stop_after_an_epoch)

    assert (run.status, run.reason) == (Status.STOPPED, "")
    assert 1 <= run.epoch < 10_000
    model = ex.build(CNN, digits)
    model.load_state_dict(store.snapshots.load(run.id, run.step))
    assert run.test == pytest.approx(ex.evaluate(model, digits), abs=1e-5)


def test_a_keyboard_interrupt_is_a_stop(store: ex.RunStore) -> None:
    def interrupt(event: Any) -> None:
        if event.step == 5:
            raise KeyboardInterrupt

    run = run_now(store, spec(), interrupt)

    assert (run.status, run.step) == (Status.STOPPED, 5)
    assert set(run.test) == {"loss", "accuracy"}


def test_a_run_that_is_deleted_while_it_trains_leaves_nothing_behind(
    store: ex.RunStore, sql: Callable[..., list[Any]]
) -> None:
    def delete(event: Any) -> None:
        if event.step == 5:
            (running,) = store.list()
            assert store.delete(running.id)

    with pytest.raises(RunGone):
        run_now(store, spec(epochs=10_000), delete)

    assert store.list() == []
    assert sql("SELECT count(*) FROM metrics") == [(0,)]
    assert list((store.home / "snapshots").iterdir()) == []


def test_a_run_that_was_given_up_while_its_worker_was_busy_keeps_what_it_wrote(store: ex.RunStore) -> None:
    lost = submit(store, spec(epochs=10_000), owner="0" * 16)  # nobody holds this name

    def give_up(event: Any) -> None:
        if event.step == 5:
            assert store.recover() == 1

    with pytest.raises(RunGone):
        execute(store, lost, "0" * 16, watch=give_up)

    assert store.get(lost.id).status is Status.INTERRUPTED
    assert 0 in store.snapshots.steps(lost.id)


def test_what_cannot_work_is_refused_before_anything_is_stored(store: ex.RunStore) -> None:
    unknown = SPEC.model_copy(update={"dataset": "digit"})
    wrong = SPEC.model_copy(update={"model": ex.ModelSpec.of({"kind": "output"})})
    vast = spec(batch_size=65536).model_copy(
        update={"model": ex.ModelSpec.of({"kind": "conv", "channels": 4096}, {"kind": "flatten"}, {"kind": "output"})}
    )
    for what, error, text in (
        (unknown, UnknownName, "Choose one of: "),
        (wrong, SpecError, "Layer 1 .output."),
        (vast, SpecError, r"to train in batches of 125\d;"),  # all there are
    ):
        with pytest.raises(error, match=text):
            submit(store, what)
    assert store.list() == []


def test_the_planned_steps_are_the_steps_that_are_done(store: ex.RunStore) -> None:
    run = run_now(store, SPEC)

    assert run.step == run.total_steps == 2 * 20
    assert run.progress == 1


def test_a_device_that_is_not_there_fails_in_words(store: ex.RunStore) -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"

    run = run_now(store, spec(device=absent))

    assert run.status is Status.FAILED
    assert f"Device '{absent}' was asked for" in run.reason


def test_batch_norm_with_batches_of_one_is_refused_before_it_is_queued(store: ex.RunStore) -> None:
    layers = ex.ModelSpec.of({"kind": "flatten"}, {"kind": "batchnorm"}, {"kind": "output"})
    wrong = ex.RunSpec(dataset="digits", model=layers, train=ex.TrainSpec(batch_size=1))

    with pytest.raises(SpecError, match=r"Layer 2 \(batchnorm\): batch norm cannot learn from batches of one"):
        submit(store, wrong)
    assert store.list() == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "The memory ran out"),
        (MemoryError(), "The memory ran out"),
    ],
)
def test_a_run_that_runs_out_of_memory_says_so(
    store: ex.RunStore, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("explorer.runs.execute.build", broken)
    run = run_now(store, spec(epochs=1))

    assert run.status is Status.FAILED
    assert said in run.reason


def test_an_unexpected_error_never_leaves_a_run_running(store: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("explorer.runs.execute.build", broken)
    with pytest.raises(ZeroDivisionError):
        run_now(store, spec(epochs=1))

    assert store.list()[0].status is Status.FAILED
