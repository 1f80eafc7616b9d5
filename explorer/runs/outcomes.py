"""What runs reached and what they cost, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from explorer.runs.cost import Cost, cost_of
from explorer.runs.run import Run, Status

METRICS = {"accuracy": True, "token_accuracy": True, "mae": False}
"""Metrics that are watched while a run goes on, and whether more is better."""
BROKEN = (Status.DIVERGED, Status.FAILED)
"""Runs whose last values say nothing of how good they are."""


def outcomes(runs: Sequence[Run], epochs: pd.DataFrame) -> pd.DataFrame:
    """One row for each run, in order.

    Args:
        runs: The runs.
        epochs: Their metrics, as from `RunStore.epochs`.

    Returns:
        Columns ``status``, ``metric`` (the name of theirs, or empty), ``quality`` (its value on the validation examples
        after the last epoch), ``test`` (on the test examples), ``loss`` and ``lowest`` (validation loss, last and
        smallest), and those of `Cost`; NaN where there is none yet. The index holds the ids of the runs.
    """
    seen = epochs[epochs["split"] == "validation"]
    values = {key: found.to_numpy(float) for key, found in seen.groupby(["run", "name"])["value"]}
    rows = []
    for run in runs:
        metric = next((name for name in METRICS if (run.id, name) in values or name in run.test), "")
        losses, quality = values.get((run.id, "loss")), values.get((run.id, metric))
        reached = {
            "status": run.status.value,
            "metric": metric,
            "quality": None if quality is None else quality[-1],
            "test": run.test.get(metric),
            "loss": None if losses is None else losses[-1],
            "lowest": None if losses is None else losses.min(),
        }
        rows.append(reached | vars(cost_of(run)))
    columns = ["status", "metric", "quality", "test", "loss", "lowest", *Cost.__dataclass_fields__]
    table = pd.DataFrame(rows, columns=None if rows else columns, index=[run.id for run in runs])
    numbers = [name for name in table if name not in ("status", "metric")]
    return table.astype(dict.fromkeys(numbers, float))


def better(metric: str) -> bool:
    """Whether more of it is better."""
    return METRICS.get(metric, False)


def ranked(table: pd.DataFrame) -> list[str]:
    """Ids of runs from best to worst by their metric on the validation examples, then by their validation loss.

    Not by the test examples: a value that is the best of many was also the luckiest, and a choice made by the test
    split would leave nothing to test it with. Runs that broke, and those without a value yet, are left out.

    Returns:
        Nothing where runs have different metrics.
    """
    usable = table[table["quality"].notna() & ~table["status"].isin([status.value for status in BROKEN])]
    if usable["metric"].nunique() != 1:
        return []
    up = better(usable["metric"].iloc[0])
    return list(usable.sort_values(["quality", "loss"], ascending=[not up, True], kind="stable").index)
