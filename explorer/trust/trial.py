"""What is checked: one method's explanations of some of a model's answers, and what is needed to doubt them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from explorer.attribution import METHODS, Attribution, Method, Question
from explorer.attribution.question import Scored, embedding_of
from explorer.data import PAD

T = TypeVar("T")
IN_CACHE = 32
"""Inputs that are answered together: of more, what a convolution puts out would not stay in the cache of a CPU."""


@dataclass(frozen=True)
class Trial:
    """One method and the answers it explains.

    Attributes:
        method: The method, with its parameters.
        questions: The answers, each of one example; all of one model.
        seed: Fixes every random choice of the checks, which is the same for all methods.
        evidence: For each question which places decide, (P,) bool, where that is known.
        shuffled: The same network trained on shuffled labels, where there is one.
        attentions: For each question where attention looks, (P,), where the model has any.
        rivals: Other methods that explain the same.
        known: What was worked out already and other methods can use too: scores of covered inputs.
        given: What the method says of each question, if that is known already.
    """

    method: Method
    questions: Sequence[Question]
    seed: int = 0
    evidence: Sequence[np.ndarray] | None = None
    shuffled: nn.Module | None = None
    attentions: Sequence[np.ndarray] | None = None
    rivals: Sequence[Method] = ()
    known: dict[object, object] = field(default_factory=dict)
    given: Sequence[np.ndarray] | None = None

    @cached_property
    def explained(self) -> Sequence[np.ndarray]:
        """What the method says of each question, (P,); worked out, unless it was given."""
        return self.given or [placed(one, self.said(number)) for number, one in enumerate(self.questions)]

    def said(self, number: int, method: Method | None = None) -> Attribution:
        """What a method says of one question, of an image for each colour of a pixel."""
        method = method or self.method
        return self.remember(("said", number, method.name), lambda: method.explain(self.questions[number]))

    def explain(self, question: Question, method: Method | None = None) -> np.ndarray:
        """What a method says of another question at each place, (P,)."""
        return placed(question, (method or self.method).explain(question))

    def against(self) -> Trial:
        """The same trial of the random control, drawn anew for every question."""
        drawn = [self.random(number).uniform(-1, 1, places(one)) for number, one in enumerate(self.questions)]
        return replace(self, method=METHODS.make("random"), given=drawn)

    def remember(self, key: object, make: Callable[[], T]) -> T:
        """What `make` works out, once for all methods that share this trial's knowledge."""
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]  # type: ignore[return-value]

    def random(self, number: int) -> np.random.Generator:
        """Random numbers for one question, the same for every method."""
        return np.random.default_rng([self.seed, number])


def answered(questions: Sequence[Question], inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """What the model puts out for several inputs of each question, (K, …) → (K, classes) each.

    All inputs of one shape are worked on together: many small batches would take several times as long.
    """
    first = questions[0]
    if first.tokens is not None:  # each text has padding of its own
        return [question.logits(given) for question, given in zip(questions, inputs, strict=True)]
    (first,) = laid_out(questions[:1])
    together = torch.cat(list(inputs)).split(IN_CACHE)
    return list(torch.cat([first.logits(part) for part in together]).split([len(given) for given in inputs]))


def laid_out(questions: Sequence[Question]) -> list[Question]:
    """The same questions put to a copy of their model whose weights lie in memory as convolutions of a CPU read them
    fastest, colours side by side: two to three times as fast, with the same numbers up to rounding.
    """
    first = questions[0]
    if first.modality != "image" or first.x.is_cuda:
        return list(questions)
    model = deepcopy(first.model).to(memory_format=torch.channels_last)
    return [replace(one, scored=Scored(model, one.scored.target)) for one in questions]


# -- places -----------------------------------------------------------------------------------------------------------


def places(question: Question) -> int:
    """How many places an input has: pixels, steps of each channel, features, or words without padding."""
    if question.tokens is not None:
        return int((question.tokens != PAD).sum())
    shape = question.x.shape[1:]
    return int(np.prod(shape[1:] if question.modality == "image" else shape))


def placed(question: Question, said: Attribution) -> np.ndarray:
    """The value of each place, (P,): of a pixel the sum over its colours, and none for padding."""
    values = said.values.sum(axis=0) if question.modality == "image" else said.values
    if question.tokens is not None:
        return values[(question.tokens[0] != PAD).cpu().numpy()]
    return values.ravel()


def cover(question: Question, covered: np.ndarray) -> torch.Tensor:
    """The input with some of its places replaced by the baseline's: covered (K, P) bool → (K, …)."""
    mask = torch.from_numpy(covered).to(question.x.device)
    if question.tokens is not None:
        whole = torch.zeros(len(mask), question.x.shape[1], dtype=torch.bool, device=mask.device)
        whole[:, question.tokens[0] != PAD] = mask
        mask = whole[:, :, None]
    elif question.modality == "image":
        mask = mask.reshape(-1, 1, *question.x.shape[2:])
    else:
        mask = mask.reshape(-1, *question.x.shape[1:])
    return torch.where(mask, question.baseline, question.x)


def changes(question: Question) -> np.ndarray:
    """How much each value differs from the baseline's, of the shape of one input; of words the length, (L,)."""
    change = (question.x - question.baseline)[0]
    return (change if question.tokens is None else change.norm(dim=1)).cpu().numpy()


def of_model(question: Question, model: nn.Module) -> Question:
    """The same question put to another model of the same form; of words, at its embedding."""
    old = question.scored
    scored = Scored(model, old.target, old.tokens, old.written, old.at)
    if old.tokens is None:
        return replace(question, scored=scored)
    with torch.no_grad():
        vectors, others = embedding_of(model)(old.tokens), embedding_of(model)(question.texts)
    return replace(question, scored=scored, x=vectors, baseline=others[:1], references=others[1:])
