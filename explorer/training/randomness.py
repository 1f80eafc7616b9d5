"""Random numbers of a training, apart from everybody else's."""

from __future__ import annotations

import torch


class Seeded:
    """Dropout's random numbers come from a stream of the loop's own.

    While the loop waits between two events the caller's stream is put back, so neither disturbs the other.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device, self.seed = device, seed

    def __enter__(self) -> Seeded:
        outer = self._states()
        torch.manual_seed(self.seed)  # of all devices; those that are used are put back
        self.inner, self.outer, self.active = self._states(), outer, False
        self._restore(outer)
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()

    def resume(self) -> None:
        """Go on with the stream of the loop's own."""
        self.outer = self._states()
        self._restore(self.inner)
        self.active = True

    def pause(self) -> None:
        """Put the caller's stream back."""
        if self.active:
            self.inner = self._states()
            self._restore(self.outer)
            self.active = False

    def _states(self) -> list[torch.Tensor]:
        states = [torch.get_rng_state()]
        if self.device.type == "cuda":
            states.append(torch.cuda.get_rng_state(self.device))
        if self.device.type == "mps":
            states.append(torch.mps.get_rng_state())
        return states

    def _restore(self, states: list[torch.Tensor]) -> None:
        torch.set_rng_state(states[0])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(states[1], self.device)
        if self.device.type == "mps":
            torch.mps.set_rng_state(states[1])
