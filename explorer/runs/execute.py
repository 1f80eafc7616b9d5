"""Carrying out one run: the loop's events into the store."""

from __future__ import annotations

from collections.abc import Callable

import torch

from explorer.data import Dataset, dataset_of
from explorer.errors import Diverged, ExplorerError, RunGone, SpecError
from explorer.models import Plan, build, checked
from explorer.runs.conductor import Conductor, Left, Stopped, check_room
from explorer.runs.controls import Verb
from explorer.runs.recorder import Recorder
from explorer.runs.replay import model_at
from explorer.runs.store import TITLE_LENGTH, Run, RunStore, Status, new_id
from explorer.specs import Change, RunSpec, TrainSpec
from explorer.training import Training, describe_device, evaluate
from explorer.training.device import training_threads
from explorer.training.purposes import planned_steps, suited, training_of


def check(spec: RunSpec) -> tuple[int, Plan]:
    """Check that a run can work before it is queued.

    Returns:
        Its optimiser steps, and what its model is made of.

    Raises:
        ExplorerError: It cannot; the message says why.
    """
    dataset = dataset_of(spec)
    made = checked(spec.model, dataset, min(spec.train.batch_size, len(dataset.train)))
    if spec.train.batch_size == 1 or len(dataset.train) == 1:
        _check_norms(made)
    if not made.parameters:
        raise ExplorerError("This model has no weights to train. Add a linear or convolution layer.")
    return planned_steps(spec), made


def _check_norms(made: Plan) -> None:
    """Raise `SpecError` where batch norm would get a single value of each channel to take the mean of."""
    with torch.device("meta"):
        for layer in made.layers:
            try:
                if layer.given.kind in ("image", "series", "vector"):
                    layer.call.make().train()(torch.empty(1, *layer.given.size))
            except ValueError:
                raise SpecError(
                    f"Layer {layer.number} ({layer.kind}): batch norm cannot learn from batches of one example. "
                    "Use a batch size of at least 2, or layer norm.",
                    layer.number,
                ) from None


def submit(store: RunStore, spec: RunSpec, title: str = "", owner: str = "", session: str = "", sweep: str = "") -> Run:
    """Check a run and put it into the store: queued, or running at once if an owner is given.

    One that is there to answer a question gets the settings that this asks for, and its record says so.

    Raises:
        ExplorerError: It cannot work; nothing was stored.
    """
    spec = suited(spec)
    steps, made = check(spec)
    return store.create(spec, title, steps, made.parameters, owner, session, macs=made.macs, sweep=sweep)


def branch(store: RunStore, run: Run, step: int, train: TrainSpec | None = None, session: str = "") -> Run:
    """A new run that begins with the weights another one had at a kept step, and with a fresh optimiser; dropout stays
    as it was changed to last.

    Args:
        store: Holds both.
        run: The other one.
        step: A kept step.
        train: How to train; as the other one at last if None.
        session: Who wants it.

    Raises:
        ExplorerError: The weights are not there or do not fit, or the settings cannot work.
    """
    _check_purpose(run)
    model_at(store, run.id, step)  # says what is wrong with the weights
    dropout = run.spec.changed_by(run.step).dropout
    changes = () if dropout is None else ((0, Change(dropout=dropout)),)
    made_from = {"train": train or run.settings, "changes": changes, "start": (run.id, step)}
    spec = run.spec.model_copy(update=made_from)
    steps, made = check(spec)
    run_id = new_id()
    store.snapshots.save(run_id, 0, store.snapshots.load(run.id, step))
    try:
        title = f"{run.title[: TITLE_LENGTH - 24]} from step {step}"
        return store.create(spec, title, steps, made.parameters, session=session, run_id=run_id, macs=made.macs)
    except ExplorerError:
        store.snapshots.delete(run_id)
        raise


def change(store: RunStore, run: Run, values: Change) -> None:
    """Change settings of a run that goes on, from its next step.

    Raises:
        SpecError: It cannot work with them.
    """
    _check_purpose(run)
    check_room(run.spec)
    new = run.settings.model_copy(update={name: v for name, v in values.values.items() if name != "dropout"})
    check(run.spec.model_copy(update={"train": new}))
    if new.epochs < run.epoch:
        raise SpecError(f"The run is in epoch {run.epoch} already; it cannot end after {new.epochs}.")
    store.ask(run.id, Verb.CHANGE, values.values)


def more(store: RunStore, run: Run, epochs: int) -> None:
    """Let a run that is over go on from its last state for so many epochs more.

    Raises:
        ExplorerError: Nothing was kept to go on from, or the settings cannot work.
    """
    _check_purpose(run)
    check_room(run.spec)
    wanted = Change(epochs=run.epoch + epochs)
    store.resume(run.id, wanted.values)


def _check_purpose(run: Run) -> None:
    if run.spec.purpose != "train":
        raise SpecError(
            f"This run is a {run.spec.purpose}: its settings and its end are given. Start an ordinary run instead."
        )


def execute(
    store: RunStore, run: Run, owner: str, device: str = "auto", watch: Callable[..., None] | None = None
) -> Run:
    """Train a claimed run to its end, whatever that is, or until it is paused for long; return its final row.

    Args:
        store: Where events go.
        run: A run that is marked as running for this owner. It goes on from where it was if that was kept.
        owner: The name under which it was claimed.
        device: What ``auto`` in its settings means here.
        watch: Called with every event, and with None while nothing happens; what it raises ends the run as stopped if
            it is KeyboardInterrupt.
    """
    watch = watch or (lambda event: None)
    status, reason, test = Status.FINISHED, "", None
    try:
        torch.set_num_threads(training_threads())
        dataset = dataset_of(run.spec)
        model, training, recorder = _prepare(store, run, owner, dataset, device, watch)
        try:
            for event in training:
                recorder.take(event)
                watch(event)
        except (Stopped, KeyboardInterrupt):
            status = Status.STOPPED
        except Diverged as error:
            status, reason = Status.DIVERGED, str(error)
        finally:
            training.close()
        if status is not Status.DIVERGED and run.spec.purpose == "train":
            test = evaluate(model, dataset)
        recorder.close(keep_last=status is not Status.DIVERGED)
    except Left:
        return store.get(run.id)
    except RunGone:
        if store.find(run.id) is None:  # deleted while it trained: leave nothing behind
            store.snapshots.delete(run.id)
        raise
    except ExplorerError as error:
        status, reason = Status.FAILED, str(error)
    except Exception as error:
        if not _out_of_memory(error):
            store.end(run.id, Status.FAILED, "Something unexpected went wrong; the details are in the server's log.")
            raise
        status, reason = Status.FAILED, "The memory ran out. Use a smaller model or batch."
    store.end(run.id, status, reason, test)
    return store.get(run.id)


def _prepare(
    store: RunStore, run: Run, owner: str, dataset: Dataset, device: str, watch: Callable[..., None]
) -> tuple[torch.nn.Module, Training, Recorder]:
    settings = run.spec.train
    if settings.device == "auto":
        settings = settings.model_copy(update={"device": device})
    model = build(run.spec.model, dataset, seed=settings.seed)
    state = store.snapshots.state(run.id)
    store.snapshots.tidy(run.id)
    if state:
        store.rewind(run.id, state[1]["step"])
        run = store.get(run.id)
    elif run.spec.start:
        model.load_state_dict(store.snapshots.load(run.id, 0))
    training = training_of(run.spec)(model, dataset, settings, flow=True, resume=state)
    recorder = Recorder(store, run, owner, training)
    training.changes = Conductor(run, training, recorder, lambda: watch(None))
    recorder.begin(describe_device(training.device))
    return model, training, recorder


def _out_of_memory(error: Exception) -> bool:
    said = "can't allocate memory" in str(error) or "not enough memory" in str(error)  # torch's words on a CPU
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or (isinstance(error, RuntimeError) and said)
