"""Random numbers from a seed, apart from everybody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

_ALONE = RLock()  # torch has one generator for all threads, and many sessions share a server


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch's generator of the CPU start from a seed; afterwards it is as it was. One thread at a time."""
    with _ALONE, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which also seeds every GPU
        yield
