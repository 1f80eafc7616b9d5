"""DeepLIFT, from one baseline or from many."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.question import Question
from explorer.models.layers.attention import AdditiveAttention, MultiHeadAttention
from explorer.probes.capture import apart, uses


class DeepLift(Method):
    """Shares the difference of the score from the baseline's out among the input values, layer by layer, by how much
    each differs; it does not lose what a gradient loses where an activation is flat.
    """

    name = "deep_lift"
    title = "DeepLIFT"
    order = 6
    group = "Backward rules"
    paper = "Shrikumar et al., 2017"
    cost = "one gradient"
    reads = "Warm: this {part}, compared with that of {baseline}, speaks for the class. Cool: it speaks against it."
    complete = "baseline"

    @classmethod
    def needs(cls, question: Question) -> str | None:
        for module in question.model.modules():
            if isinstance(module, nn.RNNBase | MultiHeadAttention | AdditiveAttention):
                return "gates and attention multiply values with each other, for which DeepLIFT has no rule."
            if isinstance(module, nn.LayerNorm | nn.GELU):
                return f"it has no rule for {type(module).__name__}."
        return each_once(question)

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import DeepLift as Captum

        with apart(question.scored, BENDS):  # Captum leaves a max pool right after a ReLU out, and a ReLU after a pool
            return Captum(question.scored).attribute(question.x, question.baseline, target=0)


class DeepLiftShap(DeepLift):
    """DeepLIFT from many references, averaged: an estimate of SHAP values."""

    name = "deep_lift_shap"
    title = "DeepLIFT SHAP"
    order = 7
    paper = "Lundberg & Lee, 2017"
    cost = "one gradient for each reference"
    reads = "Warm: this {part}, compared with those of the references, speaks for the class. Cool: against it."
    complete = "references"

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import DeepLift as Captum

        others = question.references
        same = question.x.expand_as(others).contiguous()
        parts = zip(same.split(question.at_once()), others.split(question.at_once()), strict=True)
        with apart(question.scored, BENDS):
            found = [Captum(question.scored).attribute(part, other, target=0) for part, other in parts]
        return torch.cat(found).mean(0, keepdim=True)


BENDS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.Softplus, nn.MaxPool1d, nn.MaxPool2d)


_USES: WeakKeyDictionary[nn.Module, dict[str, int]] = WeakKeyDictionary()
"""What was counted for each model: it takes as long as an answer."""


def each_once(question: Question) -> str | None:
    """Why rules that replace the gradient of an activation would give wrong numbers, without a word: it is used twice,
    or works in place.
    """
    if question.model not in _USES:
        _USES[question.model] = uses(question.scored, BENDS, question.x)
    for name, count in _USES[question.model].items():
        called = name.removeprefix("model.")
        if count > 1:
            return (
                f"the activation {called} is used {count} times in one pass, and the numbers would be wrong. Give each "
                "use a module of its own."
            )
        if getattr(question.scored.get_submodule(name), "inplace", False):
            return f"the activation {called} works in place, and the numbers would be wrong. Set inplace=False."
    return None
