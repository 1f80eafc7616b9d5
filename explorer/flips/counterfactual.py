"""Counterfactuals of inputs that are numbers: the smallest change that makes the answer another."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn

from explorer.attribution import Question, ask
from explorer.attribution.base import without_cudnn
from explorer.errors import NotApplicable, SpecError
from explorer.flips.flip import Flip, Lead, led, pruned, runner_up
from explorer.flips.nearest import Norm, length, nearest
from explorer.flips.room import Room
from explorer.probes.capture import quiet

TURNS = 5
"""Most whole numbers and categories of a row that are set anew."""


def counterfactual(
    model: nn.Module,
    x: torch.Tensor,
    target: int | None = None,
    *,
    room: Room,
    norm: Norm = "l1",
    lead: float = 0.0,
    steps: int = 60,
) -> Flip:
    """Look for the smallest change of an input that makes a class the answer (Wachter et al., 2017).

    They minimise a loss plus a distance; here the distance is minimised among inputs at which the class leads, which is
    what theirs tends to as the loss counts more (see `nearest`). Whole numbers and categories of a table are set anew
    one by one, the model decides which, and none is changed needlessly.

    Args:
        model: Takes (N, …), returns logits (N, classes).
        x: One example, (1, …).
        target: The class; the one the model answers after its first choice if None.
        room: What the input may become, as from `room_of`.
        norm: The distance: the sum of changes (``l1``, which changes few values) or their length (``l2``).
        lead: By how many logits the class must lead.
        steps: How often the gradient is followed, from each setting of whole numbers and categories.

    Raises:
        NotApplicable: More than one example, words, or a model of one class.
        SpecError: No such class, or it is the answer already.
    """
    question = ask(model, x, 0)
    if question.tokens is not None:
        raise NotApplicable("Words cannot be changed a little. Use word_swaps.")
    x = question.x
    target = wanted_class(question, x, target)
    ask_lead = partial(_lead, question, target)
    room = room.around(x)
    with quiet(question.scored), without_cudnn(model, x):
        rows = _turned(ask_lead, x, room, norm, lead)
        low, high = torch.where(room.free, room.low, x), torch.where(room.free, room.high, x)
        found = []
        for row in rows:
            fixed = partial(torch.where, room.free)
            ends = fixed(low, row), fixed(high, row)
            found.append(nearest(ask_lead, row, *ends, norm, lead, steps, room.examples))
        flipped = [one for one in found if one.flipped]
        best = min(flipped, key=lambda one: length(one.x - x, norm)) if flipped else None
        with torch.no_grad():
            changed = best.x if best else max(found, key=lambda one: float(ask_lead(one.x))).x
            if best:
                changed = pruned(x, changed, _parts(room, x), ask_lead, lead)
    params = {"norm": norm, "lead": lead, "steps": steps}
    pair = (x, changed)
    return told("counterfactual", question, pair, pair, target, sum(one.steps for one in found), params)


def wanted_class(question: Question, x: torch.Tensor, target: int | None) -> int:
    """The class that an answer should become.

    Raises:
        NotApplicable: The model has one class only.
        SpecError: No such class, or it is the answer already.
    """
    logits = question.logits(x)[0]
    if len(logits) < 2:
        raise NotApplicable("A model of one output has no other answer. For two classes wrap it as TwoClasses.")
    if target is None:
        return runner_up(question, x)
    if not 0 <= target < len(logits):
        raise SpecError(f"Class {target} was asked for, but the model has classes 0 to {len(logits) - 1}.")
    if target == int(logits.argmax()):
        raise SpecError(f"The model answers class {target} already. Choose another class to change the answer to.")
    return target


def told(
    method: str,
    question: Question,
    shown: tuple[torch.Tensor, torch.Tensor],
    asked: tuple[torch.Tensor, torch.Tensor],
    target: int,
    steps: int,
    params: dict[str, Any],
) -> Flip:
    """The result, with what the model answers before and after.

    Args:
        method, target, steps, params: As in `Flip`.
        question: Asks the model.
        shown: (1, …) input before and after, as people see it.
        asked: The same as the question has it.
    """
    logits = question.logits(torch.cat(asked))
    before, after = logits.softmax(1).cpu().numpy()
    leads = float(led(logits[1:], target)[0])
    arrays = (values[0].detach().cpu().numpy().copy() for values in shown)
    return Flip(method, *arrays, before, after, target, leads, leads > params["lead"], steps, params)


def _lead(question: Question, target: int, z: torch.Tensor) -> torch.Tensor:
    if z.requires_grad:
        return led(question.scored.logits(z), target)
    return led(question.logits(z), target)


def _turned(lead: Lead, x: torch.Tensor, room: Room, norm: Norm, wanted: float) -> list[torch.Tensor]:
    """A row, and the row with one, two, … whole numbers and categories set anew: always the one that gains most for how
    far it goes, until the class leads.
    """
    rows, left = [x], set(room.groups) | {(column,) for column in room.whole}
    while left and len(rows) <= TURNS:
        tried = [(columns, row[None]) for columns, made in room.choices(rows[-1]) if columns in left for row in made]
        with torch.no_grad():
            leads = lead(torch.cat([rows[-1], *(row for _, row in tried)])) - wanted
        far = torch.tensor([length(row - rows[-1], norm) for _, row in tried])
        gains = (leads[1:] - leads[0]).cpu()
        enough = leads[1:].cpu() > 0
        worth = torch.where(enough, -far, -torch.inf) if enough.any() else gains / far
        best = int(worth.argmax())
        if not enough.any() and gains[best] <= 0:
            break
        rows.append(tried[best][1])
        left.discard(tried[best][0])
        if enough.any():
            break
    return rows


def _parts(room: Room, x: torch.Tensor) -> list[torch.Tensor]:
    """A mask for each whole number and category, (1, D) bool."""
    masks = []
    for columns in (*((column,) for column in room.whole), *room.groups):
        mask = torch.zeros_like(x, dtype=torch.bool)
        mask[:, list(columns)] = True
        masks.append(mask)
    return masks
