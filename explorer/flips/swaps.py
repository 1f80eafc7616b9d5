"""Counterfactuals of texts: the few words whose exchange makes the answer another."""

from __future__ import annotations

import torch
from torch import nn

from explorer.attribution import Question, ask
from explorer.attribution.base import without_cudnn
from explorer.attribution.question import embedding_of
from explorer.data import PAD, UNKNOWN
from explorer.errors import NotApplicable
from explorer.flips.counterfactual import told, wanted_class
from explorer.flips.flip import Flip, led, pruned
from explorer.models.translator import Translator
from explorer.probes.capture import quiet

TRIED, TRIED_HERE = 96, 12
"""Swaps the gradient proposes for each that the model decides on, and most of them at one place."""


def word_swaps(
    model: nn.Module, tokens: torch.Tensor, target: int | None = None, *, most: int = 5, lead: float = 0.0
) -> Flip:
    """Look for words (or characters) to swap so that a class becomes the answer.

    As HotFlip (Ebrahimi et al., 2018): the gradient at the embedding says to first order what each swap would gain; the
    model itself then decides among the best ones. One swap follows another, greedily. In the end those that are not
    needed are taken back: of what is left no swap is needless, though another set might be smaller. Words are swapped
    for others of the vocabulary; none comes or goes.

    Args:
        model: A model made by `build` that reads tokens, (N, L) → (N, classes).
        tokens: One text, (1, L).
        target: The class; the one the model answers after its first choice if None.
        most: Most swaps.
        lead: By how many logits the class must lead.

    Raises:
        NotApplicable: Not words, a translator, or a model whose embedding is not known.
        SpecError: No such class, or it is the answer already.
    """
    if tokens.is_floating_point() or isinstance(model, Translator):
        raise NotApplicable("Words are swapped in texts that a model puts into classes only.")
    question = ask(model, tokens, 0)
    target = wanted_class(question, question.x, target)
    embedding = embedding_of(model)
    with quiet(question.scored), without_cudnn(model, question.x):

        def leads(texts: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                return led(question.logits(embedding(texts)), target)

        text, best, steps = tokens, (tokens, float(leads(tokens)[0])), 0
        for steps in range(1, most + 1):  # noqa: B007
            tried = _proposed(question, embedding, tokens, text, target)
            if not len(tried):
                break
            found = leads(tried)
            text = tried[int(found.argmax())][None]
            if found.max() > best[1]:
                best = (text, float(found.max()))
            if best[1] > lead:
                break
        places = [
            torch.arange(tokens.shape[1], device=tokens.device)[None] == place for place in range(tokens.shape[1])
        ]
        changed = pruned(tokens, best[0], places, leads, lead) if best[1] > lead else best[0]
        vectors = embedding(changed).detach()
    params = {"most": most, "lead": lead}
    return told("word_swaps", question, (tokens, changed), (question.x, vectors), target, steps, params)


def _proposed(
    question: Question, embedding: nn.Module, tokens: torch.Tensor, text: torch.Tensor, target: int
) -> torch.Tensor:
    """The swaps that gain most to first order, at places that are not swapped yet: texts, (K, L)."""
    vectors = embedding(text).detach().requires_grad_()  # (1, L, D)
    with torch.enable_grad():
        slope = torch.autograd.grad(led(question.scored.logits(vectors), target)[0], vectors)[0]
    words = embedding.weight.detach()  # (V, D)
    gains = slope[0] @ words.T - (slope * vectors.detach())[0].sum(1, keepdim=True)  # (L, V)
    gains[:, [PAD, UNKNOWN]] = -torch.inf
    gains.scatter_(1, text[0][:, None], -torch.inf)  # itself
    gains[(tokens[0] == PAD) | (tokens[0] != text[0])] = -torch.inf
    best = gains.topk(min(TRIED_HERE, gains.shape[1]), dim=1)  # (L, 12)
    values, flat = best.values.flatten().topk(min(TRIED, best.values.numel()))
    flat = flat[values > -torch.inf]
    tried = text.repeat(len(flat), 1)
    tried[torch.arange(len(flat)), flat // best.indices.shape[1]] = best.indices.flatten()[flat]
    return tried
