"""What is asked of a model on this page, as a value that cached answers are found by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError, NotApplicable
from explorer.views import results
from explorer.views.server import store

if TYPE_CHECKING:
    import torch

    from explorer.attribution import Attribution, Question, Target
    from explorer.data import Dataset
    from explorer.data.made import Example

REFERENCES = 20
"""Train examples that methods compare with which need many."""
WROTE, RIGHT = "wrote", "right"
"""Of a translation: the model's own writing is explained, or the right one."""
CHUNK = 8
"""Examples explained at once: after each chunk the page can be left."""


@dataclass(frozen=True)
class Asked:
    """A method, how it works, and what it is to explain.

    Attributes:
        method, params: Its name and parameters.
        target: The class; two of them for their difference. Of a translation it is the token, whatever stands here.
        baseline, compared: Kind of baseline, and the number of the train example it is, if it is one.
        references, seed: How many train examples it compares with, and what draws them.
        text, at: Of a translation: which text, and which of its tokens.
    """

    method: str
    params: tuple[tuple[str, Any], ...] = ()
    target: Target = 0
    baseline: str = "zero"
    compared: int = 0
    references: int = REFERENCES
    seed: int = 0
    text: str = ""
    at: int = 0

    @property
    def needed(self) -> Asked:
        """The same without what the method does not look at."""
        from explorer.attribution import METHODS

        compares = METHODS[self.method].compares()
        asked = self
        if compares != "baseline" or self.baseline != "example":
            asked = replace(asked, compared=0)
        if compares != "baseline":
            asked = replace(asked, baseline="zero")
        return asked if compares == "references" else replace(asked, references=REFERENCES, seed=0)

    def words(self, dataset: Dataset) -> str:
        """What the input is compared with, in words; empty if with nothing."""
        from explorer.attribution import METHODS, PARTS

        compares = METHODS[self.method].compares()
        if compares == "references":
            return f"{self.references} train examples"
        zero = PARTS[dataset.modality].baseline
        said = {
            "zero": zero,
            "mean": "the mean of the train split",
            "blurred": "the blurred input",
            "example": f"train example {self.compared}",
        }
        return said[self.baseline] if compares else ""


def explained(run_id: str, step: int, split: str, example: Example, asked: Asked) -> Attribution | str:
    """What a method says of an answer; or, in words, why it says nothing."""
    return _explained(run_id, step, split, example, asked.needed)


@st.cache_data(max_entries=results.KEPT, max_size=results.KEPT_BYTES, show_spinner=False)
def _explained(run_id: str, step: int, split: str, example: Example, asked: Asked) -> Attribution | str:
    from explorer.attribution import METHODS

    model = results.rebuilt(run_id, step, per_class=True)
    try:
        question = _question(run_id, step, split, example, asked, model)
        return METHODS.make(asked.method, **dict(asked.params)).explain(question)
    except ExplorerError as error:
        return str(error)


def explain_rows(
    run_id: str, step: int, split: str, rows: tuple[int, ...], targets: tuple[Target, ...], asked: Asked
) -> list[Attribution | str]:
    """The same for several examples, each with a target of its own; the target of `asked` counts for none."""
    return _explain_rows(run_id, step, split, rows, targets, asked.needed)


@st.cache_data(max_entries=results.KEPT, max_size=results.KEPT_BYTES, show_spinner=False)
def _explain_rows(
    run_id: str, step: int, split: str, rows: tuple[int, ...], targets: tuple[Target, ...], asked: Asked
) -> list[Attribution | str]:
    from explorer.attribution import METHODS

    model = results.rebuilt(run_id, step, per_class=True)
    found: list[Attribution | str] = []
    for row, target in zip(rows, targets, strict=True):
        try:
            question = _question(run_id, step, split, row, replace(asked, target=target), model)
            found.append(METHODS.make(asked.method, **dict(asked.params)).explain(question))
        except ExplorerError as error:
            found.append(str(error))
    return found


def _question(run_id: str, step: int, split: str, example: Example, asked: Asked, model: Any) -> Question:
    from explorer.attribution import ask
    from explorer.attribution.compared import baseline, references
    from explorer.data import dataset_of

    dataset, x = dataset_of(store().get(run_id).spec), results.input_of(run_id, split, example)
    more: dict[str, Any] = {
        "baseline": baseline(dataset, x, asked.baseline, asked.compared),
        "references": references(dataset, asked.references, asked.seed),
    }
    target = asked.target
    if dataset.task == "translation":
        before, tokens = read(run_id, step, split, example, asked.text)
        if asked.at >= len(tokens):
            raise NotApplicable(f"This translation ends with token {len(tokens)}. Choose an earlier one.")
        target, more["written"], more["at"] = tokens[asked.at], before, asked.at
    return ask(model, x, target, **more)


def read(run_id: str, step: int, split: str, example: Example, text: str) -> tuple[torch.Tensor, list[int]]:
    """What a decoder reads, (1, T) from the start token on, and which token follows at each place, to the end token.

    Args:
        run_id, step, split, example: Which model and source.
        text: `WROTE`, or `RIGHT`; of a made example there is only what the model writes.
    """
    from explorer.data import PAD, START, dataset_of

    dataset = dataset_of(store().get(run_id).spec)
    if text == RIGHT and isinstance(example, int):
        tokens = dataset.split(split).targets[example, 1:]
    else:
        tokens = results.written(run_id, step, split, example)[0]
    said = [token for token in tokens.tolist() if token != PAD]
    before = tokens.new_zeros(1, dataset.target_shape.size[0])
    before[0, 0] = START
    before[0, 1 : len(said)] = tokens[: len(said) - 1]
    return before, said


@st.cache_data(max_entries=64, show_spinner=False)
def refusals(run_id: str, step: int) -> dict[str, str]:
    """For each method that does not apply to a run's model, why; in words. Only its layers decide."""
    from explorer.attribution import METHODS
    from explorer.data import dataset_of

    dataset = dataset_of(store().get(run_id).spec)
    text = WROTE if dataset.task == "translation" else ""
    model = results.rebuilt(run_id, step, per_class=True)
    question = _question(run_id, step, "test", 0, Asked("saliency", text=text), model)
    found = {method.name: method.needs(question) for method in METHODS.values()}
    return {name: reason for name, reason in found.items() if reason}


@st.cache_data(max_entries=64, show_spinner=False)
def inner_layers(run_id: str, step: int) -> list[str]:
    """Layers whose values can be explained."""
    from explorer.attribution.layer_methods import layers

    return layers(results.rebuilt(run_id, step))


def positions(values: np.ndarray, modality: str) -> np.ndarray:
    """Values of an image without its channels, (H, W), of a series (C, L) likewise, (L,); others as they are."""
    return values.sum(axis=0) if modality in ("image", "series") and values.ndim > 1 else values
