"""Flips: seconds of a counterfactual, of swapped words and of attacks, and how often the answer flips."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

import explorer as ex
from explorer.flips import Flip, Room, attack, counterfactual, room_of, word_swaps
from explorer.probes import TwoClasses
from explorer.training.device import training_threads
from tests.benchmarks.base import Bar, at_least, at_most

ATTACK, SEARCH, FLIPPED = 0.5, 2.0, 0.9
"""Most seconds of an attack and of a search, and the share of examples that should flip."""
EXAMPLES, STRENGTH = 8, 0.1
FAMILIES = (
    ("mlp", "breast_cancer"),
    ("cnn", "digits"),
    ("cnn", "mnist5k"),
    ("cnn", "photos"),
    ("rnn", "mnist1d"),
    ("transformer", "digits"),
    ("transformer", "mnist5k"),
)
READERS = (("attention", "evidence_words"), ("rnn", "surnames"), ("attention", "reviews"))


def measure(repeats: int) -> list[Bar]:
    """All bars of flips."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(training_threads())
    bars = []
    for family, name in FAMILIES:
        bars += _numbers(family, name, repeats)
    for family, name in READERS:
        model, dataset = _trained(family, name)
        bars += _searched(f"{family} on {name}, swaps", dataset, lambda x, model=model: word_swaps(model, x))
    return bars


def _numbers(family: str, name: str, repeats: int) -> list[Bar]:
    model, dataset = _trained(family, name)
    room, where = room_of(dataset), f"{family} on {name}"
    bars = []
    for norm in ("l1", "l2"):
        bars += _searched(
            f"{where}, {norm}", dataset, lambda x, norm=norm: counterfactual(model, x, room=room, norm=norm)
        )
    x, label = dataset.test.inputs[:1], int(dataset.test.targets[0])
    for method in ("fgsm", "pgd"):
        taken = [_attacked(method, model, x, label, room) for _ in range(repeats + 1)][1:]
        bars.append(at_most(f"{where}, {method}", ATTACK, median(taken), "s"))
    return bars


def _attacked(method: str, model: nn.Module, x: torch.Tensor, label: int, room: Room) -> float:
    start = time.perf_counter()
    attack(method, model, x, label, [STRENGTH], room=room)
    return time.perf_counter() - start


def _searched(what: str, dataset: ex.Dataset, search: Callable[[torch.Tensor], Flip]) -> list[Bar]:
    taken, flipped = [], []
    for x in dataset.test.inputs[: EXAMPLES + 1].split(1):
        start = time.perf_counter()
        flipped.append(search(x).flipped)
        taken.append(time.perf_counter() - start)
    share = sum(flipped) / len(flipped)
    return [at_most(f"{what}, seconds", SEARCH, median(taken[1:]), "s"), at_least(f"{what}, flipped", FLIPPED, share)]


def _trained(family: str, name: str) -> tuple[nn.Module, ex.Dataset]:
    dataset = ex.load_dataset(name)
    model = ex.build(ex.preset(family, dataset), dataset, seed=0)
    settings = ex.preset_training(family, dataset)
    for _ in ex.train(model, dataset, settings.model_copy(update={"epochs": min(settings.epochs, 10)})):
        pass
    model.eval()
    return (TwoClasses(model) if dataset.task == "binary" else model), dataset
