"""Attention followed from the answer back to the places of the input, through all layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable, SpecError
from explorer.models.layers.attention import AdditiveAttention, MultiHeadAttention
from explorer.models.layers.embedding import ClassToken
from explorer.models.layers.recurrent import Recurrent
from explorer.models.layers.sequences import (
    FirstPosition,
    ImageRows,
    LastPosition,
    MeanOverPositions,
    PatchEmbedding,
    TimeSteps,
)
from explorer.models.layers.transformer import EncoderBlock
from explorer.models.translator import Translator
from explorer.probes.activations import one
from explorer.probes.attention import attention_layers
from explorer.probes.capture import capture

STARTS = (nn.Embedding, PatchEmbedding, TimeSteps, ImageRows, Recurrent)
"""Modules whose output is a sequence that attention can be followed back to; a recurrent one mixes what is before."""
POOLS = (MeanOverPositions, FirstPosition, LastPosition, AdditiveAttention, nn.Flatten)
"""Modules that make one vector of a sequence."""
RESIDUAL = 0.5
"""Share of a place that a block passes on unmixed, in rollout."""


@dataclass(frozen=True)
class Reach:
    """How much of each place attention carries to the answer.

    Attributes:
        method: ``rollout`` or ``attention x gradient``.
        values: (L,), none negative. Of a rollout they add up to 1; attention x gradient has no unit. The first is that
            of the class token where there is one.
        start: The layer whose places these are, such as ``embedding1``: the last that mixes places by other means than
            attention, or the first that makes a sequence.
        read: Whether that layer is a recurrent one, each of whose places has read others already.
        target: The class whose logit the gradient is of; None for a rollout or a regression.
    """

    method: str
    values: np.ndarray
    start: str
    read: bool
    target: int | None = None


def unfollowed(model: nn.Module) -> str | None:
    """Why attention cannot be followed back through a model, in words, or None if it can."""
    if not attention_layers(model):
        return "it has no attention."
    if isinstance(model, Translator):
        return "it writes many tokens, each with an attention of its own: see the alignment."
    try:
        _way(model)
    except NotApplicable as error:
        return str(error)
    return None


def followed_to(model: nn.Module) -> nn.Module:
    """The layer to whose places attention is followed back: see `Reach.start`.

    Raises:
        NotApplicable: It cannot be followed.
    """
    return _followed(model)[0][1]


Run = Callable[[], torch.Tensor]
"""Runs the model in another way than on an example as it is, such as on vectors in place of its tokens."""


def rollout(model: nn.Module, x: torch.Tensor, run: Run | None = None) -> Reach:
    """Attention rollout (Abnar & Zuidema, 2020).

    Heads count alike. A block with a residual connection passes on half of what it gets unmixed, ``0.5 A + 0.5 I``; an
    attention without one passes on only ``A``. The product over the layers says what each place holds of each input;
    what the pooling layer takes of the places then says what the answer holds.

    Args:
        model: A classifier or regression with attention.
        x: One example, (1, …).
        run: Called instead of the model on `x`; what it returns plays no part.

    Raises:
        NotApplicable: Its attention cannot be followed back.
    """

    def block(reach: torch.Tensor, seen: torch.Tensor, residual: bool) -> torch.Tensor:
        look = seen.mean(0)  # (L, S)
        return (
            (RESIDUAL * look + (1 - RESIDUAL) * torch.eye(len(look), dtype=look.dtype)) @ reach
            if residual
            else look @ reach
        )

    way, looks, mask, _ = _seen(model, x, run)
    values = _follow(way, looks, mask, block, straight=True)
    return Reach("rollout", values, *_start(way))


def attention_gradient(model: nn.Module, x: torch.Tensor, target: int | None = None, score: Run | None = None) -> Reach:
    """Attention weights times their gradient (Chefer et al., 2021, equations 5 and 6, of one modality).

    For each attention ``Ā`` is the mean over its heads of the positive part of ``A ∘ d logit / d A``. A block with a
    residual connection makes ``R + Ā R`` of ``R``, an attention without one ``Ā R``. What a place only passes straight
    on to itself, which is the same for all places, is left out at the end.

    Args:
        model: A classifier or regression with attention.
        x: One example, (1, …).
        target: Number of the class whose logit is meant; None for the answer, and for a regression. Of a model with one
            logit for two classes, 1 is that logit and 0 its negative.
        score: Called instead of the model on `x`; the gradient is of the one value it returns, and not of a class.

    Raises:
        NotApplicable: Its attention cannot be followed back.
        SpecError: It has no such class.
    """

    def block(reach: torch.Tensor, seen: torch.Tensor, residual: bool) -> torch.Tensor:
        look = seen.mean(0)
        return reach + look @ reach if residual else look @ reach

    way, looks, mask, outputs = _seen(model, x, score)
    explained, target = (outputs, None) if score else _score(outputs[0], target)
    gradients = torch.autograd.grad(explained, list(looks.values()))
    weighed = {
        name: (look * gradient).clamp(min=0).detach()
        for (name, look), gradient in zip(looks.items(), gradients, strict=True)
    }
    values = _follow(way, weighed, mask, block, straight=False)
    return Reach("attention x gradient", values, *_start(way), target)


# -- the way through the layers ---------------------------------------------------------------------------------------

Way = list[tuple[str, nn.Module]]
"""Layers from the one whose places are followed back to, to the one that pools them."""


def _way(model: nn.Module) -> Way:
    """Raises `NotApplicable` if attention is not all that mixes places from some layer on."""
    way: Way = []
    for name, module in model.named_children():
        if isinstance(module, STARTS):
            way = [(name, module)]
            if isinstance(module, Recurrent) and module.last:
                break
        elif way:
            way.append((name, module))
            if isinstance(module, POOLS):
                break
    if not way or not isinstance(way[-1][1], POOLS):
        raise NotApplicable("after its last attention no layer makes one vector of all places.")
    if not any(isinstance(module, (EncoderBlock, MultiHeadAttention, AdditiveAttention)) for _, module in way):
        raise NotApplicable(f"{way[0][0]} reads all places in turn after its last attention.")
    return way


def _start(way: Way) -> tuple[str, bool]:
    return way[0][0], isinstance(way[0][1], Recurrent)


def _followed(model: nn.Module) -> Way:
    if reason := unfollowed(model):
        raise NotApplicable(f"Attention cannot be followed back through this model: {reason}")
    return _way(model)


def _seen(
    model: nn.Module, x: torch.Tensor, run: Run | None = None
) -> tuple[Way, dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """The way, the weights of each attention on it, (L,) which places are no padding, and the outputs (1, …)."""
    way = _followed(model)
    embedded = isinstance(way[0][1], nn.Embedding)  # a place for each token, also where it is skipped
    names = [name for name in attention_layers(model) if name.split(".")[0] in dict(way)]
    cudnn = torch.backends.cudnn.flags(enabled=False)  # it has no backward pass in eval mode
    with torch.enable_grad(), cudnn, capture(model, names if embedded else [*names, way[0][0]], attached=True) as seen:
        outputs = run() if run else model(one(x))
    places = x.shape[1] if embedded else seen[way[0][0]].shape[1]
    mask = torch.ones(places, dtype=torch.bool)
    if not x.is_floating_point():  # (1, L) tokens; a class token may be in front already
        mask[places - x.shape[1] :] = (x[0] != 0).cpu()
    return way, {name: seen[name] for name in names}, mask, outputs


def _score(logits: torch.Tensor, target: int | None) -> tuple[torch.Tensor, int | None]:
    """What the gradient is taken of, and the class it is of."""
    if len(logits) == 1:
        return (-logits[0] if target == 0 else logits[0]), target
    target = int(logits.argmax()) if target is None else target
    if not 0 <= target < len(logits):
        raise SpecError(f"Class {target} was asked for, but the model has classes 0 to {len(logits) - 1}.")
    return logits[target], target


def _follow(
    way: Way,
    looks: dict[str, torch.Tensor],
    mask: torch.Tensor,
    block: Callable[[torch.Tensor, torch.Tensor, bool], torch.Tensor],
    straight: bool,
) -> np.ndarray:
    """What the pooled vector holds of each place at the start, (L,).

    Args:
        way: The layers.
        looks: For each attention its weights, or what was made of them.
        mask: (L,) which places hold something.
        block: Takes what the places hold before an attention, (L, places at the start), its `looks`, (heads, L, L), and
            whether there is a residual connection around it; returns what they hold after it.
        straight: Whether what a place passes straight on to itself counts.
    """
    looks = {name: look.detach().cpu().double().reshape(-1, *look.shape[-2:]) for name, look in looks.items()}
    reach, direct = (torch.eye(len(mask), dtype=torch.double) for _ in range(2))
    for name, module in way[1:-1]:
        if isinstance(module, ClassToken):
            one_more = torch.ones(1, 1, dtype=torch.double)
            reach, direct = torch.block_diag(one_more, reach), torch.block_diag(one_more, direct)
            mask = nn.functional.pad(mask, (1, 0), value=True)
        elif isinstance(module, EncoderBlock):
            reach = block(reach, looks[f"{name}.attention.weights"], True)
        elif isinstance(module, MultiHeadAttention):
            reach, direct = block(reach, looks[f"{name}.weights"], False), torch.zeros_like(direct)
    name, pool = way[-1]
    if isinstance(pool, AdditiveAttention):
        return (looks[f"{name}.weights"][0] @ reach)[0].numpy()
    return (_taken(pool, mask) @ (reach if straight else reach - direct)).numpy()


def _taken(pool: nn.Module, mask: torch.Tensor) -> torch.Tensor:
    """(L,) share of each place in what a pool without attention puts out."""
    if isinstance(pool, FirstPosition):
        return nn.functional.one_hot(torch.tensor(0), len(mask)).double()
    if isinstance(pool, LastPosition):
        return nn.functional.one_hot(mask.sum() - 1, len(mask)).double()
    return mask.double() / mask.sum()
