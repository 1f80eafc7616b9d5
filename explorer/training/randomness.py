"""Random numbers of a training, apart from everybody else's."""

from __future__ import annotations

import torch


class Seeded:
    """Dropout's random numbers come from a stream of the loop's own.

    While the loop waits between two events the caller's stream is put back, so neither disturbs the other. On CUDA the
    generator's whole state is exchanged for another, not copied: graphs draw from the one they were recorded with.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device, self.seed = device, seed

    def __enter__(self) -> Seeded:
        self._outer = self._copies()
        torch.default_generator.manual_seed(self.seed)  # not torch.manual_seed, which also seeds every GPU
        if self.device.type == "mps":
            torch.mps.manual_seed(self.seed)
        self._inner, self._active = self._copies(), False
        self._restore(self._outer)
        self._own: torch.Generator | None = None
        if self.device.type == "cuda":
            torch.cuda.init()
            index = torch.cuda.current_device() if self.device.index is None else self.device.index
            self._current = torch.cuda.default_generators[index]
            self._own = torch.Generator(torch.device("cuda", index)).manual_seed(self.seed)
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def resume(self) -> None:
        """Go on with the stream of the loop's own."""
        self._outer = self._copies()
        self._restore(self._inner)
        if self._own is not None:
            self._callers = self._current.graphsafe_get_state()
            self._current.graphsafe_set_state(self._own)
        self._active = True

    def pause(self) -> None:
        """Put the caller's stream back."""
        if self._active:
            self._inner = self._copies()
            self._restore(self._outer)
            if self._own is not None:
                self._current.graphsafe_set_state(self._callers)
            self._active = False

    def state(self) -> list[torch.Tensor]:
        """Where the loop's stream is: that of the CPU, and that of the device if it is another."""
        states = self._copies() if self._active else self._inner
        return states if self._own is None else [*states, self._own.get_state()]

    def load(self, states: list[torch.Tensor]) -> None:
        """Go on from what `state` said. The generator of a CUDA device becomes another one: graphs, and recording one
        that failed, keep theirs.
        """
        self._inner = states
        if self._own is not None and len(states) > 1:
            self._inner = states[:1]
            self._own = torch.Generator(self._own.device)
            self._own.set_state(states[1])
        if self._active:
            self._restore(self._inner)
            if self._own is not None:
                self._current.graphsafe_set_state(self._own)

    def _copies(self) -> list[torch.Tensor]:
        """States of the generators that are copied to and fro."""
        states = [torch.get_rng_state()]
        if self.device.type == "mps":
            states.append(torch.mps.get_rng_state())
        return states

    def _restore(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self.device.type == "mps":
            torch.mps.set_rng_state(states[1])
