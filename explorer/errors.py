"""Errors the person in front of the screen can fix.

Each message says what was got, what was wanted and the fix; everything else that goes wrong is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable


class ExplorerError(Exception):
    """Base of every expected error; its text is shown to the user as it is."""


class UnknownName(ExplorerError):
    """A name that is not registered; the message lists the ones that are."""

    def __init__(self, what: str, got: object, known: Iterable[str]) -> None:
        super().__init__(f"There is no {what} called {got!r}. Choose one of: {', '.join(known)}.")


class SpecError(ExplorerError):
    """A specification that cannot work.

    Attributes:
        layer: Number of the offending layer, counted from 1, or None if it concerns the whole model.
    """

    def __init__(self, message: str, layer: int | None = None) -> None:
        super().__init__(message)
        self.layer = layer


class DataError(ExplorerError):
    """A data set that cannot be read or does not fit."""


class NotApplicable(ExplorerError):
    """A method that does not apply to this model or input; the message says why."""


class Diverged(ExplorerError):
    """Training reached a loss that is not a finite number."""


class StoreError(ExplorerError):
    """The run store cannot be read or written."""


class DiskFull(StoreError):
    """There is no room left where the run store lies."""


class StoreBusy(StoreError):
    """Another program holds the run store for now."""


class RunGone(StoreError):
    """The run is not in the store (any more)."""


class SnapshotError(StoreError):
    """A weight snapshot that is missing, damaged or does not fit its model."""
