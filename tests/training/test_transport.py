"""Stopping, changing and resuming a training: what is repeated from the record is the same to the last bit."""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import islice

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import Diverged, SpecError
from explorer.specs import Change
from explorer.training import Changed, EarlyStop, EpochDone, FlowSeen, StepDone, Training
from explorer.training.flow import largest_gradient
from tests.samples import cut

FAMILIES = [
    ("cnn", "digits", {}),
    ("cnn", "digits", {"optimizer": "sgd", "nesterov": True, "schedule": "one-cycle", "noise": 0.1, "shift": 1}),
    ("mlp", "breast_cancer", {"optimizer": "rmsprop", "schedule": "plateau", "clip": 0.5}),
    ("attention", "surnames", {"optimizer": "adamw", "weight_decay": 0.01, "warmup": 5}),
    ("seq2seq_rnn", "phrases", {"schedule": "cosine", "batch_size": 60}),
]


def made(
    family: str, dataset: str, settings: dict, epochs: int = 2, seed: int = 0
) -> tuple[nn.Module, ex.Dataset, ex.TrainSpec]:
    """A narrow model, ten batches of a data set at most, and how to train on them."""
    data = cut(ex.load_dataset(dataset), 640)
    spec = ex.TrainSpec(**{"batch_size": 64, "epochs": epochs, **settings})
    return ex.build(ex.preset(family, data, width=16), data, seed=seed), data, spec


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda case: case[0])
def never_stopped(request: pytest.FixtureRequest) -> tuple[tuple[str, str, dict], nn.Module, list[float]]:
    """What was trained, the model after it, and its losses."""
    model, data, spec = made(*request.param)
    losses = [event.loss for event in ex.train(model, data, spec) if isinstance(event, StepDone)]
    return request.param, model, losses


@pytest.mark.parametrize("events", [1, 7, 13])
def test_going_on_from_a_saved_state_is_like_never_having_stopped(
    never_stopped: tuple[tuple[str, str, dict], nn.Module, list[float]], events: int
) -> None:
    case, whole, losses = never_stopped
    first, data, spec = made(*case)
    begun = Training(first, data, spec)
    seen = [event.loss for event in islice(begun, events) if isinstance(event, StepDone)]
    state = begun.state()
    begun.close()
    second, _, _ = made(*case, seed=99)  # other weights: they must come from the state
    torch.manual_seed(5)
    again = Training(second, data, spec, resume=state)
    assert again.total_steps == len(losses)
    rest = [event.loss for event in again if isinstance(event, StepDone)]

    assert len(losses) > events
    assert seen + rest == losses
    assert same(second, whole)


def test_a_state_after_an_epoch_goes_on_with_the_next_one() -> None:
    whole, data, spec = made("cnn", "digits", {})
    list(ex.train(whole, data, spec))
    model, _, _ = made("cnn", "digits", {})
    begun = Training(model, data, spec)
    next(event for event in begun if isinstance(event, EpochDone))
    state = begun.state()
    begun.close()
    list(Training(model, data, spec, resume=state))
    assert same(model, whole)


def test_changes_are_made_at_their_step_and_the_record_repeats_them_exactly() -> None:
    changes = {
        3: Change(learning_rate=0.01),
        7: Change(batch_size=32, dropout=0.1),
        12: Change(weight_decay=0.1, clip=0.5),
    }
    runs = []
    for _ in range(2):
        model, data, spec = made("attention", "surnames", {})
        runs.append((model, list(ex.train(model, data, spec, changes=changes))))
    events = runs[0][1]
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in events if isinstance(event, Changed)] == [3, 7, 12]
    assert [step.rate for step in steps[:5]] == [0.001] * 3 + [0.01] * 2
    assert [step.samples for step in steps[5:9]] == [64, 64, 32, 32]
    assert {module.p for module in runs[0][0].modules() if isinstance(module, nn.Dropout)} == {0.1}
    assert same(runs[0][0], runs[1][0])
    plain, data, spec = made("attention", "surnames", {})
    list(ex.train(plain, data, spec))
    assert not same(plain, runs[0][0])


def test_every_example_is_seen_once_an_epoch_even_if_the_batch_size_changes_in_between() -> None:
    model, data, spec = made("mlp", "breast_cancer", {})
    events = list(ex.train(model, data, spec, changes={1: Change(batch_size=37)}))
    for epoch in (1, 2):
        seen = sum(event.samples for event in events if isinstance(event, StepDone) and event.epoch == epoch)
        assert len(data.train) - seen <= 1  # a last batch of one is left out


def test_a_finished_training_goes_on_for_more_epochs() -> None:
    whole, data, spec = made("cnn", "digits", {}, epochs=3)
    list(ex.train(whole, data, spec))
    model, _, short = made("cnn", "digits", {}, epochs=2)
    begun = Training(model, data, short)
    list(begun)
    state = begun.state()
    list(again := Training(model, data, short, resume=state, changes={begun.step: Change(epochs=3)}))
    assert same(model, whole)
    with pytest.raises(SpecError, match="in epoch 3 already"):
        again.change(Change(epochs=1))


def test_gradient_flow_is_what_one_measures_by_hand() -> None:
    _, data, _ = made("mlp", "breast_cancer", {})
    spec = ex.TrainSpec(optimizer="sgd", momentum=0, learning_rate=0.1, epochs=1, batch_size=64)
    other = ex.build(ex.preset("mlp", data), data)
    before = {name: weight.detach().clone() for name, weight in other.named_parameters()}
    training = Training(other, data, spec, flow=True)
    first = next(training)
    flow = next(training)
    assert isinstance(first, StepDone)
    assert isinstance(flow, FlowSeen)
    for layer, seen in flow.layers.items():
        gradients = [w.grad for name, w in other.named_parameters() if name.startswith(f"{layer}.")]
        weights = torch.cat([w.flatten() for name, w in before.items() if name.startswith(f"{layer}.")])
        gradient = torch.cat([values.flatten() for values in gradients]).norm()
        assert seen.gradient == pytest.approx(float(gradient), rel=1e-5)
        assert seen.weight == pytest.approx(float(weights.norm()), rel=1e-5)
        assert seen.update == pytest.approx(0.1 * float(gradient / weights.norm()), rel=1e-3)  # plain descent


def test_watching_the_flow_changes_nothing() -> None:
    one, data, spec = made("cnn", "digits", {})
    other, _, _ = made("cnn", "digits", {})
    list(ex.train(one, data, spec))
    list(ex.train(other, data, spec, flow=True))
    assert same(one, other)


def test_clipping_bounds_the_step_of_plain_descent() -> None:
    model, data, _ = made("mlp", "breast_cancer", {})
    before = torch.cat([weight.detach().flatten().clone() for weight in model.parameters()])
    spec = ex.TrainSpec(optimizer="sgd", momentum=0, learning_rate=1, clip=0.01, device="cpu")
    next(ex.train(model, data, spec))
    after = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.01, rel=1e-3)


def test_label_smoothing_is_torchs() -> None:
    model, data, _ = made("mlp", "digits", {})
    step = next(ex.train(model, data, ex.TrainSpec(label_smoothing=0.2, batch_size=len(data.train))))
    fresh, _, _ = made("mlp", "digits", {})
    wanted = nn.CrossEntropyLoss(label_smoothing=0.2)(fresh(data.train.inputs), data.train.targets)
    assert step.loss == pytest.approx(float(wanted.detach()), rel=1e-5)


def test_training_stops_early_when_validation_no_longer_gets_better() -> None:
    model, data, _ = made("mlp", "iris", {})
    spec = ex.TrainSpec(learning_rate=0.05, epochs=500, patience=3, batch_size=32)
    events = list(ex.train(model, data, spec))
    assert isinstance(events[-1], EarlyStop)
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert len(epochs) == events[-1].best_epoch + 3
    assert epochs[events[-1].best_epoch - 1].best
    assert not any(epoch.best for epoch in epochs[events[-1].best_epoch :])


def test_what_stopped_early_goes_on_for_more_epochs_with_patience_anew_and_its_record_repeats_it() -> None:
    model, data, _ = made("mlp", "iris", {})
    spec = ex.TrainSpec(learning_rate=0.05, epochs=500, patience=3, batch_size=32)
    begun = Training(model, data, spec)
    stopped = list(begun)[-1]
    assert isinstance(stopped, EarlyStop)
    longer = {stopped.step: Change(epochs=stopped.epoch + 10)}

    again = Training(model, data, spec, resume=begun.state(), changes=longer)
    events = list(again)
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert len(epochs) >= 3
    if isinstance(events[-1], EarlyStop):
        assert events[-1].epoch == max(events[-1].best_epoch, stopped.epoch) + 3
    else:
        assert again.epoch == stopped.epoch + 10

    whole, _, _ = made("mlp", "iris", {})
    repeated = Training(whole, data, spec, changes=longer)
    list(repeated)
    assert (repeated.step, repeated.epoch) == (again.step, again.epoch)
    assert same(whole, model)


def test_bfloat16_learns_too(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)
    list(ex.train(model, digits, ex.TrainSpec(precision="bfloat16", epochs=3)))
    assert ex.evaluate(model, digits)["accuracy"] > 0.9
    assert all(weight.dtype == torch.float32 for weight in model.parameters())


def test_an_exploding_loss_names_the_layer_and_a_smaller_rate() -> None:
    model, data, _ = made("mlp", "diabetes", {})
    spec = ex.TrainSpec(optimizer="sgd", learning_rate=30, epochs=50)
    with pytest.raises(Diverged, match=r"at step \d+ .* learning rate 30; the largest gradient was that of \w+"):
        list(ex.train(model, data, spec))


def test_the_rate_of_the_step_that_diverged_is_named_where_a_schedule_changes_it() -> None:
    model, data, _ = made("mlp", "diabetes", {})
    spec = ex.TrainSpec(optimizer="sgd", learning_rate=30, epochs=50, warmup=1000)
    training, rates = ex.train(model, data, spec), []
    with pytest.raises(Diverged) as raised:
        rates += (event.rate for event in training if isinstance(event, StepDone))
    wanted = 30 * (len(rates) + 1) / 1000
    assert f"with learning rate {wanted:g} (30 is set)" in str(raised.value)
    assert "Set it to less, such as 0.01." in str(raised.value)


@pytest.mark.parametrize(
    ("broken", "named"),
    [({}, "c"), ({"b": math.nan}, "b"), ({"a": math.inf, "b": math.nan}, "a"), (dict.fromkeys("abc", math.nan), "")],
)
def test_a_layer_is_named_unless_no_gradient_is_finite(broken: dict[str, float], named: str) -> None:
    model = nn.Sequential(OrderedDict((name, nn.Linear(2, 2)) for name in "abc"))
    for size, (name, layer) in enumerate(model.named_children()):
        for weight in layer.parameters():
            weight.grad = torch.full_like(weight, broken.get(name, size))
    assert largest_gradient(model) == named
