"""The loop: repeatable to the last bit, equal to a plain loop, and clear about failing."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error
from torch import nn

import explorer as ex
from explorer.data import PAD
from explorer.errors import Diverged, SpecError
from explorer.models import memory
from explorer.specs import OPTIMIZERS
from explorer.training import evaluating, resolve_device, steps_per_epoch, task_of
from explorer.training.optimizer import finite
from tests.samples import cut, made_up

DROPOUT = ex.ModelSpec.of(
    {"kind": "conv", "channels": 4},
    {"kind": "batchnorm"},
    {"kind": "relu"},
    {"kind": "dropout", "share": 0.5},
    {"kind": "flatten"},
    {"kind": "output"},
)
PLAIN = ex.ModelSpec.of(
    {"kind": "conv", "channels": 4},
    {"kind": "relu"},
    {"kind": "maxpool"},
    {"kind": "flatten"},
    {"kind": "linear", "units": 16},
    {"kind": "tanh"},
    {"kind": "output"},
)


def steps_of(events: list[ex.StepDone | ex.EpochDone]) -> list[ex.StepDone]:
    return [event for event in events if isinstance(event, ex.StepDone)]


def epochs_of(events: list[ex.StepDone | ex.EpochDone]) -> list[ex.EpochDone]:
    return [event for event in events if isinstance(event, ex.EpochDone)]


def outcome(model: nn.Module, events: list[ex.StepDone | ex.EpochDone]) -> tuple[list[float], list[list[float]]]:
    """All losses and all weights, to be compared to the last bit."""
    return [event.loss for event in steps_of(events)], [v.flatten().tolist() for v in model.state_dict().values()]


def plain_loop(model: nn.Module, dataset: ex.Dataset, spec: ex.TrainSpec) -> list[float]:
    """Training as a tutorial writes it: a list of batches, an unfused optimiser, no tricks. Returns the losses."""
    options = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay, "foreach": False}
    if spec.optimizer == "sgd":
        options["momentum"] = spec.momentum
    optimizer = getattr(torch.optim, OPTIMIZERS[spec.optimizer])(model.parameters(), **options)
    criterion = nn.CrossEntropyLoss()
    order = torch.Generator().manual_seed(spec.seed)
    losses = []
    model.train()
    for _ in range(spec.epochs):
        rows = torch.randperm(len(dataset.train), generator=order).tolist()
        batches = [rows[start : start + spec.batch_size] for start in range(0, len(rows), spec.batch_size)]
        for batch in batches:
            x = torch.stack([dataset.train.inputs[row] for row in batch])
            y = torch.tensor([int(dataset.train.targets[row]) for row in batch])
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def test_the_same_seed_gives_the_same_losses_and_weights_to_the_last_bit(tiny: ex.Dataset) -> None:
    def once(seed: int) -> tuple[list[float], list[list[float]]]:
        torch.manual_seed(int(torch.randint(1000, ())))  # whatever the caller's random numbers are
        model = ex.build(DROPOUT, tiny, seed=seed)
        return outcome(model, list(ex.train(model, tiny, ex.TrainSpec(epochs=2, seed=seed))))

    first = once(seed=1)

    assert once(seed=1) == first
    assert once(seed=2) != first


def test_looking_at_the_model_between_events_changes_nothing(tiny: ex.Dataset) -> None:
    spec = ex.TrainSpec(epochs=2, device="cpu")

    undisturbed = ex.build(DROPOUT, tiny)
    expected = outcome(undisturbed, list(ex.train(undisturbed, tiny, spec)))

    looked_at = ex.build(DROPOUT, tiny)
    events = []
    for event in ex.train(looked_at, tiny, spec):
        events.append(event)
        torch.manual_seed(0)
        torch.rand(100)
        looked_at.eval()
        looked_at(tiny.test.inputs).sum().backward()

    assert outcome(looked_at, events) == expected


def test_training_leaves_the_callers_random_numbers_alone(tiny: ex.Dataset) -> None:
    torch.manual_seed(7)
    expected = [torch.rand(()).item() for _ in range(8)]

    torch.manual_seed(7)
    model = ex.build(DROPOUT, tiny)
    drawn = [torch.rand(()).item() for _ in ex.train(model, tiny, ex.TrainSpec(epochs=2))]

    assert drawn == expected  # 3 batches of 64 and an epoch's end, twice


def test_random_numbers_are_put_back_when_training_is_left_early(tiny: ex.Dataset) -> None:
    torch.manual_seed(7)
    expected = torch.rand(())

    torch.manual_seed(7)
    training = ex.train(ex.build(DROPOUT, tiny), tiny)
    next(training)
    training.close()

    assert torch.rand(()) == expected


def test_an_epoch_is_its_steps_and_then_its_end(tiny: ex.Dataset) -> None:
    events = list(ex.train(ex.build(PLAIN, tiny), tiny, ex.TrainSpec(epochs=2, batch_size=64)))

    assert [(type(event).__name__, event.step, event.epoch) for event in events] == [
        ("StepDone", 1, 1),
        ("StepDone", 2, 1),
        ("StepDone", 3, 1),
        ("EpochDone", 3, 1),
        ("StepDone", 4, 2),
        ("StepDone", 5, 2),
        ("StepDone", 6, 2),
        ("EpochDone", 6, 2),
    ]
    assert [event.samples for event in steps_of(events)] == [64, 64, 32] * 2
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_an_epochs_metrics_are_the_mean_over_its_examples_and_those_of_the_validation_split(tiny: ex.Dataset) -> None:
    model = ex.build(PLAIN, tiny)
    events = list(ex.train(model, tiny, ex.TrainSpec(epochs=1, batch_size=64)))
    (end,), steps = epochs_of(events), steps_of(events)

    assert end.train["loss"] == pytest.approx((64 * steps[0].loss + 64 * steps[1].loss + 32 * steps[2].loss) / 160)
    assert end.train["accuracy"] == pytest.approx(sum(step.metrics["accuracy"] * step.samples for step in steps) / 160)
    assert end.validation == pytest.approx(ex.evaluate(model, tiny, "validation"), abs=1e-6)


def test_a_lone_last_example_is_left_out(digits: ex.Dataset) -> None:
    dataset = cut(digits, 129)  # batch norm cannot use a batch of one

    events = list(ex.train(ex.build(DROPOUT, dataset), dataset, ex.TrainSpec(epochs=1, batch_size=64)))

    assert [event.samples for event in steps_of(events)] == [64, 64]
    assert steps_per_epoch(129, 64) == 2


@pytest.mark.parametrize(
    ("examples", "batch_size", "steps"),
    [(128, 64, 2), (130, 64, 3), (129, 64, 2), (10, 64, 1), (1, 64, 1), (5, 1, 5), (1, 1, 1), (3, 2, 1)],
)
def test_the_steps_that_are_planned_are_the_steps_that_are_done(examples: int, batch_size: int, steps: int) -> None:
    dataset = made_up(4, examples=examples)
    model = ex.build(ex.ModelSpec.of({"kind": "output"}), dataset)

    events = list(ex.train(model, dataset, ex.TrainSpec(epochs=1, batch_size=batch_size)))

    assert len(steps_of(events)) == steps_per_epoch(examples, batch_size) == steps


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_and_weights_agree_with_a_plain_loop(optimizer: str, tiny: ex.Dataset) -> None:
    spec = ex.TrainSpec(
        optimizer=optimizer, learning_rate=0.003, weight_decay=0.01, epochs=3, batch_size=32, seed=5, device="cpu"
    )
    plain, ours = (ex.build(PLAIN, tiny, seed=1) for _ in range(2))

    expected = plain_loop(plain, tiny, spec)
    events = list(ex.train(ours, tiny, spec))

    assert [event.loss for event in steps_of(events)] == pytest.approx(expected, abs=1e-5)
    for name, weight in plain.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], weight, atol=1e-5, rtol=0)


def test_the_first_step_of_gradient_descent_is_what_one_works_out_by_hand() -> None:
    dataset = made_up(1, classes=2, examples=2)  # targets 0 and 1
    dataset.train.inputs[:] = torch.tensor([[1.0], [-1.0]])
    model = ex.build(ex.ModelSpec.of({"kind": "output"}), dataset)
    nn.init.zeros_(model.output1.weight)
    nn.init.zeros_(model.output1.bias)

    step = next(ex.train(model, dataset, ex.TrainSpec(optimizer="sgd", learning_rate=0.1, momentum=0, device="cpu")))

    # All logits are 0, so both classes have probability 1/2; each example pulls its class' weight by x (1 - 1/2).
    assert step.loss == pytest.approx(math.log(2))
    assert step.metrics == {"accuracy": 0.5}
    torch.testing.assert_close(model.output1.weight.detach(), torch.tensor([[0.05], [-0.05]]))
    torch.testing.assert_close(model.output1.bias.detach(), torch.zeros(2))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_lowers_the_loss(optimizer: str, tiny: ex.Dataset) -> None:
    model = ex.build(PLAIN, tiny)
    rate = 0.1 if optimizer == "sgd" else 0.01

    events = list(ex.train(model, tiny, ex.TrainSpec(optimizer=optimizer, learning_rate=rate, epochs=20)))

    first, last = epochs_of(events)[0], epochs_of(events)[-1]
    assert last.train["loss"] < 0.8 * first.train["loss"]
    assert last.validation["loss"] < first.validation["loss"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", [64, 65536])
def test_a_loss_that_explodes_says_so_and_leaves_finite_weights(
    optimizer: str, batch_size: int, digits: ex.Dataset
) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)
    spec = ex.TrainSpec(optimizer=optimizer, learning_rate=1e9, batch_size=batch_size)

    with pytest.raises(Diverged, match=r"loss became .* with learning rate 1e\+09.* Try a smaller one, such as 0\.01"):
        list(ex.train(model, digits, spec))

    assert all(values.isfinite().all() for values in model.state_dict().values())


def test_no_event_ever_holds_a_number_that_is_not_finite(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)
    seen: list[float] = []

    with pytest.raises(Diverged, match="epoch 1"):
        for event in ex.train(model, digits, ex.TrainSpec(optimizer="sgd", learning_rate=1e5)):
            seen += [event.loss] if isinstance(event, ex.StepDone) else [*event.train.values()]
            seen += event.validation.values() if isinstance(event, ex.EpochDone) else []

    assert seen
    assert np.isfinite(seen).all()


@pytest.mark.parametrize(
    ("values", "well"),
    [
        ([1.0, 2.0], True),
        ([3e38, -3e38], True),
        ([1.0, math.nan], False),
        ([-math.inf], False),
    ],
)
def test_one_number_that_is_not_finite_is_seen_among_all_tensors(values: list[float], well: bool) -> None:
    others = [None, torch.tensor(3), torch.zeros(0), torch.tensor([1e300], dtype=torch.float64), torch.ones(2, 3)]

    assert finite([*others, torch.tensor(values)]) is well


def test_after_diverging_the_model_is_as_it_was_before_that_step(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)
    before = {}

    with pytest.raises(Diverged):
        for _ in ex.train(model, digits, ex.TrainSpec(optimizer="sgd", learning_rate=1e9, device="cpu")):
            before = {name: values.clone() for name, values in model.state_dict().items()}

    assert all(torch.equal(values, before[name]) for name, values in model.state_dict().items())


@pytest.mark.parametrize("split", ["validation", "test"])
def test_evaluation_agrees_with_scikit_learn(split: str, cnn: nn.Module, digits: ex.Dataset) -> None:
    examples = digits.split(split)
    probabilities = cnn(examples.inputs).detach().double().softmax(1).numpy()

    metrics = ex.evaluate(cnn, digits, split)

    assert metrics["accuracy"] == pytest.approx(accuracy_score(examples.targets, probabilities.argmax(1)), abs=1e-5)
    assert metrics["loss"] == pytest.approx(log_loss(examples.targets, probabilities, labels=range(10)), abs=1e-5)
    assert metrics["accuracy"] > 0.8


def test_a_big_model_is_measured_in_small_batches_with_the_same_outcome(
    cnn: nn.Module, digits: ex.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    cnn.register_forward_pre_hook(lambda _module, given: sizes.append(len(given[0])))
    at_once = ex.evaluate(cnn, digits)
    assert max(sizes) == len(digits.test), "a small model is measured in one go"

    sizes.clear()
    monkeypatch.setattr(memory, "MEMORY_BOUND", 2**20)
    in_parts = ex.evaluate(cnn, digits)
    assert 1 < max(sizes) <= len(digits.test) // 4
    assert in_parts == pytest.approx(at_once)

    sizes.clear()
    list(ex.train(cnn, digits, ex.TrainSpec(epochs=1, batch_size=8)))
    assert max(sizes) <= len(digits.test) // 4


def test_a_big_translator_writes_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = made_up(6, tokens=12, task="translation", examples=12)
    model = ex.build(ex.preset("seq2seq_rnn", dataset), dataset)
    sizes: list[int] = []
    model.encoder.register_forward_pre_hook(lambda _module, given: sizes.append(len(given[0])))
    at_once = ex.evaluate(model, dataset, "train")
    assert set(sizes) == {1, 12}

    sizes.clear()
    monkeypatch.setattr(memory, "MEMORY_BOUND", 1)
    assert ex.evaluate(model, dataset, "train")["loss"] == pytest.approx(at_once["loss"])
    assert set(sizes) == {1}


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
def test_the_loss_of_a_constant_answer_is_scikit_learns(name: str) -> None:
    dataset = ex.load_dataset(name)
    targets = dataset.train.targets.numpy()
    nothing = np.zeros((len(targets), 1))
    if dataset.task == "regression":
        wanted = mean_squared_error(targets, DummyRegressor().fit(nothing, targets).predict(nothing))
    else:
        prior = DummyClassifier(strategy="prior").fit(nothing, targets)
        wanted = log_loss(targets, prior.predict_proba(nothing))
    assert task_of(dataset).constant(dataset.train.targets) == pytest.approx(wanted)


def test_the_loss_of_a_constant_answer_counts_no_padding_of_translations() -> None:
    dataset = made_up(5, tokens=9, task="translation")
    task, targets = task_of(dataset), dataset.train.targets
    counts = Counter(token for row in targets[:, 1:].tolist() for token in row if token != PAD)
    logits = torch.tensor([math.log(counts[token] or 1e-30) for token in range(9)])
    answers = logits.expand(*targets[:, 1:].shape, -1)  # (N, T, K)
    assert task.constant(targets) == pytest.approx(float(task.loss(answers, targets)), rel=1e-5)
    assert task.constant(targets) < float(task.loss(torch.zeros_like(answers), targets))


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_uses_eval_mode_and_puts_the_mode_back(training: bool, tiny: ex.Dataset) -> None:
    model = ex.build(DROPOUT, tiny).train(training)
    before = [values.clone() for values in model.state_dict().values()]

    metrics = ex.evaluate(model, tiny)

    assert ex.evaluate(model, tiny) == metrics  # dropout would make them differ
    assert all(module.training is training for module in model.modules())
    assert all(torch.equal(*pair) for pair in zip(before, model.state_dict().values(), strict=True))
    assert all(weight.grad is None for weight in model.parameters())


def test_training_leaves_weights_laid_out_as_they_were(tiny: ex.Dataset) -> None:
    model = ex.build(PLAIN, tiny)
    before = [weight.stride() for weight in model.parameters()]

    list(ex.train(model, tiny, ex.TrainSpec(epochs=1)))

    assert [weight.stride() for weight in model.parameters()] == before


def test_a_device_that_is_not_there_lists_those_that_are(tiny: ex.Dataset) -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"

    with pytest.raises(SpecError, match=rf"Device '{absent}' was asked for, but this machine has only: .*cpu"):
        next(ex.train(ex.build(PLAIN, tiny), tiny, ex.TrainSpec(device=absent)))
    assert resolve_device("cpu") == torch.device("cpu")


def test_evaluation_leaves_a_frozen_layer_frozen_also_after_an_error(tiny: ex.Dataset) -> None:
    model = ex.build(DROPOUT, tiny).train()
    model[0].eval()
    modes = [module.training for module in model.modules()]

    ex.evaluate(model, tiny)
    assert [module.training for module in model.modules()] == modes
    with pytest.raises(RuntimeError), evaluating(model):
        raise RuntimeError
    assert [module.training for module in model.modules()] == modes
