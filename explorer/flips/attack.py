"""Adversarial examples: what an attack is, how strong it must be, and how many answers it turns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from explorer.attribution.base import without_cudnn
from explorer.errors import NotApplicable, SpecError
from explorer.flips.room import Room
from explorer.models import at_once
from explorer.probes.activations import one
from explorer.probes.capture import quiet
from explorer.registry import Declared, Registry

AT_ONCE = 128
"""Most examples that are worth attacking at once."""


@dataclass(frozen=True)
class Attacked:
    """One example, attacked with growing strength.

    Attributes:
        method, params: The attack.
        label: The class it leads away from.
        strengths: (K,) furthest that a value moved.
        input: (*shape).
        changed: (K, *shape) the example at each strength.
        probabilities: (K, classes).
    """

    method: str
    params: dict[str, Any]
    label: int
    strengths: np.ndarray
    input: np.ndarray
    changed: np.ndarray
    probabilities: np.ndarray

    @property
    def first(self) -> int | None:
        """Place of the smallest strength at which the label is not the answer; None if it is at all of them."""
        turned = np.flatnonzero(self.probabilities.argmax(1) != self.label)
        return int(turned[0]) if len(turned) else None


class Attack(Declared):
    """Base of all attacks: ranges, modes and gradients are seen to here, Captum does the rest."""

    order: ClassVar[int] = 100
    paper: ClassVar[str]
    """Where it was published: authors and year."""
    cost: ClassVar[str]
    """What it takes, in words: how often the gradient is asked for."""

    @abstractmethod
    def run(
        self, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strengths: torch.Tensor, room: Room
    ) -> torch.Tensor:
        """Attack examples (N, …), each of a label (N,) and with a strength (N, 1, …)."""

    def perturb(
        self, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strengths: torch.Tensor, room: Room
    ) -> torch.Tensor:
        """Change examples, (N, …), as far as their strengths, (N,), allow, so that their labels lose.

        Values stay in the data's range, and categories and missing numbers of a
        table as they are; whole numbers do not stay whole.

        Raises:
            NotApplicable: The inputs are words, or gradients are not finite.
        """
        if not x.is_floating_point():
            raise NotApplicable("Words cannot be changed a little. Swap them instead.")
        spread = strengths.to(x).reshape(-1, *[1] * (x.ndim - 1))
        with quiet(model), without_cudnn(model, x):
            changed = self.run(model, x.detach().clone(), labels, spread, room.widened(x)).detach()
        if not changed.isfinite().all():
            raise NotApplicable(
                f"{self.title} gives values that are not finite for this example: the model's gradients overflow there."
            )
        return changed


ATTACKS = Registry("attack", Attack, "explorer.flips")


def odds(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Log-odds against each label: logits (N, classes) → (N,).

    Its gradient has the sign of the cross-entropy's everywhere, as it is that one divided by the probability of all
    other classes, but it does not vanish where the model is very sure.
    """
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.logsumexp(1) - logits.gather(1, labels[:, None])[:, 0]


def attack(
    method: str, model: nn.Module, x: torch.Tensor, label: int, strengths: Sequence[float], *, room: Room, **params: Any
) -> Attacked:
    """Attack one example with each of several strengths.

    Args:
        method: A registered attack, such as ``"fgsm"``.
        model: Takes (N, …), returns logits (N, classes).
        x: One example, (1, …): an image, a series or a row.
        label: The class it leads away from: the true one, or the answer.
        strengths: How far each value may move, in units of the input.
        room: What the input may be, as from `room_of`.
        **params: Parameters of the attack.

    Raises:
        UnknownName: No such attack.
        SpecError: A wrong parameter, a strength below zero, or a class the model does not have.
        NotApplicable: More than one example, words, or a table of categories only.
    """
    made, x = ATTACKS.make(method, **params), one(x)
    if min(strengths) < 0:
        raise SpecError(f"A strength of {min(strengths):g} was asked for, but it must be 0 or more.")
    if x.is_floating_point() and not room.sized(x).any():
        raise NotApplicable("No column holds a number that could be changed a little: all are categories or missing.")
    with torch.no_grad(), quiet(model):
        classes = model(x).shape[1]
    if not 0 <= label < classes or classes < 2:
        raise SpecError(f"Class {label} was asked for, but the model has classes 0 to {classes - 1}.")
    spread = torch.tensor(list(strengths), dtype=torch.float32)
    many = x.expand(len(spread), *x.shape[1:])
    changed, logits = _in_parts(made, model, many, torch.full((len(spread),), label, device=x.device), spread, room)
    return Attacked(
        made.name,
        made.model_dump(),
        label,
        spread.numpy(),
        x[0].cpu().numpy().copy(),
        changed.cpu().numpy(),
        logits.softmax(1).cpu().numpy(),
    )


def accuracy_under(
    made: Attack, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strength: float, room: Room
) -> float:
    """Share of examples, (N, …), whose answer is still their label, (N,), after an attack of a strength."""
    _, logits = _in_parts(made, model, x, labels, torch.full((len(x),), strength), room)
    return float((logits.argmax(1) == labels).float().mean())


def _in_parts(
    made: Attack, model: nn.Module, x: torch.Tensor, labels: torch.Tensor, strengths: torch.Tensor, room: Room
) -> tuple[torch.Tensor, torch.Tensor]:
    """The attacked examples and their logits, worked on in parts that fit into memory."""
    with quiet(model):
        most = at_once(AT_ONCE, lambda: model(x[:1]))
    parts = zip(x.split(most), labels.split(most), strengths.split(most), strict=True)
    changed = torch.cat([made.perturb(model, *part, room) for part in parts])
    with torch.no_grad(), quiet(model):
        return changed, torch.cat([model(part) for part in changed.split(most)])
