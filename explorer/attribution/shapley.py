"""Shapley value sampling."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.question import Question
from explorer.attribution.regions import DrawnByRegion, shared


class ShapleySampling(DrawnByRegion):
    """What a region adds to the score when regions are put back one by one, averaged over random orders."""

    name = "shapley_sampling"
    title = "Shapley value sampling"
    order = 22
    paper = "Castro et al., 2009; Strumbelj & Kononenko, 2010"
    cost = "one pass for each region in each order"
    reads = "Warm: putting this {part} back raises the class score, whatever else is there already. Cool: it lowers it."
    complete = "baseline"

    orders: int = Field(25, ge=1, le=500, description="Random orders that are averaged; more give less noise.")

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import ShapleyValueSampling as Captum

        numbers = self.numbers(question)
        values = Captum(question.quick.forward).attribute(
            question.x,
            baselines=question.baseline,
            target=0,
            feature_mask=numbers,
            n_samples=self.orders,
            perturbations_per_eval=question.at_once(),
        )
        return shared(question, values, numbers)
