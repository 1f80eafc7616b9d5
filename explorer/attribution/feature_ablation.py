"""Feature ablation."""

from __future__ import annotations

import torch

from explorer.attribution.question import Question
from explorer.attribution.regions import ByRegion, shared


class FeatureAblation(ByRegion):
    """How far the class' logit falls when one region is replaced by the baseline's, one after the other."""

    name = "feature_ablation"
    title = "Feature ablation"
    order = 21
    paper = "Zeiler & Fergus, 2013; Kokhlikyan et al., 2020"
    cost = "one pass for each region"
    reads = "Warm: replacing the region of this {part} lowers the class score. Cool: it raises the score."

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import FeatureAblation as Captum

        numbers = self.numbers(question)
        values = Captum(question.quick.forward).attribute(
            question.x,
            baselines=question.baseline,
            target=0,
            feature_mask=numbers,
            perturbations_per_eval=question.at_once(64),
        )
        return shared(question, values, numbers)
