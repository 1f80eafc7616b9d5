"""What happens in a run, written into the store as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from explorer.runs.controls import Control
from explorer.runs.memory import Peak
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from explorer.specs import Change, RunSpec
from explorer.training import Changed, EarlyStop, EpochDone, Event, FlowSeen, StepDone, Training
from explorer.training.optimizer import finite
from explorer.training.purposes import planned_steps

if TYPE_CHECKING:
    import torch

FLUSH_SECONDS = 0.15
"""How often metrics reach the store."""
BATCH_ROWS = 100_000
"""About how many steps have their metrics written; of a longer run, after its beginning, means over equal stretches."""
FIRST_SNAPSHOTS = 32
"""About how many snapshots a run keeps, evenly spread, if it ends as planned."""
MOST_SNAPSHOTS = 200
"""Most snapshots of a run that goes on for longer: at this number every second one goes."""
BEST_SECONDS = 0.5
"""How often the best weights so far are written at most, while they get better."""
STATE_SECONDS = 2.0
"""How often what is needed to go on exactly is kept."""
STATE_SHARE = 0.02
"""Largest share of the time that may be spent on keeping it."""


class Recorder:
    """Gathers the events of one run and writes them a few times a second; keeps snapshots and the last state."""

    def __init__(self, store: RunStore, run: Run, owner: str, training: Training) -> None:
        self.store, self.run_id, self.owner, self.training = store, run.id, owner, training
        self.spec: RunSpec = run.spec
        self.rows: list[dict[str, Any]] = []
        self.flow: list[dict[str, Any]] = []
        self.batches: list[dict[str, float]] = []
        self.news: dict[str, Any] = {}
        self.asked: list[Control] = []
        self.done = 0  # the last of what was asked that was taken up
        self.last: StepDone | None = None
        self.peak = Peak(training.device)
        self.counted_from = (training.seen, training.spent)  # samples and seconds at the last flush
        self.flushed_at = self.state_at = float("-inf")
        self.state_every = STATE_SECONDS
        self.planned = training.total_steps
        self.kept = set(store.snapshots.steps(run.id))
        self.best: int | None = run.best_step
        self.waiting: tuple[int, dict[str, torch.Tensor]] | None = None  # the best weights, not written yet
        self.best_at = float("-inf")
        self.latest: int | None = max(self.kept, default=None)
        few = FIRST_SNAPSHOTS if self.spec.purpose == "train" else 1  # nobody looks into what only answers a question
        self.interval = max(1, -(-planned_steps(run.spec) // few))  # as at first, also where it goes on for longer

    def begin(self, device: str) -> None:
        """Keep the weights as they are before the first step, and say on what it is trained."""
        if not self.kept:
            self.store.snapshots.save(self.run_id, 0, self.training.model.state_dict())
            self.kept.add(0)
        self.news |= {"device": device, "total_steps": self.planned}
        self.state_at = time.monotonic()
        self.flush()

    def take(self, event: Event) -> None:
        """Write down one event, now or soon."""
        match event:
            case StepDone():
                self._step(event)
            case EpochDone():
                self._add("train", event, event.train)
                self._add("validation", event, event.validation)
                if event.best:
                    self._keep_best(event.step)
            case FlowSeen():
                for layer, seen in event.layers.items():
                    values = asdict(seen)
                    self.flow.append(
                        {"step": event.step, "layer": layer, "update_share": values.pop("update"), **values}
                    )
            case Changed():
                self._changed(event)
            case EarlyStop():
                self.keep_state()
        if time.monotonic() - self.flushed_at >= FLUSH_SECONDS:
            self.flush()

    def _step(self, event: StepDone) -> None:
        self.last = event
        self.batches.append({"loss": event.loss, "learning_rate": event.rate, **event.metrics})
        stretch = 1 if event.step <= BATCH_ROWS // 100 else -(-self.planned // BATCH_ROWS)
        if event.step % stretch == 0 or event.step == self.planned:
            names = self.batches[0]
            self._add("batch", event, {n: sum(b[n] for b in self.batches) / len(self.batches) for n in names})
            self.batches = []
        if event.step % self.interval == 0:
            self.keep(event.step)

    def _changed(self, event: Changed) -> None:
        """Put a change into the run's record, from which it can be repeated."""
        kept = dict(self.spec.changes)
        kept[event.step] = kept.get(event.step, Change()).model_copy(update=event.values)
        self.spec = self.spec.model_copy(update={"changes": tuple(sorted(kept.items()))})
        self.planned = self.training.total_steps
        self.news |= {"spec": self.spec.model_dump_json(), "total_steps": self.planned}

    def _add(self, split: str, event: StepDone | EpochDone, values: dict[str, float]) -> None:
        place = {"step": event.step, "epoch": event.epoch, "seconds": event.seconds}
        self.rows += [{"split": split, "name": name, "value": value, **place} for name, value in values.items()]

    # -- weights ------------------------------------------------------------------------------------------------------

    def keep(self, step: int, state: dict[str, torch.Tensor] | None = None) -> None:
        """Keep the weights of a step, those of now if none are given; thin the others out where they are too many."""
        state = state or self.training.model.state_dict()
        if not finite(state.values()):  # a run that diverges keeps weights one can still look at
            return
        while len(self.kept | {step}) > MOST_SNAPSHOTS:
            self.interval *= 2
            for kept in sorted(self.kept):
                self._drop_if_between(kept, self.latest)
        self.store.snapshots.save(self.run_id, step, state)
        self.kept.add(step)
        before, self.latest = self.latest, max(step, self.latest or 0)
        self._drop_if_between(before, self.latest)

    def _keep_best(self, step: int) -> None:
        """Remember the weights of a step as the best so far; while every epoch is the best, few of them are written."""
        state = {name: value.clone() for name, value in self.training.model.state_dict().items()}
        self.waiting = (step, state)
        if step in self.kept or time.monotonic() - self.best_at >= BEST_SECONDS:
            self._write_best()

    def _write_best(self) -> None:
        if self.waiting is None:
            return
        (step, state), self.waiting = self.waiting, None
        if step not in self.kept:
            self.keep(step, state)
        before, self.best = self.best, step
        self.flush(best_step=step)  # first: until this is written, the one before is the best
        self._drop_if_between(before, self.latest)
        self.best_at = time.monotonic()

    def _drop_if_between(self, kept: int | None, latest: int | None) -> None:
        """Drop a snapshot that was only kept for having been the best or the latest."""
        if kept is not None and kept % self.interval and kept not in (self.best, latest):
            self.store.snapshots.drop(self.run_id, kept)
            self.kept.discard(kept)

    def keep_state(self) -> None:
        """Keep all that is needed to go on exactly from here."""
        began = time.monotonic()
        self._write_best()
        self.flush()  # first what led here: a state beyond the metrics would leave a gap
        self.store.snapshots.save_state(self.run_id, *self.training.state())
        self.state_at = time.monotonic()
        self.state_every = max(STATE_SECONDS, (self.state_at - began) / STATE_SHARE)

    def keep_state_if_due(self) -> None:
        """The same, every few seconds."""
        if time.monotonic() - self.state_at >= self.state_every:
            self.keep_state()

    # -- writing ------------------------------------------------------------------------------------------------------

    def flush(self, **news: Any) -> None:
        """Write what has gathered; what was asked of the run meanwhile is then in `asked`."""
        rows, self.rows, flow, self.flow = self.rows, [], self.flow, []
        values, self.news = self.news | news, {}
        self.flushed_at = time.monotonic()
        if self.last:
            samples, seconds = self.counted_from
            if self.last.seconds > seconds:
                values["rate"] = (self.training.seen - samples) / (self.last.seconds - seconds)
            self.counted_from = (self.training.seen, self.last.seconds)
            values |= {"step": self.last.step, "epoch": self.last.epoch, "trained": self.last.seconds}
            values |= {"samples": self.training.seen, "memory": self.peak()}
        self._heard(self.store.report(self.run_id, self.owner, rows, flow, self.done, **values))

    def hear(self) -> None:
        """Look, without writing, what was asked of the run meanwhile; it is then in `asked`."""
        self._heard(self.store.heard(self.run_id, self.owner))

    def _heard(self, asked: list[Control]) -> None:
        self.asked = [control for control in asked if control.id > self.done]

    def to_do(self) -> Iterator[Control]:
        """What was asked, one by one; each leaves the store with what is written next."""
        while self.asked:
            control = self.asked.pop(0)
            self.done = control.id
            yield control

    def close(self, keep_last: bool) -> None:
        """Write what is left; keep the last weights, unless they belong to a loss that leads nowhere."""
        self._write_best()
        if keep_last and self.last:
            self.keep(self.last.step)
        self.flush()
