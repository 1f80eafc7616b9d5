"""Where to compute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from explorer.errors import SpecError


def resolve_device(name: str) -> torch.device:
    """The device a name stands for; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        SpecError: This machine does not have it.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, there in found.items() if there)
    if not found.get(name):
        there = ", ".join(device for device, yes in found.items() if yes)
        raise SpecError(f"Device {name!r} was asked for, but this machine has only: {there}. Choose auto.")
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """The device in words: ``cpu (2 threads)``, ``cuda (NVIDIA H100)``."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    return f"{device.type} ({torch.get_num_threads()} threads)" if device.type == "cpu" else device.type


def training_threads() -> int:
    """CPU threads one run uses: a function of the machine alone, so that repeats agree to the last bit."""
    return max(1, min(4, (os.cpu_count() or 1) // 2))


@contextmanager
def repeatable() -> Iterator[None]:
    """Let cuDNN add up in a fixed order only, so that a seed gives the same weights to the last bit.

    https://docs.pytorch.org/docs/stable/notes/randomness.html. Of small networks that takes about a tenth longer.
    """
    before, torch.backends.cudnn.deterministic = torch.backends.cudnn.deterministic, True
    try:
        yield
    finally:
        torch.backends.cudnn.deterministic = before
