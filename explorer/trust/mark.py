"""What is kept of one cell of the table: the outcome of a check, or why there is none."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.trust.base import Outcome

Finite = Annotated[float, Field(allow_inf_nan=False)]
Words = Annotated[str, Field(max_length=2000)]


class Mark(BaseModel):
    """The outcome of a check as JSON can hold it.

    Attributes:
        score: Mean over the examples; None if there is none, and `reason` says why.
        scores: One for each example; None where it has no value.
        controls, curves, verdict, doubtful: As in `Outcome`.
        reason: Why there is no score, in words.
        broken: Whether that was an error nobody expected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: Finite | None = None
    scores: Annotated[tuple[Finite | None, ...], Field(max_length=1000)] = ()
    controls: Annotated[dict[Words, Finite], Field(max_length=20)] = {}
    verdict: Words = ""
    doubtful: bool = False
    curves: Annotated[
        dict[Words, Annotated[tuple[tuple[Finite, Finite], ...], Field(max_length=2000)]], Field(max_length=50)
    ] = {}
    reason: Words = ""
    broken: bool = False

    @classmethod
    def of(cls, outcome: Outcome) -> Mark:
        """What is kept of an outcome."""
        return cls(
            score=outcome.score,
            scores=tuple(float(one) if math.isfinite(one) else None for one in outcome.scores),
            controls={name: value for name, value in outcome.controls.items() if math.isfinite(value)},
            verdict=outcome.verdict,
            doubtful=outcome.doubtful,
            curves={name: _points(line) for name, line in outcome.curves.items()},
        )

    @property
    def control(self) -> tuple[str, float] | None:
        """Name and value of the control it is drawn with: the first."""
        return next(iter(self.controls.items()), None)

    @property
    def state(self) -> Literal["held", "doubtful", "none", "broken"]:
        """What it is, for drawing."""
        if self.score is None:
            return "broken" if self.broken else "none"
        return "doubtful" if self.doubtful else "held"


def read(text: str) -> Mark | None:
    """A mark from its JSON, or None if it is not one."""
    try:
        return Mark.model_validate_json(text)
    except ValidationError:
        return None


def _points(line: np.ndarray) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in line if math.isfinite(y))
