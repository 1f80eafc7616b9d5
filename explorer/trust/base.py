"""What a trust check is, and the one call that runs it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from explorer.attribution import METHODS, Target, ask
from explorer.errors import NotApplicable
from explorer.registry import Declared, Registry
from explorer.trust.attended import attended
from explorer.trust.trial import Trial, places

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Outcome:
    """What a check found of one method.

    Attributes:
        check, method: Their names.
        score: Mean over the examples.
        better: Which way is better.
        scores: One for each example.
        controls: What explanations that look at no model score in the same setting, by name.
        verdict: What that means, in words.
        reference: Where the check was published.
        curves: Lines that show it, by name, each (points, 2); one of them may be a control's.
        doubtful: Whether the verdict is against the method.
    """

    check: str
    method: str
    score: float
    better: Better
    scores: tuple[float, ...]
    controls: dict[str, float]
    verdict: str
    reference: str
    curves: dict[str, np.ndarray] = field(default_factory=dict)
    doubtful: bool = False


@dataclass(frozen=True)
class Found:
    """What the `run` of a check gives back: a score for each example, controls, and lines to draw."""

    scores: list[float]
    controls: dict[str, float] = field(default_factory=dict)
    curves: dict[str, np.ndarray] = field(default_factory=dict)


class Check(Declared):
    """Base of all trust checks."""

    order: ClassVar[int] = 100
    better: ClassVar[Better]
    paper: ClassVar[str]
    """Where it was published: authors and year."""
    reads: ClassVar[str]
    """What the number is, in a sentence."""
    span: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """From where to where scores usually lie, for drawing."""
    along: ClassVar[str] = ""
    """What its lines run along, from 0 to 1, if it has any."""

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        """Why the check does not apply, in words, or None if it does."""
        return None

    @abstractmethod
    def run(self, trial: Trial) -> Found:
        """Do it."""

    @abstractmethod
    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        """Whether this speaks against the method, and what it means in plain words."""

    def of(self, trial: Trial) -> Outcome:
        """Check one method.

        Raises:
            NotApplicable: The check or the method does not apply.
        """
        if reason := self.needs(trial):
            raise NotApplicable(f"{self.title} does not apply: {reason}")
        for question in trial.questions:
            if reason := trial.method.needs(question):
                raise NotApplicable(f"{trial.method.title} does not apply: {reason}")
        found = self.run(trial)
        known = [score for score in found.scores if np.isfinite(score)]
        if not known:
            raise NotApplicable(f"{self.title} has no value here: {trial.method.title} says the same of every place.")
        score = float(np.mean(known))
        doubtful, verdict = self.judge(score, found.controls)
        return Outcome(
            self.name,
            trial.method.name,
            score,
            self.better,
            tuple(found.scores),
            found.controls,
            verdict,
            self.paper,
            found.curves,
            doubtful,
        )


CHECKS = Registry("trust check", Check, "explorer.trust")


def check(
    name: str,
    model: nn.Module,
    x: torch.Tensor,
    target: Target,
    method: str,
    *,
    baseline: torch.Tensor | None = None,
    references: torch.Tensor | None = None,
    written: torch.Tensor | None = None,
    at: int = -1,
    evidence: np.ndarray | None = None,
    shuffled: nn.Module | None = None,
    seed: int = 0,
    **params: Any,
) -> Outcome:
    """Check how far one method's explanation of one answer can be trusted.

    Args:
        name: A registered check, such as ``"randomisation"``.
        model: Takes (N, …), returns logits (N, classes); or a translator.
        x: One example, (1, …): numbers, or (1, L) tokens of a model made by `build`.
        target: The class that is explained; of a translation the token.
        method: Name of the attribution method.
        baseline: What the example is compared with and covered by; zeros if None.
        references: (M, …) other examples, for methods that compare with many; the baseline alone if None.
        written: (1, T) what a translator has written so far, from the start token on.
        at: Of a translator: which of the next tokens is explained, as a place in `written`.
        evidence: Which places decide, of the shape of the example without its channels, where that is known.
        shuffled: The same network trained on shuffled labels, for the check that needs it.
        seed: Fixes every random choice.
        **params: Parameters of the check.

    Raises:
        UnknownName: No such check or method.
        SpecError: A wrong parameter or class.
        NotApplicable: The check or the method does not apply; the message says why.
    """
    question = ask(model, x, target, baseline=baseline, references=references, written=written, at=at)
    known = None if evidence is None else [np.asarray(evidence, dtype=bool).ravel()[: places(question)]]
    rivals = [
        cls()
        for cls in METHODS.values()
        if not cls.control and not cls.inner and cls.name != method and cls.needs(question) is None
    ]
    looked = attended(question)
    attentions = None if looked is None else [looked]
    trial = Trial(METHODS.make(method), [question], seed, known, shuffled, attentions, rivals)
    return CHECKS.make(name, **params).of(trial)
