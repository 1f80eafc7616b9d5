"""What every worker needs, imported and used once in the fork server, so that a worker starts in milliseconds."""

from __future__ import annotations

import torch
import torch.nn.functional
import torch.optim

import explorer.runs.execute  # noqa: F401
from explorer.data import load_dataset
from explorer.models import checked, preset
from explorer.specs import TrainSpec
from explorer.training.optimizer import make_optimizer

torch.set_num_threads(1)  # a process with a running thread pool must not be forked
_dataset = load_dataset("digits")  # what newcomers start with; other data are read when they are wanted
checked(preset("mlp", _dataset), _dataset)
make_optimizer(torch.nn.Linear(1, 1), TrainSpec())
