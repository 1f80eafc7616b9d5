"""The training loop: an iterator of events that knows neither threads nor disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn

from explorer.data import Dataset, Split
from explorer.errors import Diverged, SpecError
from explorer.specs import Change, TrainSpec
from explorer.training.augment import augment, augments
from explorer.training.batches import Batches
from explorer.training.device import repeatable, resolve_device
from explorer.training.events import Changed, EarlyStop, EpochDone, Event, FlowSeen, StepDone
from explorer.training.flow import Flow, largest_gradient
from explorer.training.graphs import Graphs
from explorer.training.layout import channels_last
from explorer.training.measure import added, evaluating, measure, most_at_once
from explorer.training.optimizer import finite, laid_out, make_optimizer
from explorer.training.quick import Quick
from explorer.training.randomness import Seeded
from explorer.training.schedules import factor
from explorer.training.tasks import task_of

HUGE = 1e10
"""Loss from which on gradients and running averages are checked: squares come near the end of float32 there. Below, it
would only cost."""
EXPLODING = 1e4
"""A loss so many times the first one does not come back."""
FLOWS = 50
"""About how often the gradient flow of a run is measured."""

Changes = Callable[[int], Change | None]


class Training:
    """Trains a model in place; iterating yields what happens as it happens.

    The examples are kept on the device and indexed in a seeded order, so the same seed gives the same losses to the
    last bit on the same CPU. Between two events the model may be looked at; the loop sets its mode again itself. Once
    the iteration ends the model is back on the device where it was. On CUDA most steps replay what was recorded of
    earlier ones, see `Graphs`.

    Args:
        model: Takes (N, *shape), returns (N, outputs), by the same operations for every batch of a shape.
        dataset: Its train split is learned, its validation split watched.
        spec: How to train; the defaults of `TrainSpec` if None.
        changes: Asked before every step, with the number of steps done, whether settings change; or a table of that.
        flow: Whether to measure the gradient flow.
        resume: What `state` gave of a training with the same data and settings, to go on exactly from there.

    Yields:
        `StepDone` after every step, `FlowSeen` now and then, `Changed`, `EpochDone` after every epoch, `EarlyStop`.

    Raises:
        SpecError: The device is not there.
        Diverged: The loss of a batch, its gradient or a running average is not finite, or has exploded (the model is
            as it was before that step), or at the end of an epoch the validation loss or a weight is not finite.
    """

    kept = (
        "step",
        "epoch",
        "seen",
        "at",
        "sums",
        "weighed",
        "loss_sum",
        "losses",
        "waited_from",
        "first_loss",
        "spent",
    )
    """What it knows of itself, besides its tensors."""

    def __init__(
        self,
        model: nn.Module,
        dataset: Dataset,
        spec: TrainSpec | None = None,
        *,
        changes: Changes | Mapping[int, Change] | None = None,
        flow: bool = False,
        resume: tuple[dict[str, torch.Tensor], dict[str, Any]] | None = None,
    ) -> None:
        self.model, self.dataset, self.spec = model, dataset, spec or TrainSpec()
        self.changes: Changes = changes.get if isinstance(changes, Mapping) else changes or (lambda step: None)
        self.device = resolve_device(self.spec.device)
        self.task = task_of(dataset)
        self.order = torch.Generator().manual_seed(self.spec.seed)
        self.step = self.epoch = self.seen = 0  # seen: examples, each as often as it was trained on
        self.rows: torch.Tensor | None = None  # the order of the epoch that goes on
        self.at = 0  # examples of it that were seen
        self.sums: list[float] = []
        self.weighed, self.loss_sum = 0, 0.0  # answers seen in the epoch, and their losses added up
        self.losses: list[float] = []  # validation losses so far
        self.waited_from = 0  # how many there were when patience began to count
        self.first_loss = 0.0
        self.rate = 0.0  # the learning rate of the last step
        self.spent = 0.0
        self.measured_at_once = 0
        self.graphs: Graphs | None = None  # of a CUDA device
        self._flows = flow
        self._resume = resume
        if resume:
            self._recall(*resume)
        self._events = self._run()

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """End it, and put the model back where it was."""
        self._events.close()

    @property
    def total_steps(self) -> int:
        """Steps planned, as things stand."""
        each = steps_per_epoch(len(self.dataset.train), self.spec.batch_size)
        if self.rows is None:
            return self.step + (self.spec.epochs - self.epoch) * each
        left = steps_per_epoch(self._end() - self.at, self.spec.batch_size)
        return self.step + left + (self.spec.epochs - self.epoch) * each

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _run(self) -> Iterator[Event]:
        held_out = self.dataset.validation
        validation = Split(held_out.inputs.to(self.device), held_out.targets.to(self.device), held_out.rows)
        self.batches = Batches(self.dataset.train, self.task, self.device)
        if self.rows is not None:
            self.batches.arrange(self.rows)
        with ExitStack() as stack:
            stack.enter_context(_on(self.model, self.device))
            if self._resume:
                self.model.load_state_dict(_part(self._resume[0], "model"))
            stack.enter_context(channels_last(self.model, self.device))
            self.random = stack.enter_context(Seeded(self.spec.seed, self.device))
            self.optimizer = make_optimizer(self.model, self.spec)
            self.quick = Quick(self.model, self.optimizer)
            if self.device.type == "cuda":
                self.graphs = Graphs(self.model, self._learn, self.random)
                stack.callback(self.graphs.drop)
            if self._resume:
                self._go_on(self._resume[0])
            self._resume, self.clock = None, time.perf_counter() - self.spent
            every = max(1, self.total_steps // FLOWS)
            flow = Flow(self.model) if self._flows else None
            while True:
                if self.rows is not None and self.at >= self._end():
                    yield self._end_epoch(validation)
                if change := self.changes(self.step):  # before it may end: it may be asked to go on for longer
                    self.change(change)
                    yield Changed(self.step, self.epoch, self._seconds(), change.values)
                if self.rows is None:
                    if self.epoch >= self.spec.epochs:
                        return
                    if best := self._stalled():
                        yield EarlyStop(self.step, self.epoch, self._seconds(), best)
                        return
                    self._begin_epoch()
                if self.at >= self._end():  # batches have become larger, and one example was left
                    continue
                watched = flow if self.step % every == 0 else None
                yield self._one_step(watched)
                if watched:
                    yield FlowSeen(self.step, self.epoch, self._seconds(), watched.after())

    def _begin_epoch(self) -> None:
        self.epoch += 1
        self.order_before = self.order.get_state()
        self.rows = self._drawn()
        self.batches.arrange(self.rows)
        self.at, self.sums, self.weighed, self.loss_sum = 0, [], 0, 0.0

    def _drawn(self) -> torch.Tensor:
        """The order of an epoch."""
        return torch.randperm(len(self.dataset.train), generator=self.order)

    def _end(self) -> int:
        """Up to where examples are used: a last batch of one is left out, as batch norm cannot use it."""
        size, count = self.spec.batch_size, len(self.rows)
        return count - 1 if size > 1 and (count - self.at) == 1 and self.at else count

    def _one_step(self, flow: Flow | None) -> StepDone:
        spec, start = self.spec, self.at
        self.random.resume()
        given, wanted, count = self.batches.take(start, start + spec.batch_size)
        if given.ndim == 4 and augments(spec):
            given = augment(given, spec)
        if self.graphs is None:
            loss, summed = self._learn(given, wanted)
            value, sums = loss.item(), summed.tolist()
        else:
            self.quick.train()
            value, *sums = self.graphs(given, wanted)
        self.rate = self._rate()
        self._check(value)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        if flow:
            flow.before()
        if spec.clip:
            nn.utils.clip_grad_norm_(self.model.parameters(), spec.clip, foreach=True)
        self.quick.step()
        self.random.pause()
        self.sums = added([self.sums, sums]) if self.sums else sums
        self.weighed, self.loss_sum = self.weighed + count, self.loss_sum + value * count
        self.step, self.at, self.seen = self.step + 1, start + len(given), self.seen + len(given)
        metrics = self.task.metrics(sums, count)
        return StepDone(self.step, self.epoch, value, metrics, len(given), self._seconds(), self.rate)

    def _learn(self, given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss () and sums (S,) of a batch; the weights have its gradients then. It never waits for the device."""
        self.quick.begin()
        type_, reduced = self.device.type, self.spec.precision == "bfloat16"
        # Weights that were cast in a graph are there in its replays only: no later step may take them from a cache.
        with repeatable():
            with torch.autocast(type_, torch.bfloat16, enabled=reduced, cache_enabled=type_ != "cuda"):
                outputs = self.task.run(self.model, given, wanted).float()  # (N, outputs)
                loss = self.task.loss(outputs, wanted, self.spec.label_smoothing)
            loss.backward()
        return loss.detach(), self.task.sums(outputs.detach(), wanted)

    def _rate(self) -> float:
        """The learning rate of the next step."""
        return self.spec.learning_rate * factor(self.spec, self.step, self.total_steps, self.losses)

    def _check(self, loss: float) -> None:
        """Raise `Diverged`, with the running averages as they were, if this loss leads nowhere."""
        if not self.step:
            self.first_loss = loss
        exploded = loss > EXPLODING * (1 + self.first_loss)
        if math.isfinite(loss) and not exploded and (loss <= HUGE or finite(self._moving())):
            return
        self.quick.restore()  # batch norm has averaged this batch in
        raise self._diverged(f"The loss became {loss:g} at step {self.step + 1}", largest_gradient(self.model))

    def _end_epoch(self, validation: Split) -> EpochDone:
        metrics = {"loss": self.loss_sum / self.weighed, **self.task.metrics(self.sums, self.weighed)}
        with evaluating(self.model):
            self.measured_at_once = self.measured_at_once or most_at_once(self.model, validation, self.task)
            watched = measure(self.model, validation, self.task, self.measured_at_once)
        if not math.isfinite(watched["loss"]):
            raise self._diverged(f"The validation loss became {watched['loss']:g} after step {self.step}")
        if not finite(self.model.state_dict().values()):
            raise self._diverged(f"Weights or their running averages stopped being finite by step {self.step}")
        best = watched["loss"] < min(self.losses, default=math.inf)
        self.losses.append(watched["loss"])
        self.rows = None
        return EpochDone(self.step, self.epoch, metrics, watched, self._seconds(), best)

    def _stalled(self) -> int:
        """The epoch with the smallest validation loss if patience is at its end, else 0.

        Patience counts anew from where it was last said how long training shall go on.
        """
        best = min(range(len(self.losses)), key=self.losses.__getitem__, default=0) + 1
        waited = len(self.losses) - max(best, self.waited_from)
        return best if 0 < self.spec.patience <= waited else 0

    def _moving(self) -> Iterator[torch.Tensor | None]:
        yield from (weight.grad for weight in self.model.parameters())
        yield from self.model.buffers()

    def _diverged(self, what: str, layer: str = "") -> Diverged:
        rate, given = f"{self.rate:g}", f"{self.spec.learning_rate:g}"
        said, mend = ("", "Try a smaller one") if rate == given else (f" ({given} is set)", "Set it to less")
        where = f"; the largest gradient was that of {layer}" if layer else ""
        return Diverged(
            f"{what} (epoch {self.epoch}) with learning rate {rate}{said}{where}. "
            f"{mend}, such as {suggest_rate(self.spec.learning_rate):g}."
        )

    def _seconds(self) -> float:
        self.spent = time.perf_counter() - self.clock
        return self.spent

    def waited(self, seconds: float) -> None:
        """Do not count this time: nothing was trained in it."""
        self.clock += seconds

    # -- changes and resuming -----------------------------------------------------------------------------------------

    def change(self, change: Change) -> None:
        """Change settings from the next step on."""
        values = dict(change.values)
        if (share := values.pop("dropout", None)) is not None:
            for module in self.model.modules():
                if isinstance(module, nn.Dropout):
                    module.p = share
        if "epochs" in values and values["epochs"] < self.epoch:
            raise SpecError(f"The run is in epoch {self.epoch} already; it cannot end after {values['epochs']}.")
        if "epochs" in values:
            self.waited_from = len(self.losses)
        self.spec = self.spec.model_copy(update=values)
        for group in self.optimizer.param_groups:
            group["weight_decay"] = self.spec.weight_decay
        if self.graphs:
            self.graphs.drop()

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """All that is needed to go on exactly from here: tensors on the CPU, and plain values."""
        moments = self.optimizer.state_dict()["state"]
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {
            f"optimizer.{number}.{name}": torch.as_tensor(value)
            for number, values in moments.items()
            for name, value in values.items()
            if value is not None
        }
        tensors |= {f"random.{number}": value for number, value in enumerate(self.random.state())}
        tensors["order"] = self.order.get_state() if self.rows is None else self.order_before
        dropouts = [module.p for module in self.model.modules() if isinstance(module, nn.Dropout)]
        values = {
            "spec": self.spec.model_dump(),
            "dropouts": dropouts,
            "within": self.rows is not None,
            **{name: getattr(self, name) for name in self.kept},
        }
        return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}, values

    def _recall(self, tensors: dict[str, torch.Tensor], values: dict[str, Any]) -> None:
        """Know from the beginning where it was, so that it can say what is planned."""
        self.spec = TrainSpec(**values["spec"])
        for name in self.kept:
            setattr(self, name, values[name])
        dropouts = [module for module in self.model.modules() if isinstance(module, nn.Dropout)]
        for module, share in zip(dropouts, values["dropouts"], strict=True):
            module.p = share
        self.order.set_state(tensors["order"])
        if values["within"]:
            self.order_before = tensors["order"]
            self.rows = self._drawn()

    def _go_on(self, tensors: dict[str, torch.Tensor]) -> None:
        """Put what lies on the device back as it was."""
        self.random.load(list(_part(tensors, "random").values()))
        state = self.optimizer.state_dict()
        for key, value in _part(tensors, "optimizer").items():
            number, name = key.split(".", 1)
            state["state"].setdefault(int(number), {})[name] = value
        for group in state["param_groups"]:
            group["weight_decay"] = self.spec.weight_decay
        self.optimizer.load_state_dict(state)
        laid_out(self.optimizer)


def train(model: nn.Module, dataset: Dataset, spec: TrainSpec | None = None, **more: Any) -> Training:
    """Train a model in place, yielding what happens as it happens: see `Training`."""
    return Training(model, dataset, spec, **more)


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """How many batches an epoch has; a last batch of one example is left out, as batch norm cannot use it."""
    full, rest = divmod(examples, batch_size)
    return full + (rest > 1 or examples == 1) if batch_size > 1 else examples


def suggest_rate(rate: float) -> float:
    """A learning rate to try after one that was too high: about a third, but never above 0.01."""
    return min(float(f"{rate / 3:.1g}"), 0.01)


@contextmanager
def _on(model: nn.Module, device: torch.device) -> Iterator[None]:
    before = next(model.parameters()).device
    model.to(device)
    try:
        yield
    finally:
        model.to(before)


def _part(tensors: dict[str, torch.Tensor], what: str) -> dict[str, torch.Tensor]:
    return {name.split(".", 1)[1]: value for name, value in tensors.items() if name.startswith(f"{what}.")}
