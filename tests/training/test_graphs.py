"""Graphs of steps: when they are recorded, on any device; and on CUDA, that replaying them is what eager steps are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice, pairwise
from typing import Any

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import Diverged
from explorer.specs import Change
from explorer.training import StepDone, Training, graphs
from explorer.training.graphs import MOST, WARM, Graphs, Shapes
from explorer.training.randomness import Seeded
from tests.samples import cut, made_up

ON_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device: graphs are of CUDA alone")
CLOSE = {"atol": 1e-5, "rtol": 1e-4}
"""How far replayed steps may be from eager ones, after about a hundred. Most are the same to the last bit."""


# -- when a graph is recorded: the same on any device -----------------------------------------------------------------


class Again:
    """Stands for a graph where there is no CUDA: does what was recorded, anew."""

    def __init__(self, report: Callable, given: torch.Tensor, wanted: torch.Tensor, *_: object) -> None:
        self.report, self.shape, self.calls = report, given.shape, 0

    def __call__(self, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        assert given.shape == self.shape
        self.calls += 1
        return self.report(given, wanted)


class Learner:
    """A linear model with dropout, what it learns, and the graphs that were made of it."""

    def __init__(self, record: Callable[..., Again] | None = None) -> None:
        self.model = nn.Sequential(nn.Linear(3, 1), nn.Dropout())
        self.random = Seeded(0, torch.device("cpu"))
        self.steps, self.made = 0, []
        self.record = record or Again
        self.graphs = Graphs(self.model, self.learn, self.random, self._record)

    def learn(self, given: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.steps += 1
        loss = (self.model(given)[:, 0] - wanted).square().mean()
        return loss.detach(), wanted.sum()[None]

    def step(self, count: int, times: int = 1) -> list[float]:
        for _ in range(times):
            report = self.graphs(torch.ones(count, 3), torch.ones(count))
        return report

    def _record(self, *given: Any) -> Again:
        self.made.append(self.record(*given))
        return self.made[-1]


@pytest.fixture
def learner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Learner]:
    monkeypatch.setattr(graphs, "waiting", lambda: nullcontext([]))  # there is no device to wait for
    learner = Learner()
    with learner.random:
        learner.random.resume()
        yield learner


def test_a_shape_gets_a_graph_after_a_few_steps_and_only_so_many_do() -> None:
    shapes = Shapes()

    assert [shapes.due("often") for _ in range(WARM + 2)] == [False] * WARM + [True, True]
    for number in range(MOST + 3):
        for _ in range(WARM + 1):
            shapes.due(number)
    assert [number for number in range(MOST + 3) if shapes.due(number)] == list(range(MOST - 1))
    assert shapes.due("often")
    assert len(shapes.chosen) == MOST


def test_every_step_is_taken_once_and_reports_loss_and_sums(learner: Learner) -> None:
    reports = [learner.step(count) for count in [4, 2, 4, 4, 2, 4, 4, 2, 2, 2]]

    assert [round(sums) for _, sums in reports] == [4, 2, 4, 4, 2, 4, 4, 2, 2, 2]
    assert learner.steps == len(reports)
    assert [(graph.shape[0], graph.calls) for graph in learner.made] == [(4, 2), (2, 2)]


def test_dropped_graphs_are_recorded_anew_after_a_few_steps(learner: Learner) -> None:
    learner.step(4, WARM + 1)
    learner.graphs.drop()
    learner.step(4, WARM)
    assert len(learner.made) == 1
    learner.step(4)
    assert len(learner.made) == 2
    assert learner.steps == 2 * (WARM + 1)


def test_weights_that_lie_elsewhere_are_not_those_a_graph_knows(learner: Learner) -> None:
    learner.step(4, WARM + 1)
    learner.model[0].weight.data = torch.zeros(1, 3)
    learner.step(4, WARM)
    assert learner.made[0].calls == 1
    learner.step(4)
    assert [graph.calls for graph in learner.made] == [1, 1]


def test_hooks_are_called_at_every_step(learner: Learner) -> None:
    learner.step(4, WARM + 1)
    seen = []
    hook = learner.model[0].register_forward_hook(lambda _module, _given, made: seen.append(made))
    learner.step(4, 3)
    hook.remove()
    assert len(seen) == 3
    learner.step(4)
    assert learner.made[0].calls == 2


@pytest.mark.parametrize("error", [RuntimeError, ValueError, torch.OutOfMemoryError])
def test_what_cannot_be_recorded_goes_on_eagerly_with_the_same_random_numbers(
    error: type[Exception], learner: Learner
) -> None:
    def fails(report: Callable, given: torch.Tensor, wanted: torch.Tensor, *_: object) -> None:
        report(given, wanted)  # draws random numbers
        raise error("cannot be recorded")

    def losses(learner: Learner) -> list[float]:
        nn.init.ones_(learner.model[0].weight)
        learner.random.load(start)
        return [learner.step(8)[0] for _ in range(2 * WARM)]

    start = learner.random.state()
    expected = losses(learner)
    learner.graphs.drop()
    learner.record, learner.steps, learner.made = fails, 0, []

    assert losses(learner) == expected
    assert len(set(expected)) > 1, "dropout draws"
    assert learner.steps == 2 * WARM + 1, "it was tried once, and never again"
    assert not learner.made


def test_a_model_that_waits_for_its_device_is_never_recorded(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "waiting", lambda: nullcontext(["called a synchronizing CUDA operation"]))
    learner.step(4, 3 * WARM)
    assert learner.steps == 3 * WARM
    assert not learner.made


# -- on CUDA ----------------------------------------------------------------------------------------------------------

PLAIN = [{"kind": "flatten"}, {"kind": "linear", "units": 32}, {"kind": "relu"}, {"kind": "output"}]
DROPOUT = [{"kind": "conv", "channels": 8}, {"kind": "batchnorm"}, {"kind": "relu"}, {"kind": "maxpool"}]
DROPOUT += [{"kind": "dropout", "share": 0.3}, {"kind": "flatten"}, {"kind": "output"}]


def images() -> ex.Dataset:
    return cut(ex.load_dataset("digits"), 330)  # ten full batches of 32, and one of ten


def texts() -> ex.Dataset:
    return made_up(20, tokens=30, examples=128)


CASES: dict[str, Callable[[], tuple[ex.ModelSpec, ex.Dataset, dict[str, Any]]]] = {
    "mlp": lambda: (ex.ModelSpec.of(*PLAIN), images(), {"weight_decay": 0.01, "optimizer": "adamw"}),
    "cnn": lambda: (ex.ModelSpec.of(*DROPOUT), images(), {"noise": 0.1, "shift": 1}),
    "sgd": lambda: (ex.ModelSpec.of(*DROPOUT), images(), {"optimizer": "sgd", "clip": 0.5, "schedule": "cosine"}),
    "bfloat16": lambda: (ex.ModelSpec.of(*DROPOUT), images(), {"precision": "bfloat16"}),
    "rnn": lambda: (ex.preset("rnn", s := made_up(1, 24, examples=330), width=16), s, {}),
    "transformer": lambda: (ex.preset("transformer", i := images(), width=16), i, {"label_smoothing": 0.1}),
    "text": lambda: (ex.preset("rnn", t := texts(), width=16), t, {"batch_size": 4, "epochs": 6}),
    "regression": lambda: (ex.preset("mlp", v := made_up(6, examples=330, task="regression")), v, {}),
    "translation": lambda: (
        ex.preset("seq2seq_transformer", t := made_up(6, tokens=12, examples=200, task="translation"), width=16),
        t,
        {"batch_size": 8, "epochs": 4},
    ),
}


def made(case: str, **more: Any) -> tuple[nn.Module, ex.Dataset, ex.TrainSpec]:
    spec, dataset, settings = CASES[case]()
    settings = {"device": "cuda", "batch_size": 32, "epochs": 9, "learning_rate": 0.003, **settings, **more}
    return ex.build(spec, dataset), dataset, ex.TrainSpec(**settings)


def outcome(training: Training) -> tuple[list[float], list[dict[str, float]], dict[str, torch.Tensor]]:
    """Losses, metrics and weights of a whole training."""
    steps = [event for event in training if isinstance(event, StepDone)]
    weights = {name: values.clone() for name, values in training.model.state_dict().items()}
    return [step.loss for step in steps], [step.metrics for step in steps], weights


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the batches that were replayed."""
    seen: list[tuple[int, ...]] = []
    replay = graphs.Graph.__call__

    def watched(self: graphs.Graph, given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(given.shape))
        return replay(self, given, wanted)

    monkeypatch.setattr(graphs.Graph, "__call__", watched)
    return seen


def eagerly(monkeypatch: pytest.MonkeyPatch, training: Training) -> tuple[list, list, dict[str, torch.Tensor]]:
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "MOST", 0)
        return outcome(training)


@ON_CUDA
@pytest.mark.parametrize("case", CASES)
def test_replayed_steps_are_what_eager_steps_are(
    case: str, replays: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, metrics, weights = eagerly(monkeypatch, Training(*made(case)))
    assert not replays

    model, dataset, spec = made(case)
    ours = outcome(Training(model, dataset, spec, flow=True))

    assert len(replays) > len(losses) / 2
    assert len(set(replays)) > (1 if case != "text" else 4)
    torch.testing.assert_close(ours[0], losses, **CLOSE)
    torch.testing.assert_close(ours[1], metrics, atol=0.002, rtol=0.01)
    if case != "cnn":  # its biases come before batch norm: their gradients are rounding, which Adam scales up
        torch.testing.assert_close(ours[2], weights, **CLOSE)


@ON_CUDA
@pytest.mark.parametrize("case", ["mlp", "cnn", "sgd", "bfloat16", "rnn", "transformer", "text"])
def test_the_same_seed_gives_the_same_losses_to_the_last_bit(case: str, replays: list[tuple[int, ...]]) -> None:
    first, second = outcome(Training(*made(case))), outcome(Training(*made(case)))

    assert replays
    assert first[0] == second[0]
    assert all(map(torch.equal, first[2].values(), second[2].values()))


@ON_CUDA
@pytest.mark.parametrize("case", ["sgd", "text"])
@pytest.mark.parametrize("events", [2, 37])
def test_going_on_from_a_saved_state_is_like_never_having_stopped(
    case: str, events: int, replays: list[tuple[int, ...]]
) -> None:
    losses, _, weights = outcome(Training(*made(case)))
    begun = Training(*made(case))
    seen = [event.loss for event in islice(begun, events) if isinstance(event, StepDone)]
    state = begun.state()
    begun.close()
    replays.clear()
    torch.cuda.manual_seed(5)
    model, dataset, spec = made(case)
    nn.init.zeros_(next(model.parameters()))  # the weights must come from the state

    rest, _, ours = outcome(Training(model, dataset, spec, resume=state))

    assert replays
    torch.testing.assert_close(seen + rest, losses, **CLOSE)
    torch.testing.assert_close(ours, weights, **CLOSE)


@ON_CUDA
@pytest.mark.parametrize(
    "change", [{"dropout": 0.0}, {"learning_rate": 0.03}, {"batch_size": 48}, {"weight_decay": 0.5}], ids=lambda c: [*c]
)
def test_what_is_changed_while_graphs_are_replayed_is_honoured(
    change: dict[str, float], replays: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def training(changes: dict[int, Change]) -> Training:
        model, dataset, spec = made("sgd", epochs=6)
        return Training(model, dataset, spec, changes=changes)

    changes = {30: Change(**change)}
    unchanged = outcome(training({}))
    losses, _, weights = eagerly(monkeypatch, training(changes))
    replays.clear()
    ours = outcome(training(changes))

    assert len(replays) > len(losses) / 2
    torch.testing.assert_close(ours[0], losses, **CLOSE)
    torch.testing.assert_close(ours[2], weights, **CLOSE)
    torch.testing.assert_close(ours[0][:30], unchanged[0][:30], **CLOSE)
    assert max(abs(one - other) for one, other in zip(ours[0][32:50], unchanged[0][32:50], strict=True)) > 0.001


@ON_CUDA
def test_after_diverging_in_a_replay_the_model_is_as_it_was_before_that_step(replays: list[tuple[int, ...]]) -> None:
    model, dataset, spec = made("cnn")
    before: dict[str, torch.Tensor] = {}
    with pytest.raises(Diverged, match=r"the largest gradient was that of \w+"):
        for event in Training(model, dataset, spec):
            if event.step == 20:
                done = len(replays)
                with torch.no_grad():
                    model.output1.weight.mul_(1e30)
                before = {name: values.clone() for name, values in model.state_dict().items()}

    assert len(replays) == done + 1
    assert all(values.isfinite().all() for values in before.values())
    for name, values in model.state_dict().items():
        assert torch.equal(values, before[name].cpu()), name


class Waits(nn.Module):
    """Reads a number back from the device, as a forward pass in a notebook may."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum().item() < 1e9 else -x


class Refuses(nn.Module):
    """Cannot be recorded, which shows only when it is."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.cuda.is_current_stream_capturing():
            raise RuntimeError("not now")
        return x


class Synchronizes(nn.Module):
    """Makes a recording invalid in a way that torch does not foresee."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.dropout(x, 0.1)
        torch.cuda.synchronize()
        return x


@ON_CUDA
@pytest.mark.parametrize("odd", [Waits, Refuses, Synchronizes])
def test_a_model_that_cannot_be_recorded_trains_eagerly_all_the_same(
    odd: type[nn.Module], replays: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def training() -> Training:
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(64, 16), odd(), nn.BatchNorm1d(16), nn.Dropout(), nn.Linear(16, 10)
        )
        return Training(model, images(), ex.TrainSpec(device="cuda", epochs=3, batch_size=32))

    losses, _, weights = eagerly(monkeypatch, training())
    ours = outcome(training())

    assert not replays
    assert ours[0] == losses
    assert all(map(torch.equal, ours[2].values(), weights.values()))
    outcome(Training(*made("cnn")))
    assert replays, "others can be recorded as before"


class Shown(nn.Module):
    """Dropout whose last mask can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mask", torch.zeros(32, 64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        drawn = nn.functional.dropout(torch.ones_like(x))
        self.mask[: len(x)].copy_(drawn)
        return x * drawn


@ON_CUDA
def test_masks_differ_from_step_to_step_and_the_callers_random_numbers_are_left_alone(
    replays: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run() -> tuple[list[torch.Tensor], list[float]]:
        model = nn.Sequential(nn.Flatten(), Shown(), nn.Linear(64, 10))
        training = Training(model, images(), ex.TrainSpec(device="cuda", epochs=3, batch_size=32))
        torch.cuda.manual_seed(7)
        torch.manual_seed(7)
        masks, drawn = [], []
        for event in training:
            if isinstance(event, StepDone) and event.samples == 32:
                masks.append(model[1].mask.clone())
            drawn += [torch.rand((), device="cuda").item(), torch.rand(()).item()]
        return masks, drawn

    masks, drawn = run()
    torch.manual_seed(7)
    expected = [torch.rand((), device=device).item() for _ in range(len(drawn) // 2) for device in ("cuda", "cpu")]
    with monkeypatch.context() as patch:
        patch.setattr(graphs, "MOST", 0)
        eager, _ = run()

    assert replays
    assert drawn == expected
    assert all(map(torch.equal, masks, eager))
    shares = [(mask == 0).float().mean().item() for mask in masks]
    assert all(0.4 < share < 0.6 for share in shares)
    both = [((one == 0) & (other == 0)).float().mean().item() for one, other in pairwise(masks)]
    assert all(0.15 < share < 0.35 for share in both), "one mask says nothing of the next"
