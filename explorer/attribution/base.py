"""What an attribution method is, and the one call that runs it."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import nn

from explorer.attribution.question import Question, Target, ask
from explorer.data import PAD
from explorer.errors import NotApplicable
from explorer.models.seeded import seeded
from explorer.probes.capture import quiet
from explorer.registry import Declared, Registry
from explorer.specs import Modality


@dataclass(frozen=True)
class Attribution:
    """How much each input value spoke for or against a class.

    Attributes:
        method: Name of the method.
        params: The parameters it ran with.
        target: The class explained, or the two whose difference is.
        values: Same shape as the input without its batch dimension; of tokens one value each, (L,). Of a method that
            looks at a layer, the shape of what the layer puts out. Positive speaks for the class.
        error: Completeness error: |sum of values - (score(x) - score(baseline))|, in logits, for methods that promise
            completeness; None for the others.
        layer: Name of the layer the values are of; empty for the input.
    """

    method: str
    params: dict[str, Any]
    target: Target
    values: np.ndarray
    error: float | None
    layer: str = ""

    @property
    def nothing(self) -> bool:
        """Whether all values are zero: there is nothing to see, and no picture should pretend there is."""
        return not self.values.any()


class Part(NamedTuple):
    """How to speak of one value of an input."""

    name: str
    more: str
    """What becomes of it as its value grows."""
    baseline: str
    """An input of zeros, with which methods compare."""


PARTS: dict[Modality, Part] = {
    "image": Part("pixel", "brighter", "a black image"),
    "series": Part("step", "higher", "a flat signal"),
    "vector": Part("feature", "higher", "the average row"),
    "tokens": Part("word", "more itself", "a text of padding"),
}
"""For each kind of input, how its values are spoken of."""


GROUPS = ("Gradients", "Backward rules", "Covering", "Attention", "Inside the model", "Controls")
"""What methods do, in the order of the menu."""


class Method(Declared):
    """Base of all attribution methods: checks, modes, gradients and conversion are done here, Captum does the rest."""

    order: ClassVar[int] = 100
    group: ClassVar[str] = "Gradients"
    """One of `GROUPS`."""
    paper: ClassVar[str]
    """Where it was published: authors and year."""
    cost: ClassVar[str]
    """What it takes, in words: how often the model is run."""
    reads: ClassVar[str]
    """How to read the picture, in a sentence or two, with ``{part}``, ``{more}`` and ``{baseline}`` as in `Part`."""
    complete: ClassVar[Literal["", "baseline", "references"]] = ""
    """With what the score is compared if the values promise to add up to the difference."""
    slope: ClassVar[bool] = False
    """Whether its values are slopes. Those of a token's vector may cancel out, so their length is taken, without sign
    (Li et al., 2016); of other methods their sum.
    """
    control: ClassVar[bool] = False
    """Whether it looks at nothing the model does: what every other method should beat."""
    inner: ClassVar[bool] = False
    """Whether its values are those of a layer rather than of the input."""

    @classmethod
    def needs(cls, question: Question) -> str | None:
        """Why the method does not apply to this question, in words, or None if it does."""
        return None

    @classmethod
    def compares(cls) -> Literal["", "baseline", "references"]:
        """With what it compares the input, if it does."""
        return cls.complete or ("baseline" if cls.group == "Covering" else "")

    @classmethod
    def reading(cls, modality: Modality, baseline: str = "") -> str:
        """`reads` for one kind of input, compared with a baseline: in words, or zeros if none are given."""
        if cls.slope and modality == "tokens":
            return "The more, the more a small change of this word's vector would move the score, up or down."
        part = PARTS[modality]
        return cls.reads.format(part=part.name, more=part.more, baseline=baseline or part.baseline)

    @abstractmethod
    def run(self, question: Question) -> torch.Tensor:
        """Values of the shape of `question.x`, (1, …), or (1, L) of tokens; of a layer, of the shape of its output."""

    def explain(self, question: Question) -> Attribution:
        """Run it and check what comes out.

        Raises:
            NotApplicable: It does not apply, or its values are not finite.
            SpecError: A class that the model does not have.
        """
        if reason := self.needs(question):
            raise NotApplicable(f"{self.title} does not apply: {reason}")
        question = replace(question, x=question.x.detach().clone())  # methods let it have a gradient
        with torch.enable_grad(), quiet(question.scored), without_cudnn(question.model, question.x):
            values = self.run(question).detach()
            if question.tokens is not None and not self.inner and values.ndim == 3:  # (1, L, D) → (1, L)
                values = values.norm(dim=2) if self.slope else values.sum(2)
            if question.tokens is not None and not self.inner:
                values = values * (question.tokens != PAD)
            error = self._error(question, values) if self.promises(question) else None
        array = values[0].cpu().numpy().copy()
        if not np.isfinite(array).all():
            raise NotApplicable(
                f"{self.title} gives values that are not finite for this example: the model's scores or gradients "
                "overflow there. Choose an earlier step, or train with a smaller learning rate."
            )
        return Attribution(self.name, self.model_dump(), question.scored.target, array, error, self.place)

    def promises(self, question: Question) -> bool:
        """Whether the values of this question promise to add up, as `complete` says."""
        return bool(self.complete)

    @property
    def place(self) -> str:
        """Name of the layer it looks at; empty for the input."""
        return getattr(self, "layer", "") if self.inner else ""

    def _error(self, question: Question, values: torch.Tensor) -> float:
        others = question.references if self.complete == "references" else question.baseline
        scores = question.score(torch.cat([question.x, others]))
        return abs(float(values.sum() - (scores[0] - scores[1:].mean())))


class Drawn(Method):
    """Base of methods that draw random numbers: the same seed gives the same values."""

    seed: int = Field(0, ge=0, lt=2**31, description="Fixes what is drawn at random.")

    def explain(self, question: Question) -> Attribution:
        with seeded(self.seed):
            return super().explain(question)


METHODS = Registry("attribution method", Method, "explorer.attribution")


def attribute(
    method: str,
    model: nn.Module,
    x: torch.Tensor,
    target: Target,
    *,
    baseline: torch.Tensor | None = None,
    references: torch.Tensor | None = None,
    written: torch.Tensor | None = None,
    at: int = -1,
    **params: Any,
) -> Attribution:
    """Explain one answer of a model.

    Args:
        method: A registered name, such as ``"integrated_gradients"``.
        model: Takes (N, …), returns logits (N, classes); or a translator.
        x: One example, (1, …): numbers, or (1, L) tokens of a model made by `build`.
        target: Number of the class whose logit is explained; two of them for the difference of their logits ("why
            this and not that?"); of a translation the token.
        baseline: What the example is compared with, of its shape; zeros if None (of tokens: padding).
        references: (M, …) other examples, for methods that compare with many; the baseline alone if None.
        written: (1, T) what a translator has written so far, from the start token on.
        at: Of a translator: which of the next tokens is explained, as a place in `written`.
        **params: Parameters of the method, such as ``steps``.

    Returns:
        A frozen `Attribution` on the CPU. The model's mode, gradients and hooks are left as they were.

    Raises:
        UnknownName: No such method.
        SpecError: No such parameter, a wrong value, a baseline of another shape, or a class the model does not have.
        NotApplicable: The method does not apply, or its values are not finite; the message says why.
    """
    made = METHODS.make(method, **params)
    return made.explain(ask(model, x, target, baseline=baseline, references=references, written=written, at=at))


def without_cudnn(model: nn.Module, x: torch.Tensor) -> AbstractContextManager[None]:
    """On a GPU without cuDNN: its recurrent layers have no backward pass in eval mode."""
    if not x.is_cuda or not any(isinstance(module, nn.RNNBase) for module in model.modules()):
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=False)
