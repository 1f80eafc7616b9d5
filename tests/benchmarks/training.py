"""Training: speed against four other loops for four families, accuracy reached, and repeatability, on the CPU.

The product is timed as it is used: `execute` on a run store, with live metrics, gradient statistics and snapshots on.
What it is compared with, `tests/benchmarks/_rivals.py`, trains the same model with the same threads, and measures it as
often. All take turns in one process.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore, Status
from explorer.specs import RunSpec, TrainSpec
from explorer.training.device import training_threads
from tests.benchmarks._rivals import lightning, skorch, tuned, usual
from tests.benchmarks.base import Bar, at_least, at_most

RIVALS: dict[str, tuple[Callable[..., None], float]] = {
    "the usual DataLoader loop": (usual, 1.1),
    "Lightning's Trainer": (lightning, 1.4),
    "skorch": (skorch, 1.1),
    "a loop tuned by hand without instrumentation": (tuned, 0.95),
}
"""What the product is compared with, and how many times its samples a second it should reach."""
ON_A_GPU = 3.0
"""The same on a CUDA device, to the usual loop there."""


@dataclass(frozen=True)
class Case:
    """A starter and its data, trained for so many epochs that it takes a few seconds, as runs do."""

    family: str
    dataset: str
    epochs: int


CASES = (
    Case("mlp", "mnist5k", 80),
    Case("cnn", "digits", 50),
    Case("cnn", "mnist5k", 4),
    Case("rnn", "mnist1d", 6),
    Case("transformer", "mnist5k", 1),
)


def measure(repeats: int) -> list[Bar]:
    """All bars of training."""
    with _fixed_threads(), tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        bars = [bar for case in CASES for bar in speeds(store, case, repeats)]
        bars += on_a_gpu(store, repeats)
        digits, seconds = product(store, Case("cnn", "digits", 20))
        mnist, _ = product(store, Case("cnn", "mnist5k", 20))
        again, _ = product(store, Case("cnn", "digits", 20))
        bars += [
            at_least("digits: test accuracy of the default CNN", 0.97, digits.test["accuracy"]),
            at_most("digits: time the default CNN trains", 20, seconds, "s"),
            at_least("mnist5k: test accuracy of the default CNN", 0.96, mnist.test["accuracy"]),
            at_most("digits: losses that differ between two runs of one seed", 0, differences(store, digits, again)),
        ]
        store.close()
    return bars


def speeds(store: RunStore, case: Case, repeats: int) -> list[Bar]:
    """Samples a second of the product over those of each rival: the median of rounds in which all take turns."""
    dataset = load_dataset(case.dataset)
    model, spec = preset(case.family, dataset), TrainSpec(device="cpu", epochs=case.epochs)
    warm = Case(case.family, case.dataset, 1)
    product(store, warm)
    for rival, _ in RIVALS.values():
        rival(dataset, model, TrainSpec(device="cpu", epochs=1))
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in RIVALS}
    for _ in range(repeats):
        ours.append(product(store, case)[1])
        for name, (rival, _) in RIVALS.items():
            theirs[name].append(_seconds(lambda rival=rival: rival(dataset, model, spec)))
    samples = len(dataset.train) * case.epochs
    bars = []
    for name, (_, bar) in RIVALS.items():
        ratios = [their / our for our, their in zip(ours, theirs[name], strict=True)]  # of one round: both were slowed
        note = f"{samples / median(ours):,.0f} to {samples / median(theirs[name]):,.0f} samples a second"
        bars.append(at_least(f"{case.family} on {case.dataset}, to {name}", bar, median(ratios), note=note))
    return bars


def on_a_gpu(store: RunStore, repeats: int) -> list[Bar]:
    """The same on a CUDA device, for small networks against the usual loop there; one line that says so without one."""
    if not torch.cuda.is_available():
        return [Bar("on a CUDA device", f"≥ {ON_A_GPU:g}", float("nan"), True, "skipped: there is none here")]
    bars = []
    cases = Case("mlp", "mnist5k", 40), Case("cnn", "digits", 40), Case("rnn", "mnist1d", 10)
    for case in (*cases, Case("transformer", "mnist5k", 4)):
        dataset = load_dataset(case.dataset)
        model, spec = preset(case.family, dataset), TrainSpec(device="cuda", epochs=case.epochs)
        ours, theirs = [], []
        for _ in range(repeats + 1):
            theirs.append(_seconds(lambda: usual(dataset, model, spec, "cuda")))  # noqa: B023
            ours.append(product(store, case, "cuda")[1])
        ratios = [their / our for our, their in zip(ours[1:], theirs[1:], strict=True)]  # the first wakes the device
        samples = len(dataset.train) * case.epochs
        what = f"{case.family} on {case.dataset}, on CUDA, to the usual DataLoader loop"
        note = f"{samples / median(ours[1:]):,.0f} to {samples / median(theirs[1:]):,.0f} samples a second"
        bars.append(at_least(what, ON_A_GPU, median(ratios), note=note))
    return bars


def product(store: RunStore, case: Case, device: str = "cpu") -> tuple[Run, float]:
    """Train a starter as the product does: the finished run and the seconds it took."""
    model = preset(case.family, load_dataset(case.dataset))
    spec = RunSpec(
        dataset=case.dataset, model=model, train=TrainSpec(device=device, epochs=case.epochs), family=case.family
    )
    with store.owners.hold() as owner:
        run = submit(store, spec, owner=owner)
        began = time.perf_counter()
        run = execute(store, run, owner, device)
        seconds = time.perf_counter() - began
    if run.status is not Status.FINISHED:
        raise RuntimeError(f"{run.title} ended as {run.status}: {run.reason}")
    return run, seconds


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
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
