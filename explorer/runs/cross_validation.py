"""K-fold cross-validation: as many runs as folds, each validated on the examples the others train on."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.errors import SpecError
from explorer.runs.execute import check
from explorer.runs.run import Run, Status
from explorer.runs.store import TITLE_LENGTH, RunStore, new_id
from explorer.specs import RunSpec

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "folds-"
"""What the shared id of the folds of a cross-validation begins with."""
FEWEST, MOST, USUAL = 3, 10, 5
"""How many folds may be asked for, and how many usually are."""


@dataclass(frozen=True)
class Fold:
    """One fold, as far as it has come.

    Attributes:
        number, folds: Which one, from 1, of how many.
        run: Its run, or None if it was deleted.
        metrics: Validation metrics after its last epoch so far, such as ``{"loss": 0.1, "accuracy": 0.97}``.
    """

    number: int
    folds: int
    run: Run | None
    metrics: dict[str, float]

    @property
    def counts(self) -> bool:
        """Whether it was trained to its end, so that it counts towards the mean."""
        return self.run is not None and self.run.status is Status.FINISHED and bool(self.metrics)


@dataclass(frozen=True)
class Spread:
    """A metric over the folds that finished.

    Attributes:
        count: How many those are.
        deviation: Sample standard deviation, divided by count - 1; NaN of fewer than two.
    """

    count: int
    mean: float
    deviation: float


def cross_validate(store: RunStore, spec: RunSpec, folds: int = USUAL, session: str = "") -> str:
    """Queue one run for each fold of the train and validation examples together; the test split is left alone.

    Args:
        store: Where the runs go.
        spec: What each trains; every fold begins anew from the seed.
        folds: How many, 3 to 10.
        session: Who wants it.

    Returns:
        The shared ``sweep`` of the runs, for `RunStore.of_sweep`; they are in it in the order of their folds.

    Raises:
        ExplorerError: One of them cannot work, or there are too few examples; nothing was stored.
    """
    if not FEWEST <= folds <= MOST:
        raise SpecError(f"{folds} folds were asked for. Choose {FEWEST} to {MOST}.")
    specs = [
        spec.model_copy(update={"fold": (fold, folds), "changes": (), "start": None, "purpose": "train"})
        for fold in range(folds)
    ]
    checked = [check(one) for one in specs]
    sweep = PREFIX + new_id()
    for number, (one, (steps, made)) in enumerate(zip(specs, checked, strict=True), 1):
        words = f", fold {number} of {folds}"
        title = _called(one)[: TITLE_LENGTH - len(words)] + words
        store.create(one, title, steps, made.parameters, session=session, macs=made.macs, sweep=sweep)
    return sweep


def is_fold(run: Run) -> bool:
    """Whether a run is a fold of a cross-validation."""
    return run.sweep.startswith(PREFIX) and run.spec is not None and run.spec.fold is not None


def folds_of(store: RunStore, sweep: str, metrics: Callable[[str], pd.DataFrame] | None = None) -> list[Fold]:
    """All folds of a cross-validation, in order; those whose run was deleted, too.

    Args:
        store: Where its runs are.
        sweep: Their shared id.
        metrics: Reads the metrics of a run, as `RunStore.metrics` does.
    """
    runs = {run.spec.fold: run for run in store.of_sweep(sweep) if is_fold(run)}
    folds = max((count for _, count in runs), default=0)
    found = []
    for number in range(folds):
        run = runs.get((number, folds))
        found.append(Fold(number + 1, folds, run, _last((metrics or store.metrics)(run.id)) if run else {}))
    return found


def spreads(folds: list[Fold]) -> dict[str, Spread]:
    """Mean and sample standard deviation of each metric over the folds that finished."""
    finished = [fold.metrics for fold in folds if fold.counts]
    names = [name for name in finished[0] if all(name in one for one in finished)] if finished else []
    found = {}
    for name in names:
        values = [one[name] for one in finished]
        deviation = statistics.stdev(values) if len(values) > 1 else math.nan
        found[name] = Spread(len(values), statistics.fmean(values), deviation)
    return found


def _last(metrics: pd.DataFrame) -> dict[str, float]:
    """Validation metrics after the last epoch that was measured."""
    mine = metrics[metrics["split"] == "validation"]
    mine = mine[mine["step"] == mine["step"].max()]
    return dict(zip(mine["name"], mine["value"].astype(float), strict=True))


def _called(spec: RunSpec) -> str:
    from explorer.data.own import called

    return spec.called(called(spec.dataset))
