"""Gradient through time: how much of what the loss says reaches each step that a recurrent layer has read."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from explorer.errors import NotApplicable
from explorer.probes.capture import unrolled
from explorer.probes.recurrent import recurrent_layers
from explorer.training import Task


@dataclass(frozen=True)
class ThroughTime:
    """The gradient of the loss with respect to each hidden state of one recurrent layer.

    Attributes:
        layer: Its name, such as ``lstm1.ahead1``.
        norms: (T,) mean over the examples of ``|d loss / d h[t]|``, the Euclidean norm, for the steps in the order they
            were read. The derivative is the whole one: through all later states, too.
        counts: (T,) examples that reach so far; texts are not all equally long.
    """

    layer: str
    norms: np.ndarray
    counts: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """(T,) norms as shares of the largest; all zero if there is no gradient."""
        largest = self.norms.max(initial=0.0)
        return self.norms / largest if largest else self.norms


def through_time(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor, task: Task) -> list[ThroughTime]:
    """Gradient through time of every recurrent layer (Hochreiter, 1991; Bengio et al., 1994).

    It is worked out in double precision: what has vanished is below what single precision holds. The model is in eval
    mode, and left as it is.

    Args:
        model: Takes a batch as `task` gives it.
        inputs, targets: Examples, (N, …); each counts by the gradient of its own loss.
        task: Says what the loss is.

    Raises:
        NotApplicable: The model has no recurrent layer.
    """
    model = deepcopy(model).double()
    if not (names := recurrent_layers(model)):
        raise NotApplicable("This model has no recurrent layer, so nothing in it happens over time.")
    inputs = inputs.double() if inputs.is_floating_point() else inputs
    targets = targets.double() if targets.is_floating_point() else targets
    with unrolled(model, names) as seen:
        loss = task.loss(task.run(model, inputs, targets), targets) * task.count(targets)  # the sum, not the mean
        states = [state for name in names for state in seen[name]]
        gradients = torch.autograd.grad(loss, states, allow_unused=True)
    norms = [torch.zeros(len(inputs)) if g is None else g[0].norm(dim=1).cpu() for g in gradients]  # (N,) each
    found, at = [], 0
    for name in names:
        table = torch.stack(norms[at : at + len(seen[name])], 1).double().numpy()  # (N, T)
        at += len(seen[name])
        # No answer depends on padding: an example ends with the last state that has a gradient.
        counts = (np.cumsum(table[:, ::-1], 1)[:, ::-1] > 0).sum(0)  # (T,)
        found.append(ThroughTime(name, table.sum(0) / counts.clip(min=1), counts))
    return found
