"""The twin of a run: the same network, trained in the same way, on shuffled labels."""

from __future__ import annotations

from explorer.errors import NotApplicable
from explorer.runs.execute import submit
from explorer.runs.run import Run, Status
from explorer.runs.store import RunStore
from explorer.specs import RunSpec


def twin_spec(run: Run) -> RunSpec:
    """What its twin is made from.

    Raises:
        NotApplicable: It can have none.
    """
    if run.spec is None:
        raise NotApplicable(run.reason)
    if run.spec.shuffled:
        raise NotApplicable("This run has learned shuffled labels itself.")
    if run.spec.purpose != "train":
        raise NotApplicable(f"This run is a {run.spec.purpose}, which was not made to learn the data.")
    return run.spec.model_copy(update={"shuffled": True, "start": None})  # weights it began from know true labels


def twin_of(store: RunStore, run: Run) -> Run | None:
    """Its twin, if there is one: one that finished before one that goes on, else None."""
    try:
        found = store.of_spec(twin_spec(run))
    except NotApplicable:
        return None
    usable = [one for one in found if one.status is Status.FINISHED or not one.status.over]
    return min(usable, key=lambda one: one.status is not Status.FINISHED, default=None)


def make_twin(store: RunStore, run: Run, session: str = "") -> Run:
    """Queue its twin, unless there is one already.

    Raises:
        ExplorerError: It can have none.
    """
    return twin_of(store, run) or submit(store, twin_spec(run), session=session)
