"""Memory of the processes that train: what a run takes at most, and what a worker may take."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch


class Peak:
    """Most bytes that this process, and the GPU if it is one that trains, take from here on beyond what they hold now.

    Args:
        device: Where tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the peak so far, see proc(5)
        if device.type == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats(device)
        self._before, self._on_device = psutil.Process().memory_info().rss, self._allocated()

    def __call__(self) -> int:
        """The peak so far, in bytes."""
        return max(0, _most() - self._before) + max(0, self._allocated() - self._on_device)

    def _allocated(self) -> int:
        if self._device.type != "cuda":
            return 0
        import torch

        return torch.cuda.max_memory_allocated(self._device)


def _most() -> int:
    """The peak of this process's memory, in bytes."""
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def taken(pid: int) -> int:
    """Bytes a process holds now; 0 if it has ended."""
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0
