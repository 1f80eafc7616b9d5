"""Kernel SHAP and LIME: a linear model of the score in the neighbourhood of the input."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.question import Question
from explorer.attribution.regions import DrawnByRegion, shared


class KernelShap(DrawnByRegion):
    """Shapley values by regression: the score of inputs in which random regions are the baseline's, fitted by a linear
    model with the weights that make its coefficients Shapley values.
    """

    name = "kernel_shap"
    title = "Kernel SHAP"
    order = 23
    paper = "Lundberg & Lee, 2017"
    cost = "one pass for each sample"
    reads = "Warm: this {part} being there raises the class score. Cool: it lowers it."
    complete = "baseline"

    samples: int = Field(200, ge=10, le=5000, description="Random inputs that are fitted; more than there are regions.")

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import KernelShap as Captum

        return self._fit(Captum(question.quick.forward), question)

    def _fit(self, captum: object, question: Question) -> torch.Tensor:
        numbers = self.numbers(question)
        values = captum.attribute(
            question.x,
            baselines=question.baseline,
            target=0,
            feature_mask=numbers,
            n_samples=self.samples,
            perturbations_per_eval=question.at_once(),
        )
        return shared(question, values, numbers)


class Lime(KernelShap):
    """A sparse linear model of the score: the lasso, fitted to inputs in which random regions are the baseline's, near
    ones counting more.
    """

    name = "lime"
    title = "LIME"
    order = 24
    paper = "Ribeiro et al., 2016"
    reads = "Warm: this {part} being there raises the class score near this input. Cool: it lowers it. Many are zero."
    complete = ""

    alpha: float = Field(0.01, ge=0, le=10, description="How much the lasso prefers few regions.")

    def run(self, question: Question) -> torch.Tensor:
        from captum._utils.models.linear_model import SkLearnLasso
        from captum.attr import Lime as Captum

        return self._fit(Captum(question.quick.forward, interpretable_model=SkLearnLasso(alpha=self.alpha)), question)
