"""The arithmetic of a step as a CUDA graph: recorded once, then replayed.

Starting the many small kernels of a small network one by one takes several times as long as they run. See
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs.
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Protocol

import torch
from torch import nn

from explorer.training.randomness import Seeded

log = logging.getLogger("explorer.training")
WARM = 3
"""Steps with batches of a shape before a graph of them is recorded: in these, libraries choose their kernels."""
MOST = 8
"""Most graphs at once: each keeps a batch and gradients, and texts have many widths."""

Report = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From inputs and targets of a batch to its loss and sums, (1 + S,) on the device; leaves gradients in the weights."""


class Shapes:
    """Which shapes of batches get a graph: each after `WARM` batches of it, while fewer than `MOST` have one."""

    def __init__(self) -> None:
        self.seen: Counter[Hashable] = Counter()
        self.chosen: set[Hashable] = set()

    def due(self, shape: Hashable) -> bool:
        """Count a batch of this shape, and return whether a graph shall take it."""
        self.seen[shape] += 1
        if self.seen[shape] > WARM and len(self.chosen) < MOST:
            self.chosen.add(shape)
        return shape in self.chosen


class Recorded(Protocol):
    """Takes a batch as the function would from which it was recorded, and returns what that would return."""

    def __call__(self, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor: ...


class Graphs:
    """Forward pass, loss, backward pass and sums of batches: the first of a shape eagerly, the others replayed.

    Eager are also batches of rare shapes; all of them while somebody watches the model through hooks, which a graph
    would not call; and all for good when the model waits for the device, or recording has failed.

    Args:
        model: Is trained; its forward pass does the same operations with every batch of a shape.
        learn: From a batch to its loss () and sums (S,); leaves gradients in the weights and never waits.
        random: Holds the random numbers it draws.
        record: Makes a graph of a report; see `Graph`.
    """

    def __init__(
        self,
        model: nn.Module,
        learn: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
        random: Seeded,
        record: Callable[..., Recorded] | None = None,
    ) -> None:
        self._learn, self._random, self._record = learn, random, record or Graph
        self._modules, self._weights = list(model.modules()), list(model.parameters())
        self._tensors = [*self._weights, *model.buffers()]
        self._usable = True
        self.drop()

    def __call__(self, given: torch.Tensor, wanted: torch.Tensor) -> list[float]:
        """Learn from a batch: its loss, then its sums, in one copy from the device; the weights have gradients then."""
        if self._usable and not self._hooked():
            if self._places != self._addresses():
                self.drop()
            shape = (given.shape, wanted.shape)
            if self._shapes.due(shape) and (graph := self._graph(shape, given, wanted)):
                return graph(given, wanted).tolist()
            if self._shapes.seen[shape] == WARM:
                return self._on_trial(given, wanted)
        return self._report(given, wanted).tolist()

    def drop(self) -> None:
        """Forget all graphs: the settings that are fixed in them have changed, or the weights have moved."""
        self._graphs: dict[Hashable, Recorded] = {}
        self._shapes, self._places = Shapes(), self._addresses()

    def _report(self, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        loss, sums = self._learn(given, wanted)
        return torch.cat([loss.double()[None], sums.double()])

    def _on_trial(self, given: torch.Tensor, wanted: torch.Tensor) -> list[float]:
        """The last eager step of a shape: recording a model that waits for the device would fail half-way."""
        with waiting() as waits:
            report = self._report(given, wanted)
        if waits:
            self._give_up(waits[0])
        return report.tolist()

    def _graph(self, shape: Hashable, given: torch.Tensor, wanted: torch.Tensor) -> Recorded | None:
        if shape not in self._graphs:
            before, others = self._random.state(), list(self._graphs.values())
            try:
                self._graphs[shape] = self._record(self._report, given, wanted, self._weights, others)
            except Exception as error:  # whatever it is: nothing was computed yet, and the eager step can do without
                self._give_up(str(error))
                self._random.load(before)
        return self._graphs.get(shape)

    def _give_up(self, reason: str) -> None:
        log.info("training goes on without CUDA graphs: %s", reason)
        self._usable = False
        self.drop()

    def _hooked(self) -> bool:
        return any(
            module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
            for module in self._modules
        )

    def _addresses(self) -> list[int]:
        return [tensor.data_ptr() for tensor in self._tensors]


class Graph:
    """One CUDA graph, with a place for its batch, its report and its gradients.

    Args:
        report: What is recorded.
        given: Inputs of a batch; nothing is computed with them yet.
        wanted: Its targets.
        weights: Get gradients.
        others: Graphs to share memory with: two are never replayed at the same time.

    Raises:
        RuntimeError: It cannot be recorded.
    """

    def __init__(
        self,
        report: Report,
        given: torch.Tensor,
        wanted: torch.Tensor,
        weights: list[nn.Parameter],
        others: Sequence[Graph] = (),
    ) -> None:
        self._given, self._wanted, self._weights = given.clone(), wanted.clone(), weights
        self._graph, self._device = torch.cuda.CUDAGraph(), given.device.index
        self._pool = others[0]._pool if others else torch.cuda.graph_pool_handle()
        with torch.cuda.stream(_stream(self._device)):
            # Other threads of the process may go on using the device meanwhile.
            self._graph.capture_begin(pool=self._pool, capture_error_mode="thread_local")
            try:
                self._report = report(self._given, self._wanted)
            finally:
                self._end()
        self._gradients = [weight.grad for weight in weights]

    def __call__(self, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Replay it for a batch. What it returns and the gradients are overwritten when it is replayed again."""
        self._given.copy_(given)
        self._wanted.copy_(wanted)
        self._graph.replay()
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient
        return self._report

    def _end(self) -> None:
        try:
            self._graph.capture_end()
        except RuntimeError:
            with suppress(RuntimeError):  # torch leaves these open when a capture has become invalid
                torch._C._cuda_endAllocateToPool(self._device, self._pool)
                torch._C._cuda_releasePool(self._device, self._pool)
            raise


@cache
def _stream(device: int) -> torch.cuda.Stream:
    """Where graphs are recorded: one for all, as cuBLAS keeps a workspace for each stream it has seen."""
    return torch.cuda.Stream(device)


@contextmanager
def waiting() -> Iterator[list[str]]:
    """In torch's words, what waits for the device while this goes on; empty until it is over, and if nothing does."""
    said: list[str] = []
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield said
        finally:
            torch.cuda.set_sync_debug_mode(before)
    said += [str(warning.message) for warning in caught if "called a synchronizing" in str(warning.message)]
