"""Sanity checks: does the explanation change when the weights, or the labels they were learned from, are random?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from explorer.attribution import METHODS, Question
from explorer.models.seeded import seeded
from explorer.trust.base import Check, Found
from explorer.trust.ranks import mean_known, spearman
from explorer.trust.trial import Trial, of_model

SAME, SOME = 0.5, 0.3
"""Rank correlation from which on an explanation hardly depends on what was made random, and depends only in part."""
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


class Sanity(Check):
    """Base of checks that compare an explanation with one that should be different."""

    better = "lower"
    paper = "Adebayo et al., 2018"
    span = (-0.2, 1.0)

    # Signed by default: where most of an input is zero, so is most of every explanation that multiplies by it, and
    # absolute values would rank alike whatever the model does.
    compare: Literal["signed", "absolute"] = Field(
        "signed", description="Signed: what speaks for and against. Absolute: only where the values are large."
    )

    def blind(self, trial: Trial, asked: Sequence[Question]) -> dict[str, float]:
        """What a control that does not look at the model scores: edges of an image, else numbers of one seed."""
        control = METHODS.make("sobel" if trial.questions[0].modality == "image" else "random")
        pairs = [
            (trial.explain(one, control), trial.explain(other, control))
            for one, other in zip(trial.questions, asked, strict=True)
        ]
        return {control.title.lower(): float(mean_known([self.similar(one, other) for one, other in pairs]))}

    def similar(self, one: np.ndarray, other: np.ndarray) -> float:
        """Rank correlation of two explanations."""
        return spearman(abs(one), abs(other)) if self.compare == "absolute" else spearman(one, other)


class Randomisation(Sanity):
    """Gives layers random weights, from the last to the first, and asks whether the explanation changes. One that does
    not change does not explain what was learned.
    """

    name = "randomisation"
    title = "Random weights"
    order = 2
    reads = "Mean rank correlation between the explanation and those of the network with more and more random weights."
    along = "share of the layers with random weights"
    alone: ClassVar[bool] = False
    """Whether the layers before keep what they have learned."""

    stages: int = Field(4, ge=1, le=100, description="At how many layers, evenly, it is looked.")

    def run(self, trial: Trial) -> Found:
        at, lines = [], []
        for share, model in self.models(trial):
            asked = [of_model(question, model) for question in trial.questions]
            pairs = zip(trial.explained, (trial.explain(question) for question in asked), strict=True)
            lines.append([self.similar(one, other) for one, other in pairs])
            at.append(share)
        each = np.array(lines)  # (stages, N)
        curve = np.stack([[0.0, *at], [1.0, *mean_known(each, 1)]], 1)
        return Found(mean_known(each, 0).tolist(), self.blind(trial, asked), {"rank correlation": curve})

    def models(self, trial: Trial) -> Iterator[tuple[float, nn.Module]]:
        """Stage by stage: which share of the layers was reached, from the last, and the model then."""
        original = trial.questions[0].model
        names = self.layers(original)
        stops = {-(-len(names) * n // self.stages) for n in range(1, self.stages + 1)}
        model = deepcopy(original)
        with seeded(trial.seed + 1):
            for reached, name in enumerate(names, 1):
                if self.alone:
                    model = deepcopy(original)
                anew(model.get_submodule(name) if name else model)
                if reached in stops:
                    yield reached / len(names), deepcopy(model).eval()

    def layers(self, model: nn.Module) -> list[str]:
        """Names of the layers that get random weights, from the last to the first."""
        return holding(model)

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score >= SAME:
            return True, "Does not depend on the trained weights: do not use it to judge this model."
        if score >= SOME:
            return True, "Depends on the trained weights only in part: much of it is the input itself."
        return False, "Depends on the trained weights, as an explanation must."


class OneLayerRandomisation(Randomisation):
    """Gives one layer at a time random weights, leaves all others as they were learned, and asks whether the
    explanation changes. Norms are left out: their first weights are ones and zeros, and not random.
    """

    name = "independent_randomisation"
    title = "One random layer"
    order = 3
    reads = "Mean rank correlation between the explanation and those of the network with one layer's weights random."
    along = "place of the layer with random weights, from the last to the first"
    alone = True

    def layers(self, model: nn.Module) -> list[str]:
        return [name for name in holding(model) if not isinstance(model.get_submodule(name), NORMS)]


class DataRandomisation(Sanity):
    """Trains the same network on shuffled labels, of which nothing true can be learned, and asks whether the
    explanation changes.
    """

    name = "data_randomisation"
    title = "Random labels"
    order = 3
    reads = "Rank correlation between the explanation and that of the network trained on shuffled labels."

    @classmethod
    def needs(cls, trial: Trial) -> str | None:
        return None if trial.shuffled else "it needs the same network trained on shuffled labels."

    def run(self, trial: Trial) -> Found:
        asked = [of_model(question, trial.shuffled) for question in trial.questions]
        pairs = zip(trial.explained, (trial.explain(question) for question in asked), strict=True)
        return Found([self.similar(one, other) for one, other in pairs], self.blind(trial, asked))

    def judge(self, score: float, controls: dict[str, float]) -> tuple[bool, str]:
        if score >= SAME:
            return True, "Does not depend on what was learned: do not use it to judge this model."
        if score >= SOME:
            return True, "Depends on what was learned only in part."
        return False, "Depends on what was learned, as an explanation must."


def holding(model: nn.Module) -> list[str]:
    """Names of the modules that hold weights of their own, from the last to the first."""
    names = [name for name, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
    return names[::-1]


@torch.no_grad()
def anew(module: nn.Module) -> None:
    """Give a module first weights again, from torch's generator; of a weight without a rule, as widely spread ones."""
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()
        return
    for weight in module.parameters(recurse=False):
        weight.normal_(0.0, float(weight.std()) if weight.numel() > 1 else 1.0)
