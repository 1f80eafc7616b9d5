"""What a benchmark returns. A benchmark is a module of this package with ``measure(repeats) -> list[Bar]``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One figure and what it is held to.

    Attributes:
        what: What was measured, and of what.
        bar: What it should be, in words: ``≥ 0.97``.
        measured: The figure.
        held: Whether it is as it should be.
        note: What the figure was made from, such as the two rates of a ratio.
    """

    what: str
    bar: str
    measured: float
    held: bool
    note: str = ""


def at_least(what: str, bar: float, measured: float, unit: str = "", note: str = "") -> Bar:
    """A figure that should not be below its bar."""
    return Bar(what, f"≥ {bar:g} {unit}".strip(), measured, measured >= bar, note)


def at_most(what: str, bar: float, measured: float, unit: str = "", note: str = "") -> Bar:
    """A figure that should not be above its bar."""
    return Bar(what, f"≤ {bar:g} {unit}".strip(), measured, measured <= bar, note)
