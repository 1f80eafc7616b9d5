"""Sweeps: runs made together that differ in chosen settings, over a grid or at random."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import Field
from pydantic.fields import FieldInfo

from explorer.data import Dataset, dataset_of, load_dataset
from explorer.data.own import called
from explorer.errors import ExplorerError, SpecError
from explorer.models import FAMILIES, LAYERS, preset
from explorer.runs.controls import Verb
from explorer.runs.differences import named, title
from explorer.runs.execute import check
from explorer.runs.run import Status
from explorer.runs.store import TITLE_LENGTH, RunStore, new_id
from explorer.runs.values import Scalar, Values, said
from explorer.specs import ModelSpec, RunSpec, TrainSpec, parse
from explorer.training import resolve_device

MOST_RUNS = 100
"""Most runs of one sweep."""
TRIES = 50
"""Draws for each run wanted until a random sweep has no new ones to find."""
EXAMPLES = "examples"
"""The field that says on how many examples a run trains."""

Setting = dict[str, Scalar]
"""A value for each swept field."""


@dataclass(frozen=True)
class Candidate:
    """One run of a sweep that can work.

    Attributes:
        setting: What sets it apart.
        steps: Optimiser steps it takes.
        samples: Examples it trains on, each as often as it is seen.
        macs: Multiply-adds for one example, forwards.
    """

    setting: Setting
    spec: RunSpec
    title: str
    steps: int
    samples: int
    parameters: int
    macs: int


@dataclass(frozen=True)
class Sweep:
    """A sweep, checked and not started yet.

    Attributes:
        runs: Those that can work.
        refused: Those that cannot: what would set each apart, and why not.
    """

    runs: tuple[Candidate, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def steps(self) -> int:
        """Optimiser steps of all runs together."""
        return sum(run.steps for run in self.runs)


def sweepable(base: RunSpec) -> dict[str, FieldInfo]:
    """The fields that a sweep from this run can vary, by name, in menu order.

    Training settings; parameters of its family, if its model is one's starter, or of each layer of a model that was
    edited, such as ``conv1.channels``; the number of training examples.
    """
    model = FAMILIES[base.family].model_fields if base.family in FAMILIES else _of_layers(base.model)
    most = len(load_dataset(base.dataset).train)
    about = f"Train on the first so many only; there are {most:,}."
    size = Field(ge=1, le=most, title="Training examples", description=about)
    return {**TrainSpec.model_fields, **model, EXAMPLES: FieldInfo.from_annotation(Annotated[int, size])}


def _of_layers(model: ModelSpec) -> dict[str, FieldInfo]:
    """The parameters of all layers; their defaults are what they are now."""
    found = {}
    for layer, given in named(model).items():
        for name, field in LAYERS[given.kind].model_fields.items() if given.kind in LAYERS else ():
            found[f"{layer}.{name}"] = mine = copy(field)
            mine.title, mine.default = title(f"{layer}.{name}"), given.params.get(name, field.default)
    return found


def grid(values: Sequence[Values]) -> list[Setting]:
    """Every combination, the last field changing fastest.

    Raises:
        SpecError: There is none, a range does not say how many values it has, or they are more than `MOST_RUNS`.
    """
    _check_fields(values)
    for one in values:
        if not one.values:
            low, high = (said(end) for end in one.ends)
            raise SpecError(f"How many values from {low} to {high}? Type {low} to {high} in 4 steps, or choose random.")
    count = math.prod(len(one.values) for one in values)
    if count > MOST_RUNS:
        raise SpecError(
            f"This makes {count:,} runs; at most {MOST_RUNS} are made at once. Use fewer values, or choose random."
        )
    names = [one.name for one in values]
    return [dict(zip(names, taken, strict=True)) for taken in itertools.product(*(one.values for one in values))]


def drawn(values: Sequence[Values], count: int, seed: int = 0) -> list[Setting]:
    """Combinations at random (Bergstra and Bengio, 2012), no two the same; the same seed gives the same ones.

    Lists give each of their values as often; ranges are uniform, or log-uniform where they are cut into equal ratios,
    and rounded to three significant digits.

    Returns:
        As many as were wanted, or fewer if there are not so many.

    Raises:
        SpecError: No field was chosen, or more than `MOST_RUNS` are wanted.
    """
    _check_fields(values)
    if not 1 <= count <= MOST_RUNS:
        raise SpecError(f"A sweep can have from 1 to {MOST_RUNS} runs, not {count:,}.")
    random, found = np.random.default_rng(seed), {}
    for _ in range(TRIES * count):
        setting = {one.name: one.draw(random) for one in values}
        found.setdefault(tuple(setting.values()), setting)
        if len(found) == count:
            break
    return list(found.values())


def _check_fields(values: Sequence[Values]) -> None:
    names = [one.name for one in values]
    if not names:
        raise SpecError("Nothing is varied yet. Choose a setting and type its values.")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SpecError(f"{twice.replace('_', ' ').capitalize()} is there twice. Remove one of them.")


def expand(base: RunSpec, settings: Sequence[Setting]) -> Sweep:
    """Make a run of each combination and check it, before any is queued.

    Args:
        base: What they have in common.
        settings: What sets each apart.

    Raises:
        ExplorerError: None of them can work; the message says why the first cannot.
    """
    runs: list[Candidate] = []
    refused: list[tuple[str, str]] = []
    known: dict[str, str] = {}
    for setting in settings:
        words = described(base, setting)
        try:
            run = _candidate(base, setting, words)
            if twin := known.get(same := _effect(run.spec)):
                raise SpecError(f"It would be the same as {twin}: what differs has no effect here.")
            known[same] = words
            runs.append(run)
        except ExplorerError as error:
            refused.append((words, str(error)))
    if not runs:
        raise SpecError(f"None of these runs can work. {refused[0][0].capitalize()}: {refused[0][1]}")
    return Sweep(tuple(runs), tuple(refused))


def described(base: RunSpec, setting: Setting) -> str:
    """What sets a run apart, in words: ``width 16, learning rate 0.01``."""
    fields = sweepable(base)
    return ", ".join(f"{(fields[n].title or n.replace('_', ' ')).lower()} {said(v)}" for n, v in setting.items())


def start(store: RunStore, sweep: Sweep, session: str = "") -> str:
    """Queue the runs of a sweep; workers take them in turn with those of other people.

    Args:
        store: Where they go.
        sweep: What `expand` made.
        session: Who wants it.

    Returns:
        The id that its runs share.

    Raises:
        StoreError: They cannot be written; then none is left.
    """
    sweep_id, made = new_id(), []
    try:
        for run in sweep.runs:
            kept = store.create(
                run.spec, run.title, run.steps, run.parameters, session=session, macs=run.macs, sweep=sweep_id
            )
            made.append(kept.id)
    except ExplorerError:
        for run_id in made:
            store.delete(run_id)
        raise
    return sweep_id


def stop(store: RunStore, sweep: str) -> None:
    """Stop all runs of a sweep: those that wait at once, and first, so that no worker takes one up meanwhile."""
    going = [run for run in store.of_sweep(sweep) if not run.status.over]
    for run in sorted(going, key=lambda run: run.status is not Status.QUEUED):
        store.ask(run.id, Verb.STOP)


def _candidate(base: RunSpec, setting: Setting, words: str) -> Candidate:
    spec = _spec(base, setting)
    if spec.train.device != "auto":
        resolve_device(spec.train.device)
    steps, made = check(spec)
    name = base.called(called(base.dataset))
    title = f"{name}: {words}" if len(f"{name}: {words}") <= TITLE_LENGTH else words
    samples = spec.train.epochs * len(dataset_of(spec).train)
    return Candidate(setting, spec, title, steps, samples, made.parameters, made.macs)


def _spec(base: RunSpec, setting: Setting) -> RunSpec:
    train = {name: value for name, value in setting.items() if name in TrainSpec.model_fields}
    size = {name: value for name, value in setting.items() if name == EXAMPLES}
    layers = {name: value for name, value in setting.items() if "." in name}
    family = {name: value for name, value in setting.items() if name not in {**train, **size, **layers}}
    changes: dict[str, Any] = dict(size)
    if train:
        changes["train"] = parse(TrainSpec, base.train.model_dump() | train, "training setting")
    if family:
        changes["starter"] = base.starter | family
        changes["model"] = preset(base.family, load_dataset(base.dataset), **changes["starter"])
    if layers:
        changes["model"] = _edited(base.model, layers)
    return base.model_copy(update=changes)


def _edited(model: ModelSpec, values: Setting) -> ModelSpec:
    """The model with other parameters of some layers, by names such as ``conv1.channels``."""
    layers = named(model)
    for name, value in values.items():
        layer, _, field = name.rpartition(".")
        layers[layer] = layers[layer].with_params(**{field: value})
    made, encoder = tuple(layers.values()), len(model.layers)
    return model.model_copy(update={"layers": made[:encoder], "decoder": made[encoder:]})


def _effect(spec: RunSpec) -> str:
    """The same text for runs that would train in the same way."""
    dataset = dataset_of(spec)
    usual, examples = TrainSpec(), len(dataset.train)
    same = {name: getattr(usual, name) for name, reason in _IDLE.items() if reason(spec.train, dataset)}
    same["batch_size"] = min(spec.train.batch_size, examples)
    train = spec.train.model_copy(update=same)
    return spec.model_copy(update={"train": train, "starter": {}, EXAMPLES: examples}).model_dump_json()


def _not_sgd(train: TrainSpec, dataset: Dataset) -> bool:
    return train.optimizer != "sgd"


def _no_image(train: TrainSpec, dataset: Dataset) -> bool:
    return dataset.modality != "image"


_IDLE = {
    "momentum": _not_sgd,
    "nesterov": _not_sgd,
    "label_smoothing": lambda train, dataset: dataset.task == "regression",
    **dict.fromkeys(("shift", "rotate", "noise", "erase"), _no_image),
}
"""Settings that change nothing, and when."""
