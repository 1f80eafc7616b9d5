"""What an attribution method is, and the one call that runs it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable, SpecError
from explorer.probes.activations import one
from explorer.probes.capture import quiet
from explorer.registry import Declared, Registry
from explorer.specs import Modality


@dataclass(frozen=True)
class Attribution:
    """How much each input value spoke for or against a class.

    Attributes:
        method: Name of the method.
        params: The parameters it ran with.
        target: The class explained.
        values: Same shape as the input without its batch dimension; positive speaks for the class.
        error: Completeness error: |sum of values - (logit(x) - logit(baseline))|, in logits, for methods that promise
            completeness; None for the others.
    """

    method: str
    params: dict[str, Any]
    target: int
    values: np.ndarray
    error: float | None


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
}
"""For each kind of input whose values can be changed a little."""


class Method(Declared):
    """Base of all attribution methods: checks, modes, gradients and conversion are done here, Captum does the rest."""

    order: ClassVar[int] = 100
    reads: ClassVar[str]
    """How to read the picture, in a sentence or two, with ``{part}``, ``{more}`` and ``{baseline}`` as in `Part`."""

    @classmethod
    def needs(cls, model: nn.Module, x: torch.Tensor) -> str | None:
        """Why the method does not apply to this model and input, in words, or None if it does."""
        return None

    @classmethod
    def why_not(cls, model: nn.Module, x: torch.Tensor) -> str | None:
        """`needs`, and what all methods need: inputs that can be changed a little."""
        if not x.is_floating_point():
            return "its inputs are words or characters, which cannot be changed a little."
        return cls.needs(model, x)

    @classmethod
    def reading(cls, modality: Modality) -> str:
        """`reads` for one kind of input."""
        part = PARTS[modality]
        return cls.reads.format(part=part.name, more=part.more, baseline=part.baseline)

    @abstractmethod
    def run(self, model: nn.Module, x: torch.Tensor, target: int) -> tuple[torch.Tensor, float | None]:
        """Values of the shape of `x`, (1, …), and the completeness error if the method has one."""


METHODS = Registry("attribution method", Method, "explorer.attribution")


def attribute(method: str, model: nn.Module, x: torch.Tensor, target: int, **params: Any) -> Attribution:
    """Explain one answer of a model.

    Args:
        method: A registered name, such as ``"integrated_gradients"``.
        model: Takes (N, …), returns logits (N, classes).
        x: One example, (1, …).
        target: Number of the class whose logit is explained.
        **params: Parameters of the method, such as ``steps``.

    Returns:
        A frozen `Attribution` on the CPU. The model's mode, gradients and hooks are left as they were.

    Raises:
        UnknownName: No such method.
        SpecError: No such parameter, a wrong value, or a class the model does not have.
        NotApplicable: The method does not apply; the message says why.
    """
    made = METHODS.make(method, **params)
    if reason := made.why_not(model, one(x)):
        raise NotApplicable(f"{made.title} does not apply: {reason}")
    with quiet(model):
        with torch.no_grad():
            classes = model(x).shape[1]
        if not 0 <= int(target) < classes:
            raise SpecError(f"Class {target} was asked for, but the model has classes 0 to {classes - 1}.")
        values, error = made.run(model, x.detach().clone(), int(target))
    return Attribution(made.name, made.model_dump(), int(target), values.detach()[0].cpu().numpy().copy(), error)
