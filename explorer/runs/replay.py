"""A run's model as it was at any kept step."""

from __future__ import annotations

from torch import nn

from explorer.data import dataset_of
from explorer.errors import SnapshotError, StoreError
from explorer.models import build
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.training.optimizer import finite


def model_at(store: RunStore, run_id: str, step: int) -> nn.Module:
    """Rebuild a run's model with the weights of one step, in eval mode on the CPU; nobody else holds it.

    Args:
        store: Where the run is.
        run_id: The run.
        step: A kept step, one of ``store.snapshots.steps(run_id)``.

    Raises:
        RunGone: The run is not there.
        SnapshotError: The weights are missing, damaged, not finite, or those of another model.
    """
    run = store.get(run_id)
    if run.spec is None:
        raise StoreError(run.reason)
    model = build(run.spec.model, dataset_of(run.spec))
    weights = store.snapshots.load(run_id, step)
    for name, known in model.state_dict().items():
        if name in weights and weights[name].dtype != known.dtype:  # it would be converted without a word
            raise SnapshotError(
                f"The weights of step {step} do not fit the model of this run: {name} is {weights[name].dtype}, not "
                f"{known.dtype}. Choose another step."
            )
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise SnapshotError(
            f"The weights of step {step} do not fit the model of this run. Choose another step."
        ) from error
    if not finite(weights.values()):  # training keeps none of these: the file was made or changed by something else
        raise SnapshotError(
            f"The weights of step {step} hold numbers that are not finite, as after training that diverged: whatever "
            "they answer means nothing. Choose an earlier step."
        )
    return model.eval()


def last_good(store: RunStore, run: Run) -> int:
    """The last kept step whose loss was not above the first one: there a run that diverged can go on. The first kept
    step if there is none. The best one need not do: where the loss only rises, it is that of the first epoch.
    """
    steps = store.snapshots.steps(run.id)
    losses = store.metrics(run.id).query("split == 'batch' and name == 'loss'")
    seen, values = losses["step"].to_numpy(), losses["value"].to_numpy()
    following = seen.searchsorted(steps, side="right")  # the loss of a step is that of the weights before it
    good = [step for step, at in zip(steps, following, strict=True) if at < len(seen) and values[at] <= values[0]]
    return max(good, default=steps[0])
