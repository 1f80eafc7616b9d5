"""Playing, pausing and changing a run, as people ask for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from explorer.errors import SpecError
from explorer.runs.controls import Verb
from explorer.runs.recorder import Recorder
from explorer.runs.run import Run, Status
from explorer.specs import MAX_CHANGES, Change, RunSpec, parse
from explorer.training import Changed, Training

log = logging.getLogger("explorer.worker")
POLL_SECONDS = 0.05
"""How often a paused run listens."""
LINGER_SECONDS = 60.0
"""How long a paused run keeps its worker, so that it goes on at once."""
LINGER_IF_WANTED = 3.0
"""The same while others wait for a worker."""


def check_room(spec: RunSpec) -> None:
    """Raise `SpecError` if the record of a run has no room for another change."""
    if len(spec.changes) >= MAX_CHANGES:
        raise SpecError(
            f"The record of this run holds {len(spec.changes):,} changes; {MAX_CHANGES:,} is the most. Branch off from "
            "it to change more."
        )


class Stopped(Exception):
    """The run was asked to stop."""


class Left(Exception):
    """The paused run gave its worker up; another one takes it up when it is wanted."""


class Conductor:
    """Asked by the training loop before every step: waits as long as people want, and makes the changes they ask for.

    What the record of the run says was changed is changed at the same step again: in a run that repeats another, and in
    one whose worker died between a change and the next time that its state was kept.

    Args:
        run: The run as it was taken up.
        training: The loop.
        recorder: Hears from the store what was asked.
        alive: Called while waiting; it ends the process if whoever started it is gone.
    """

    def __init__(self, run: Run, training: Training, recorder: Recorder, alive: Callable[[], None]) -> None:
        self.training, self.recorder, self.alive = training, recorder, alive
        self.until_step: int | None = None  # None: play on
        self.until_epoch: int | None = None
        self.speed = run.speed
        self.stepped_at = float("-inf")
        # A change at the step itself may be in the state that was kept, or not; made twice, it is the same.
        self.due = {at: change for at, change in run.spec.changes if at >= training.step}

    def __call__(self, step: int) -> None:
        if change := self.due.pop(step, None):
            self._make(step, change)
        self._listen(step)
        if self._at_rest(step):
            self._pause(step)
        elif self.speed:
            self._slow(step)
        if self._at_end():
            self.recorder.keep_state()
        else:
            self.recorder.keep_state_if_due()

    def _listen(self, step: int) -> None:
        training = self.training
        for control in self.recorder.to_do():
            match control.verb:
                case Verb.STOP:
                    self.recorder.keep_state()
                    raise Stopped
                case Verb.PAUSE:
                    self.until_step, self.until_epoch = step, None
                case Verb.PLAY:
                    self.until_step = self.until_epoch = None
                case Verb.STEP:
                    at = step if self.until_step is None else max(step, self.until_step)
                    self.until_step, self.until_epoch = at + 1, None
                case Verb.EPOCH:
                    before = training.epoch if self.until_epoch is None else self.until_epoch
                    within = training.rows is not None and self.until_epoch is None
                    self.until_step, self.until_epoch = None, before + (not within)
                case Verb.SPEED:
                    self.speed = float(control.value)
                    self.recorder.news["speed"] = self.speed
                case Verb.CHANGE:
                    self._change(step, control.value)

    def _change(self, step: int, values: Any) -> None:
        try:
            check_room(self.recorder.spec)
            self._make(step, parse(Change, values, "change"))
            said = ""
        except SpecError as error:  # it was checked when it was asked, but the run has gone on since
            log.warning("run %s: %s", self.recorder.run_id, error)
            said = f"The last change was not made. {error}"
        self.recorder.news["reason"] = said
        if not said:  # a worker that dies soon after is followed by one that changes at the same step
            self.recorder.keep_state()

    def _make(self, step: int, change: Change) -> None:
        self.training.change(change)
        self.recorder.take(Changed(step, self.training.epoch, self.training.spent, change.values))

    def _at_rest(self, step: int) -> bool:
        if self.until_epoch is not None:
            return self.training.rows is None and self.training.epoch >= self.until_epoch
        return self.until_step is not None and step >= self.until_step

    def _at_end(self) -> bool:
        return self.training.rows is None and self.training.epoch >= self.training.spec.epochs

    def _pause(self, step: int) -> None:
        recorder = self.recorder
        began = time.monotonic()
        recorder.keep_state()
        if recorder.last:
            recorder.keep(recorder.last.step)  # what one wants to look at now
        recorder.flush(status=Status.PAUSED)
        self._listen(step)
        while self._at_rest(step):
            time.sleep(POLL_SECONDS)
            self.alive()
            recorder.hear()
            waited = time.monotonic() - began
            leave = waited > LINGER_SECONDS or (waited > LINGER_IF_WANTED and recorder.store.anyone_waits())
            if recorder.asked:
                self._listen(step)
                recorder.keep_state()
            elif leave and recorder.store.release(recorder.run_id, recorder.owner):
                raise Left
        recorder.flush(status=Status.RUNNING)
        self.training.waited(time.monotonic() - began)

    def _slow(self, step: int) -> None:
        """Wait until the next step is due; every step is shown at once."""
        recorder, began = self.recorder, time.monotonic()
        recorder.flush()
        self._listen(step)
        while self.speed and (left := self.stepped_at + 1 / self.speed - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            self.alive()
            recorder.hear()
            if recorder.asked:
                self._listen(step)
                recorder.flush()
            if self._at_rest(step):
                break
        self.stepped_at = time.monotonic()
        self.training.waited(self.stepped_at - began)
        if self._at_rest(step):
            self._pause(step)
