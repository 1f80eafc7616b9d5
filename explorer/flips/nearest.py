"""The nearest point at which a class leads: a search that follows gradients, within a box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import torch

from explorer.flips.flip import Lead

Norm = Literal["l1", "l2"]
BEYOND = 1.05
"""Each step goes a little beyond the boundary, as the paper has it."""
HOME, BACK = 0.1, 0.9
"""How much of each step is drawn to the input, and how far a point that was found is taken back to it (the paper's)."""
EDGE = 1e-3
"""Logits beyond the boundary, so that rounding takes no point back."""
PATIENCE, SLOW = 12, 0.999
"""The search ends after so many steps in which the way did not become so much shorter."""
LINE = 33
"""Points of a line that are asked at once."""


@dataclass(frozen=True)
class Found:
    """The point found, (1, …), whether the class leads there, and in how many steps; if not, where it was closest."""

    x: torch.Tensor
    flipped: bool
    steps: int


def nearest(
    lead: Lead,
    x: torch.Tensor,
    low: torch.Tensor,
    high: torch.Tensor,
    norm: Norm,
    wanted: float = 0.0,
    steps: int = 60,
    others: torch.Tensor | None = None,
) -> Found:
    """Look for the point nearest to `x` at which a class leads.

    Around each point the lead is taken to be linear; the nearest point of the box at which this linear lead suffices is
    known exactly, and the next point lies there, drawn a little to the input. For a linear model it is right at once.
    (Croce & Hein, 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack", for the task
    of Wachter et al., 2017.) Where that finds nothing, the search starts again from the nearest of the others.

    Args:
        lead: By how many logits the class leads, (N, …) → (N,), with gradients.
        x: (1, …).
        low, high: (1, …) ends of what each value may be.
        norm: What near means: a small sum of changes (``l1``, which changes few values) or a short change (``l2``).
        wanted: By how many logits it should lead.
        steps: How often the lead and its gradient are asked for, from each start.
        others: (M, …) other inputs, at some of which the class may lead.
    """
    box = _Box(lead, x, low, high, norm, wanted + EDGE)
    found = _search(box, x, steps)
    if not found.flipped and others is not None and (start := _nearest_other(box, others)) is not None:
        again = _search(box, start, steps)
        found = Found(again.x, again.flipped, found.steps + again.steps)
    return replace(found, x=_shortened(lead, x, found.x, box.wanted)) if found.flipped else found


class _Box(NamedTuple):
    """What is looked for, and where; as in `nearest`."""

    lead: Lead
    x: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    norm: Norm
    wanted: float

    def slope(self, point: torch.Tensor) -> tuple[float, torch.Tensor]:
        """By how much more than is wanted the class leads at a point, and the gradient of that."""
        point = point.detach().clone().requires_grad_()
        with torch.enable_grad():
            led = self.lead(point)[0]
            slope = torch.autograd.grad(led, point)[0]
        return float(led.detach()) - self.wanted, slope

    def far(self, point: torch.Tensor) -> float:
        """How far a point is from the input."""
        return length(point - self.x, self.norm)

    def onward(self, point: torch.Tensor, led: float, slope: torch.Tensor) -> torch.Tensor:
        """The next point of the search."""
        x, low, high, norm = self.x, self.low, self.high, self.norm
        from_here = onto(point, slope, -led, low, high, norm)
        from_home = onto(x, slope, -(led + float((slope * (x - point)).sum())), low, high, norm)
        here, home = length(from_here, norm), length(from_home, norm)
        drawn = min(here / (here + home), HOME) if here + home else 0.0
        point = (1 - drawn) * (point + BEYOND * from_here) + drawn * (x + BEYOND * from_home)
        return point.clamp(low, high)


def _search(box: _Box, start: torch.Tensor, steps: int) -> Found:
    """The nearest point found, or that at which the class came closest."""
    point, best, closest, since, step = start, None, (start, -torch.inf), 0, 0
    for step in range(1, steps + 1):  # noqa: B007
        led, slope = box.slope(point)
        if led > closest[1]:
            closest = (point, led)
        since += 1
        if led > 0 and (best is None or box.far(point) < SLOW * box.far(best)):
            best, point, since = point, box.x + BACK * (point - box.x), 0
            led, slope = box.slope(point)
        if not slope.any() or (best is not None and since > PATIENCE):
            break
        point = box.onward(point, led, slope)
    return Found(closest[0] if best is None else best, best is not None, step)


def _nearest_other(box: _Box, others: torch.Tensor) -> torch.Tensor | None:
    """Of other inputs, (M, …), brought into the box, the nearest at which the class leads; None if it does at none."""
    inside = others.to(box.x).clamp(box.low, box.high)
    with torch.no_grad():
        leading = inside[box.lead(inside) > box.wanted]
    return min(leading.split(1), key=box.far) if len(leading) else None


def _shortened(lead: Lead, x: torch.Tensor, far: torch.Tensor, wanted: float) -> torch.Tensor:
    """The first point of the line from `x` to `far` at which the class leads, to a thousandth of the line."""
    shares = torch.linspace(0, 1, LINE, device=x.device)
    for _ in range(2):
        points = x + shares.reshape(-1, *[1] * (x.ndim - 1)) * (far - x)
        with torch.no_grad():
            there = lead(points) > wanted
        first = int(there.int().argmax())  # the last one does
        if not there[first] or not first:
            return far
        far, shares = (
            points[first : first + 1],
            torch.linspace(float(shares[first - 1] / shares[first]), 1, LINE, device=x.device),
        )
    return far


def length(change: torch.Tensor, norm: Norm) -> float:
    """How far a change goes."""
    return float(change.abs().sum() if norm == "l1" else change.norm())


def onto(
    x: torch.Tensor, slope: torch.Tensor, gain: float, low: torch.Tensor, high: torch.Tensor, norm: Norm
) -> torch.Tensor:
    """The smallest change of `x`, within the box, by which a linear function of this slope gains so much; if the box is
    too small for it, the change that gains most.

    Args:
        x, slope, low, high: Of the same shape.
        gain: May be negative.
        norm: What small means.
    """
    if gain < 0:
        slope, gain = -slope, -gain
    room = torch.where(slope > 0, high - x, x - low).clamp(min=0).flatten()
    steep = slope.abs().flatten()
    moved = (_few if norm == "l1" else _short)(steep, room, gain)
    return moved.reshape(x.shape) * slope.sign()


def _few(steep: torch.Tensor, room: torch.Tensor, gain: float) -> torch.Tensor:
    """The steepest values go as far as they can, until it is enough."""
    order = steep.argsort(descending=True, stable=True)
    gains = (steep * room)[order]
    left = (gain - (gains.cumsum(0) - gains)).clamp(min=0)
    moved = torch.zeros_like(room)
    moved[order] = torch.minimum(room[order], left / steep[order].clamp(min=1e-30))
    return moved


def _short(steep: torch.Tensor, room: torch.Tensor, gain: float) -> torch.Tensor:
    """All values go in proportion to their slope, each as far as it can."""
    reach = room / steep.clamp(min=1e-30)  # the factor at which each is at its end
    order = reach.argsort(stable=True)
    ended, squares = (steep * room)[order], steep.square()[order]
    before = ended.cumsum(0) - ended  # gained by those that are at their end
    going = squares.flip(0).cumsum(0).flip(0)  # slope of those that are not
    enough = before + reach[order] * going >= gain
    if not enough.any():
        return torch.where(steep > 0, room, torch.zeros_like(room))
    first = int(enough.int().argmax())
    factor = (gain - before[first]) / going[first].clamp(min=1e-30)
    return torch.minimum(room, factor * steep)
