"""Attention followed from the answer back to the input, beside what the other methods say of the same places."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import nn

from explorer.attribution.base import Method
from explorer.attribution.question import Question
from explorer.models.layers.recurrent import Recurrent
from explorer.models.layers.sequences import PatchEmbedding, TimeSteps
from explorer.probes import Reach, attention_gradient, followed_to, rollout, unfollowed


class OfAttention(Method):
    """Base of methods that follow attention: it looks at words, steps, or patches, whose pixels get the same value."""

    group = "Attention"

    @classmethod
    def needs(cls, question: Question) -> str | None:
        model = question.inner
        if reason := unfollowed(model):
            return reason
        start = followed_to(model)
        if isinstance(start, Recurrent):
            return "it looks at the states of a recurrent layer, each of which has read other places already."
        if question.modality != "tokens" and not isinstance(start, (TimeSteps, PatchEmbedding)):
            return "it looks at rows of the image rather than at places."
        return None

    @abstractmethod
    def follow(self, model: nn.Module, x: torch.Tensor, question: Question) -> Reach:
        """Follow it through the model, which reads `x` or, of tokens, the question's vectors."""

    def run(self, question: Question) -> torch.Tensor:
        model, z = question.inner, question.x.requires_grad_()
        reach = self.follow(model, z if question.tokens is None else question.tokens, question)
        values = torch.from_numpy(reach.values).to(z)
        if question.modality == "tokens":
            return values[None, -z.shape[1] :]  # (1, L): a class token may be in front
        if question.modality == "series":
            return values[-z.shape[2] :].expand_as(z) / z.shape[1]
        return _spread(values, followed_to(model).project.kernel_size[0], z) / z.shape[1]  # its colours add up to it


class Rollout(OfAttention):
    """The share of each place in what attention carries to the answer, through all layers, half of each block passing
    by unmixed. It knows no class, and nothing of what the model does with what attention carries.
    """

    name = "rollout"
    title = "Attention rollout"
    order = 26
    paper = "Abnar & Zuidema, 2020"
    cost = "one answer"
    reads = "The more, the more of this {part} attention carries to the answer, whatever the class: nothing is against."

    def follow(self, model: nn.Module, x: torch.Tensor, question: Question) -> Reach:
        return rollout(model, x, lambda: question.scored(question.x))


class AttentionGradient(OfAttention):
    """Attention weights times their gradient, followed through all layers: only what would raise the score counts."""

    name = "attention_gradient"
    title = "Attention × gradient"
    order = 27
    paper = "Chefer et al., 2021"
    cost = "one gradient"
    reads = "The more, the more attention to this {part} would raise the score. What would lower it is left out."

    def follow(self, model: nn.Module, x: torch.Tensor, question: Question) -> Reach:
        return attention_gradient(model, x, score=lambda: question.scored(question.x)[0, 0])


def _spread(values: torch.Tensor, side: int, x: torch.Tensor) -> torch.Tensor:
    """The value of the patch that each pixel lies in, one for each patch in rows, as (1, C, H, W); 0 beside patches."""
    down, across = (size // side for size in x.shape[2:])
    pixels = values[-down * across :].reshape(down, across).repeat_interleave(side, 0).repeat_interleave(side, 1)
    whole = torch.zeros_like(x)
    whole[:, :, : down * side, : across * side] = pixels
    return whole
