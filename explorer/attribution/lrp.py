"""Layer-wise relevance propagation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.deep_lift import each_once
from explorer.attribution.question import Question, Scored
from explorer.probes.activations import TwoClasses

WEIGHED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d)
WEIGHED += (nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
PASSING = (nn.Flatten, nn.Identity)
BENDING = (nn.ReLU, nn.Tanh, nn.Dropout)


class LRP(Method):
    """Shares the score out among the values of each layer, from the last to the first, by what each contributed
    (epsilon rule).
    """

    name = "lrp"
    title = "Layer-wise relevance propagation"
    order = 12
    group = "Backward rules"
    paper = "Bach et al., 2015"
    cost = "one gradient"
    reads = "Warm: relevance for the class arrives at this {part}. Cool: relevance against it does."

    @classmethod
    def needs(cls, question: Question) -> str | None:
        if question.tokens is not None:
            return "it has no rule for texts."
        for module in question.model.modules():
            plain = isinstance(module, nn.Sequential | TwoClasses)
            if not plain and not isinstance(module, WEIGHED + PASSING + BENDING):
                return f"it has rules for plain layers one after the other, and none for {type(module).__name__}."
        return each_once(question)

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import LRP as Captum

        # The score of a difference is no output of a layer: each class is shared out by itself.
        model, target = question.model, question.scored.target
        wanted = [(1.0, number) for number in (target if isinstance(target, tuple) else (target,))]
        wanted[1:] = [(-1.0, number) for _, number in wanted[1:]]
        if isinstance(model, TwoClasses):  # one logit z, of which the classes have -z/2 and z/2
            model, wanted = model.model, [(sign * (0.5 if number else -0.5), 0) for sign, number in wanted]
        total = torch.zeros_like(question.x)
        for share, number in wanted:
            with _ruled(model):
                total = total + share * Captum(Scored(model, number)).attribute(question.x.clone(), target=0).detach()
        return total


@contextmanager
def _ruled(model: nn.Module) -> Iterator[None]:
    """Give layers for which Captum has no rule of its own one, for a while."""
    from captum.attr._utils.lrp_rules import EpsilonRule

    given = [module for module in model.modules() if isinstance(module, WEIGHED + PASSING)]
    for module in given:
        module.rule = EpsilonRule()  # where values only pass, it passes relevance on
    try:
        yield
    finally:
        for module in model.modules():
            for name in ("rule", "activations"):
                module.__dict__.pop(name, None)
