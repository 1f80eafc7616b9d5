"""What people type for a field of a sweep: a list of values, or a range."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types as at
import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from explorer.errors import SpecError
from explorer.registry import explain

Scalar = int | float | bool | str
MOST_VALUES = 100
RATIOS = 8
"""A range whose ends are positive and this many times apart is cut into equal ratios, any other into equal steps."""
DIGITS = 3
"""Significant digits of the numbers within a range."""
EXAMPLES = "a list such as 0.001, 0.01, 0.1, or a range such as 16 to 128 in 4 steps"

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_RANGE = re.compile(
    rf"({_NUMBER})\s*(?:to|\.\.\.?|…)\s*({_NUMBER})(?:\s*,?\s*in\s*(\d+)(?:\s*(?:steps?|values?))?)?\s*,?\s*(log|linear)?",
    re.IGNORECASE,
)
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


@dataclass(frozen=True)
class Values:
    """The values one field takes.

    Attributes:
        name: The field.
        values: All of them, of a list or a range that says how many; empty for a range that does not.
        ends: Smallest and largest value of a range; None for a list.
        ratios: Whether the range is cut into equal ratios.
        grain: What numbers of the range are multiples of; 0 where they need not be whole.
    """

    name: str
    values: tuple[Scalar, ...]
    ends: tuple[float, float] | None = None
    ratios: bool = False
    grain: int = 0

    def draw(self, random: np.random.Generator) -> Scalar:
        """One value at random: of a list any; within a range uniform, or log-uniform where it is cut into ratios."""
        if self.ends is None:
            return self.values[int(random.integers(len(self.values)))]
        return self._at(float(random.random()))

    def spread(self, count: int) -> tuple[Scalar, ...]:
        """So many values over the whole range; fewer where whole numbers come out the same."""
        places = np.linspace(0.0, 1.0, count)
        return tuple(dict.fromkeys(self._at(float(place)) for place in places))

    def _at(self, place: float) -> Scalar:
        """The number at a place from 0 to 1 of the range."""
        low, high = self.ends
        exact = low ** (1 - place) * high**place if self.ratios else low * (1 - place) + high * place
        if self.grain:
            return int(min(max(round(exact / self.grain) * self.grain, low), high))
        rounded = float(f"{exact:.{DIGITS}g}") if 0 < place < 1 else exact
        return float(min(max(rounded, low), high))


def read_values(name: str, field: FieldInfo, text: str) -> Values:
    """Read what was typed for a field.

    A range is cut into equal ratios where its ends are positive and at least `RATIOS` times apart, else into equal
    steps; ``log`` or ``linear`` behind it says otherwise. A range of whole numbers that does not say how many is all of
    them, if they are few.

    Raises:
        SpecError: It is neither, or holds a value that the field does not take.
    """
    label = (field.title or name.replace("_", " ")).lower()
    text = " ".join(text.split())
    if not text:
        raise SpecError(f"There are no values for {label} yet. Type {EXAMPLES}.")
    if field.annotation in (int, float) and (found := _RANGE.fullmatch(text)):
        return _range(name, field, label, *found.groups())
    parts = [part.strip() for part in re.split(r"[,;]", text) if part.strip()]
    if len(parts) > MOST_VALUES:
        raise SpecError(f"There are {len(parts)} values for {label}; the most is {MOST_VALUES}.")
    return Values(name, tuple(dict.fromkeys(_value(field, label, part) for part in parts)))


def options(field: FieldInfo) -> tuple[str, ...]:
    """The words a field takes, if it takes only certain ones."""
    if get_origin(field.annotation) is Literal:
        return get_args(field.annotation)
    extra = field.json_schema_extra
    return tuple(extra.get("options", ())) if isinstance(extra, dict) else ()


def said(value: Scalar) -> str:
    """A value in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _range(
    name: str, field: FieldInfo, label: str, first: str, second: str, count: str | None, how: str | None
) -> Values:
    low, high = sorted(_value(field, label, end) for end in (first, second))
    if how and how.lower() == "log" and low <= 0:
        raise SpecError(f"The range of {label} begins at {said(low)}: equal ratios need a positive beginning.")
    ratios = how.lower() == "log" if how else low > 0 and high / low >= RATIOS and name != "seed"
    whole = field.annotation is int
    grain = next((rule.multiple_of for rule in field.metadata if isinstance(rule, at.MultipleOf)), 1) if whole else 0
    made = Values(name, (), (low, high), ratios, grain)
    fit = (high - low) // grain + 1 if whole else math.inf
    if count is None:
        return made if fit > 20 else _with(made, range(low, high + 1, grain))
    wanted = int(count)
    if not 2 <= wanted <= MOST_VALUES:
        raise SpecError(f"The range of {label} has {count} values; it can have from 2 to {MOST_VALUES}.")
    values = made.spread(wanted)
    if len(values) < wanted and ratios and not how:  # so few whole numbers that ratios would meet in the same ones
        values = max(values, Values(name, (), (low, high), False, grain).spread(wanted), key=len)
    return _with(made, values)


def _with(made: Values, values: Any) -> Values:
    return Values(made.name, tuple(values), made.ends, made.ratios, made.grain)


def _value(field: FieldInfo, label: str, text: str) -> Scalar:
    """One value, as the field takes it."""
    known = options(field)
    if known:
        if text.lower() not in known:
            raise SpecError(f"{label.capitalize()} cannot be {text[:40]!r}. Choose from: {', '.join(known)}.")
        return text.lower()
    if field.annotation is bool:
        if text.lower() not in _WORDS:
            raise SpecError(f"{label.capitalize()} cannot be {text[:40]!r}. Type yes, no or both: yes, no.")
        return _WORDS[text.lower()]
    try:
        number = float(text)
    except ValueError:
        raise SpecError(f"{text[:40]!r} is not a number for {label}. Type {EXAMPLES}.") from None
    rules = (field.annotation, *field.metadata)
    try:
        return TypeAdapter(Annotated[rules]).validate_python(int(number) if _whole(field, number) else number)
    except ValidationError as error:
        raise SpecError(f"{label.capitalize()} {explain(error, ()).removeprefix('value ')}") from None


def _whole(field: FieldInfo, number: float) -> bool:
    return field.annotation is int and math.isfinite(number) and number == int(number)
