"""Training: speed against the usual DataLoader loop, accuracy reached, and repeatability, on the CPU.

The product is timed as it is used: `execute` on a run store, with live metrics and snapshots. What it is compared
with is the loop of the PyTorch tutorials, on the same model, with the same threads, validating as often.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from explorer.data import Dataset, load_dataset
from explorer.models import build, preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore, Status
from explorer.specs import RunSpec, TrainSpec
from explorer.training import evaluate
from explorer.training.device import training_threads
from tests.benchmarks.base import Bar, at_least, at_most

DATASETS = ("digits", "mnist5k")
SPEED_EPOCHS = 5
"""Short, so that repeats alternate often; the snapshots of a whole run fall into it all the same."""


def measure(repeats: int) -> list[Bar]:
    """All bars of training."""
    with _fixed_threads(), tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        bars = [speed(store, name, repeats) for name in DATASETS]
        digits, seconds = product(store, "digits", TrainSpec(device="cpu"))
        mnist, _ = product(store, "mnist5k", TrainSpec(device="cpu"))
        again, _ = product(store, "digits", TrainSpec(device="cpu"))
        bars += [
            at_least("digits: test accuracy of the default CNN", 0.97, digits.test["accuracy"]),
            at_most("digits: time the default CNN trains", 20, seconds, "s"),
            at_least("mnist5k: test accuracy of the default CNN", 0.96, mnist.test["accuracy"]),
            at_most("digits: losses that differ between two runs of one seed", 0, differences(store, digits, again)),
        ]
        store.close()
    return bars


def speed(store: RunStore, name: str, repeats: int) -> Bar:
    """Samples a second of the product over those of the usual loop: the median of alternating repeats."""
    dataset = load_dataset(name)
    spec = TrainSpec(device="cpu", epochs=SPEED_EPOCHS)
    warm = TrainSpec(device="cpu", epochs=1)
    product(store, name, warm)
    usual(dataset, warm)
    pairs = [(product(store, name, spec)[1], usual(dataset, spec)) for _ in range(repeats)]
    pairs.sort(key=lambda pair: pair[1] / pair[0])
    ours, theirs = pairs[(repeats - 1) // 2]  # the median pair: what else the machine does slows both of a pair alike
    samples = len(dataset.train) * spec.epochs
    note = f"{samples / ours:,.0f} to {samples / theirs:,.0f}"
    return at_least(f"{name}: samples a second, product to usual loop", 1.0, theirs / ours, note=note)


def product(store: RunStore, name: str, spec: TrainSpec) -> tuple[Run, float]:
    """Train the default CNN as the product does: the finished run and the seconds it took."""
    model = preset("cnn", load_dataset(name))
    with store.owners.hold() as owner:
        run = submit(store, RunSpec(dataset=name, model=model, train=spec, family="cnn"), owner=owner)
        began = time.perf_counter()
        run = execute(store, run, owner, "cpu")
        seconds = time.perf_counter() - began
    if run.status is not Status.FINISHED:
        raise RuntimeError(f"The run on {name} ended as {run.status}: {run.reason}")
    return run, seconds


def usual(dataset: Dataset, spec: TrainSpec) -> float:
    """Train the default CNN with the loop of the tutorials; returns the seconds it took."""
    began = time.perf_counter()
    model = build(preset("cnn", dataset), dataset, seed=spec.seed)
    examples = TensorDataset(dataset.train.inputs, dataset.train.targets)
    loader = DataLoader(examples, batch_size=spec.batch_size, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.learning_rate)
    history = []
    for _ in range(spec.epochs):
        model.train()
        loss_sum, right = 0.0, 0
        for inputs, targets in loader:
            optimizer.zero_grad()
            logits = model(inputs)
            loss = criterion(logits, targets)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(inputs)
            right += (logits.argmax(1) == targets).sum().item()
        history.append((loss_sum / len(examples), right / len(examples), evaluate(model, dataset, "validation")))
    evaluate(model, dataset)
    return time.perf_counter() - began


def differences(store: RunStore, one: Run, other: Run) -> int:
    """How many batch losses of two runs are not the same to the last bit."""
    losses = []
    for run in (one, other):
        rows = store.metrics(run.id)
        losses.append(rows[(rows["split"] == "batch") & (rows["name"] == "loss")].set_index("step")["value"])
    if not losses[0].index.equals(losses[1].index):
        raise RuntimeError("The two runs did not write the same steps.")
    return int((losses[0] != losses[1]).sum())


@contextmanager
def _fixed_threads() -> Iterator[None]:
    """The thread count of a worker, for both sides."""
    before = torch.get_num_threads()
    torch.set_num_threads(training_threads())
    try:
        yield
    finally:
        torch.set_num_threads(before)
