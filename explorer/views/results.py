"""What was computed for one session and serves the next: bounded caches of frozen results.

No module is shared: PyTorch modules carry hooks, modes and gradients, so each computation builds its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from explorer.errors import SnapshotError
from explorer.figures.curves import Look, diagnose, learning_curve
from explorer.figures.lines import Lines
from explorer.runs.run import Run
from explorer.specs import Change
from explorer.views import page
from explorer.views.following import Curves, Newest
from explorer.views.server import store

if TYPE_CHECKING:
    import torch
    from torch import nn

    from explorer.data.made import Example
    from explorer.probes import Answers, Filters, Prediction, Spot, Translations

WORDS: dict[str, tuple[str, Callable[[float], str], str]] = {
    "accuracy": (
        "accuracy",
        lambda value: f"{value:.1%}",
        "Share of the test examples, never trained on, that it gets right.",
    ),
    "token_accuracy": (
        "token accuracy",
        lambda value: f"{value:.1%}",
        "Share of the next words or characters it gets right when the ones before are given.",
    ),
    "exact_match": (
        "exact match",
        lambda value: f"{value:.1%}",
        "Share of the test examples whose whole translation, written by itself, is right.",
    ),
    "bleu": (
        "BLEU",
        lambda value: f"{value:.1f}",
        "How many runs of one to four words it shares with the right translation (Papineni et al., 2002); 100 is best.",
    ),
    "mae": (
        "error",
        lambda value: f"{value:.4g}",
        "Mean absolute error: how far its answers are off on average, in units of the data.",
    ),
    "r2": (
        "R²",
        lambda value: f"{value:.2f}",
        "Share of the variance it explains: 1 is perfect, 0 is no better than always answering the mean.",
    ),
}
"""For each metric its title, how it is written, and what it means."""

KEPT = 512
"""Small results of each kind kept for all sessions together."""
KEPT_LARGE = 48
"""The same for feature maps and filters, of which one may take megabytes."""
KEPT_BYTES = "256MB"
"""The same for the answers to whole splits together."""


@st.cache_resource(show_spinner=False)
def _followed() -> tuple[Curves, Newest]:
    return Curves(store()), Newest(KEPT_LARGE)


def metrics(run_id: str) -> pd.DataFrame:
    """All metrics of a run so far; do not change the table."""
    return _followed()[0].read(run_id)


def lines(run_id: str) -> Lines:
    """The same as lines, for figures that are drawn several times a second."""
    return _followed()[0].follow(run_id)[0]


class Drawn(NamedTuple):
    """What is seen of a run while it trains.

    Attributes:
        said: What the losses say of how it learns.
        content: All that the figures are made from.
    """

    loss: go.Figure
    metric: go.Figure
    said: str
    content: Hashable


def drawn(run: Run, dark: bool, look: Look, seen: int | None = None) -> Drawn:
    """The curves of a run; all who watch it see the same figures, so that they are made once.

    Args:
        run, dark, look: Which run, and how it is drawn.
        seen: A step that is marked.
    """
    curves, newest = _followed()
    found, version = curves.follow(run.id)
    changes = run.spec.changes if run.spec else ()
    state = (version, run.total_steps, run.best_step, changes)

    def make() -> Drawn:
        marks = {step: said(change) for step, change in changes}
        loss, other = (
            learning_curve(found, name, run.total_steps, dark, look, marks, run.best_step, seen)
            for name in ("loss", metric(run))
        )
        return Drawn(loss, other, diagnose(found, constant(run)), (run.id, dark, look, seen, state))

    return newest.get((run.id, dark, look, seen), state, make)


def said(change: Change) -> str:
    """A change of settings in words."""
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in change.values.items())


@st.cache_data(max_entries=64, ttl=1.0, show_spinner=False)
def flow(run_id: str) -> pd.DataFrame:
    """Gradient flow of a run so far."""
    return store().flow(run_id)


def metric(run: Run) -> str:
    """The metric that is drawn beside the loss of a run."""
    from explorer.data import dataset_of
    from explorer.training import task_of

    return task_of(dataset_of(run.spec)).metric if run.spec else "accuracy"


def constant(run: Run) -> float:
    """The loss of giving all training examples of a run the same answer."""
    from explorer.data import dataset_of
    from explorer.training import task_of

    dataset = dataset_of(run.spec)
    return task_of(dataset).constant(dataset.train.targets)


def data_title(dataset: str) -> str:
    """What people call a data set in the name of a run."""
    from explorer.data.own import called

    return called(dataset)


def examples(run: Run) -> int:
    """How many examples a run trains on."""
    from explorer.data import dataset_of

    return len(dataset_of(run.spec).train)


@st.cache_data(show_spinner=False)
def recorded() -> pd.DataFrame:
    """Accuracies of the default run, as once recorded: what newcomers see before they have a run."""
    return pd.read_csv(page.ASSETS / "first_run.csv")


@st.cache_data(max_entries=KEPT, show_spinner=False)
def prediction(run_id: str, step: int, split: str, example: Example) -> Prediction:
    """What a run's model at a step answers for an example."""
    from explorer.probes import predict

    return predict(rebuilt(run_id, step, per_class=True), input_of(run_id, split, example))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def output(run_id: str, step: int, split: str, example: Example) -> float:
    """The one value a regression puts out for an example, standardised."""
    from explorer.probes import predict

    return float(predict(rebuilt(run_id, step), input_of(run_id, split, example)).logits[0])


@st.cache_data(max_entries=KEPT_LARGE, show_spinner=False)
def seen(run_id: str, step: int, split: str, example: Example, spot: Spot) -> np.ndarray:
    """What is seen of an example at a spot of a run's model, as from `seen_at`; in a decoder, while the right
    translation is written, or, of a made example, the model's own.
    """
    from explorer.probes import seen_at

    return seen_at(rebuilt(run_id, step), spot, *given(run_id, split, example, step))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def span(run_id: str, steps: tuple[int, ...], split: str, example: Example, spot: Spot) -> tuple[float, float]:
    """Lowest and highest of what is seen at a spot at any of several steps; those dropped meanwhile are left out."""
    from explorer.probes import seen_at

    low, high = 0.0, 0.0
    for step in steps:
        with suppress(SnapshotError):
            values = seen_at(rebuilt(run_id, step), spot, *given(run_id, split, example, step))
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


@st.cache_data(max_entries=64, show_spinner=False)
def spots(run_id: str) -> list[Spot]:
    """Where one can look into a run's model."""
    from explorer.data import dataset_of
    from explorer.models import build, plan
    from explorer.probes import spots_of

    spec = store().get(run_id).spec
    dataset = dataset_of(spec)
    return spots_of(build(spec.model, dataset), [layer.name for layer in plan(spec.model, dataset).layers])


def translation(run_id: str, step: int, split: str, example: Example) -> str:
    """What a translator writes for an example."""
    from explorer.data import dataset_of

    return dataset_of(store().get(run_id).spec).answer(written(run_id, step, split, example)[0])


@st.cache_data(max_entries=KEPT, show_spinner=False)
def written(run_id: str, step: int, split: str, example: Example) -> torch.Tensor:
    """The tokens that a translator writes for an example, (1, T), without the start token."""
    from explorer.data import dataset_of
    from explorer.models import translate
    from explorer.training import evaluating

    dataset, model = dataset_of(store().get(run_id).spec), rebuilt(run_id, step)
    with evaluating(model):
        return translate(model, input_of(run_id, split, example), dataset.target_shape.size[0])


def rightness(run_id: str, step: int, split: str, example: int) -> float:
    """How a run's model at a step stands to the right answer for an example of a split: the probability of its class;
    the mean probability of the right next tokens of a translation; of a regression its answer itself, in units of the
    data.
    """
    from explorer.data import dataset_of
    from explorer.probes import predict, right_tokens

    dataset = dataset_of(store().get(run_id).spec)
    x, target = input_of(run_id, split, example), dataset.split(split).targets[example]
    if dataset.task == "translation":
        return float(right_tokens(rebuilt(run_id, step), x, target[None]).mean())
    if dataset.task == "regression":
        mean, spread = dataset.scale
        return mean + spread * float(predict(rebuilt(run_id, step), x).logits[0])
    return float(predict(rebuilt(run_id, step, per_class=True), x).probabilities[int(target)])


@st.cache_data(max_entries=KEPT_LARGE, show_spinner=False)
def filters(run_id: str, step: int, layer: str) -> Filters:
    """Weights of a convolution."""
    from explorer import probes

    return probes.filters(rebuilt(run_id, step), layer)


@st.cache_data(max_entries=KEPT, max_size=KEPT_BYTES, show_spinner="Answering every example", show_time=True)
def answers(run_id: str, step: int, split: str) -> Answers:
    """What a run's model at a step answers for every example of a split; not of translations."""
    from explorer import probes
    from explorer.data import dataset_of

    return probes.answers(rebuilt(run_id, step), dataset_of(store().get(run_id).spec), split)


@st.cache_data(max_entries=KEPT, max_size=KEPT_BYTES, show_spinner="Translating every example", show_time=True)
def translations(run_id: str, step: int, split: str) -> Translations:
    """What a translator at a step writes for every example of a split."""
    from explorer import probes
    from explorer.data import dataset_of

    return probes.translations(rebuilt(run_id, step), dataset_of(store().get(run_id).spec), split)


def rebuilt(run_id: str, step: int, per_class: bool = False) -> nn.Module:
    """A run's model as it was at a step, made anew; with a logit for each of two classes, if that is asked for."""
    from explorer.data import dataset_of
    from explorer.probes import TwoClasses
    from explorer.runs.replay import model_at

    model = model_at(store(), run_id, step)
    two = per_class and dataset_of(store().get(run_id).spec).task == "binary"
    return TwoClasses(model) if two else model


def input_of(run_id: str, split: str, example: Example) -> torch.Tensor:
    """An example, (1, …)."""
    from explorer.data import dataset_of
    from explorer.data.made import example_of

    return example_of(dataset_of(store().get(run_id).spec), split, example)


def given(run_id: str, split: str, example: Example, step: int | None = None) -> tuple[torch.Tensor, ...]:
    """What a run's model is called with for an example: its input; of a translator also what is written so far.

    That is the right translation. A made example has none: for it, it is what the model writes at a step by itself.

    Args:
        run_id, split, example: Which example.
        step: Of which weights the model is; of the last ones if None.
    """
    from explorer.data import dataset_of

    x = input_of(run_id, split, example)
    if dataset_of(store().get(run_id).spec).task != "translation":
        return (x,)
    return x, to_write(run_id, split, example, step)[:, :-1]  # the last token is only answered


def to_write(run_id: str, split: str, example: Example, step: int | None = None) -> torch.Tensor:
    """The right translation of an example, from start to end with padding, (1, T + 1); of a made example what the model
    writes at a step by itself.
    """
    from explorer.data import START, dataset_of

    dataset = dataset_of(store().get(run_id).spec)
    if isinstance(example, int):
        return dataset.split(split).targets[example : example + 1]
    step = store().snapshots.steps(run_id)[-1] if step is None else step
    own = written(run_id, step, split, example)
    row = own.new_zeros(1, 1 + dataset.target_shape.size[0])
    row[0, 0] = START
    row[0, 1 : 1 + own.shape[1]] = own[0]
    return row
