"""A run's model as it was at any kept step."""

from __future__ import annotations

from torch import nn

from explorer.data import load_dataset
from explorer.errors import SnapshotError, StoreError
from explorer.models import build
from explorer.runs.store import RunStore


def model_at(store: RunStore, run_id: str, step: int) -> nn.Module:
    """Rebuild a run's model with the weights of one step, in eval mode on the CPU; nobody else holds it.

    Args:
        store: Where the run is.
        run_id: The run.
        step: A kept step, one of ``store.snapshots.steps(run_id)``.

    Raises:
        RunGone: The run is not there.
        SnapshotError: The weights are missing, damaged, or those of another model.
    """
    run = store.get(run_id)
    if run.spec is None:
        raise StoreError(run.reason)
    model = build(run.spec.model, load_dataset(run.spec.dataset))
    try:
        model.load_state_dict(store.snapshots.load(run_id, step))
    except RuntimeError as error:
        raise SnapshotError(
            f"The weights of step {step} do not fit the model of this run. Choose another step."
        ) from error
    return model.eval()
