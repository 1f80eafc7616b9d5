"""Ablation: a model without some of its parts answers like one whose weights never read them."""

from __future__ import annotations

from collections.abc import Generator
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable, UnknownName
from explorer.models import plan
from explorer.models.layers.attention import MultiHeadAttention
from explorer.probes import capture
from explorer.probes.ablation import Part, means_of, parts_of, ranking, scores, telling_part
from explorer.probes.capture import ablated
from explorer.training import evaluate, task_of
from tests.probes.test_capture import traces
from tests.samples import made_up

EXACT = {"rtol": 0, "atol": 1e-6}
KINDS = {
    "mlp": made_up(6),
    "cnn": made_up(1, 8, 8),
    "rnn": made_up(2, 12),
    "attention": made_up(7, tokens=20),
    "transformer": made_up(1, 8, 8),
    "seq2seq_rnn": made_up(7, tokens=20, task="translation"),
    "seq2seq_transformer": made_up(7, tokens=20, task="translation"),
}


def built(family: str) -> tuple[nn.Module, ex.Dataset, list]:
    dataset = KINDS[family]
    spec = ex.preset(family, dataset)
    return ex.build(spec, dataset).eval(), dataset, list(plan(spec, dataset).layers)


def parts(family: str) -> list[tuple[str, str]]:
    model, _, layers = built(family)
    return [(family, part.name) for part in parts_of(model, layers)]


def finished(work: Generator[float, None, Any]) -> tuple[list[float], Any]:
    """All that it says, and its result."""
    said = []
    while True:
        try:
            said.append(next(work))
        except StopIteration as end:
            return said, end.value


@torch.no_grad()
def test_a_channel_that_is_off_is_a_column_of_zeros_in_the_next_convolution(cnn: nn.Module, digits: ex.Dataset) -> None:
    x, without = digits.test.inputs[:20], deepcopy(cnn)
    without.conv2.weight[:, [1, 5]] = 0

    with ablated(cnn, "relu1", [1, 5]):
        found = cnn(x)

    torch.testing.assert_close(found, without(x), **EXACT)
    assert (found - cnn(x)).abs().max() > 1e-3


@torch.no_grad()
def test_a_unit_that_is_off_is_a_column_of_zeros_in_the_next_linear_layer(cnn: nn.Module, digits: ex.Dataset) -> None:
    x, without = digits.test.inputs[:20], deepcopy(cnn)
    without.output1.weight[:, 7] = 0

    with ablated(cnn, "relu3", [7]):
        torch.testing.assert_close(cnn(x), without(x), **EXACT)


@torch.no_grad()
@pytest.mark.parametrize("family", ["transformer", "seq2seq_transformer"])
def test_a_head_that_is_off_is_its_columns_of_zeros_in_the_output_projection(family: str) -> None:
    model, dataset, _ = built(family)
    run, given = task_of(dataset).run, (dataset.train.inputs, dataset.train.targets)
    heads = {name: module for name, module in model.named_modules() if isinstance(module, MultiHeadAttention)}
    assert heads
    for name, module in heads.items():
        without, width = deepcopy(model), module.out.in_features // module.heads
        without.get_submodule(name).out.weight[:, width : 3 * width] = 0

        with ablated(model, name, [1, 2]):
            torch.testing.assert_close(run(model, *given), run(without, *given), **EXACT)


@torch.no_grad()
def test_a_column_of_a_sequence_that_is_off_is_a_column_of_zeros_in_the_embedding() -> None:
    model, dataset, _ = built("attention")
    without = deepcopy(model)
    without.embedding1.weight[:, 3] = 0

    with ablated(model, "embedding1", [3], axis=-1):
        torch.testing.assert_close(model(dataset.train.inputs), without(dataset.train.inputs), **EXACT)


@torch.no_grad()
def test_a_unit_at_its_mean_is_a_constant_in_the_bias_of_the_next_layer(cnn: nn.Module, digits: ex.Dataset) -> None:
    rows = np.arange(50)
    with capture(cnn, ["relu3", "relu1"]) as seen:
        cnn(digits.train.inputs[rows])
    by_hand = seen["relu3"].mean(0)
    without = deepcopy(cnn)
    without.output1.bias += without.output1.weight[:, 7] * by_hand[7]
    without.output1.weight[:, 7] = 0

    means = means_of(cnn, digits, Part("relu3", "unit", 64), rows)
    torch.testing.assert_close(means, by_hand, **EXACT)
    channels = means_of(cnn, digits, Part("relu1", "channel", 8), rows)
    torch.testing.assert_close(channels, seen["relu1"].mean((0, 2, 3)), **EXACT)
    with Part("relu3", "unit", 64).off(cnn, [7], means):
        torch.testing.assert_close(cnn(digits.test.inputs[:9]), without(digits.test.inputs[:9]), **EXACT)


@torch.no_grad()
def test_a_head_at_its_mean_is_a_constant_in_the_bias_of_the_output_projection() -> None:
    model, dataset, layers = built("transformer")
    part = next(part for part in parts_of(model, layers) if part.unit == "head")
    rows, module = np.arange(len(dataset.train)), model.get_submodule(part.name)
    width = module.out.in_features // module.heads
    given = []
    handle = module.out.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0]))
    model(dataset.train.inputs)
    handle.remove()
    mean = given[0].flatten(0, 1).mean(0)[width : 2 * width]  # of the second head
    without = deepcopy(model)
    out = without.get_submodule(part.name).out
    out.bias += out.weight[:, width : 2 * width] @ mean
    out.weight[:, width : 2 * width] = 0

    means = means_of(model, dataset, part, rows)
    assert means.shape == (module.heads, width)
    with part.off(model, [1], means):
        torch.testing.assert_close(model(dataset.test.inputs), without(dataset.test.inputs), **EXACT)


@torch.no_grad()
def test_padding_does_not_count_in_a_mean() -> None:
    model, dataset, _ = built("attention")
    tokens = dataset.train.inputs[dataset.train.inputs != 0]

    means = means_of(model, dataset, Part("embedding1", "unit", 64, -1), np.arange(len(dataset.train)))

    torch.testing.assert_close(means, model.embedding1.weight[tokens].mean(0), **EXACT)


@pytest.mark.parametrize(("family", "name"), [one for family in KINDS for one in parts(family)])
def test_everything_that_can_be_switched_off_is_put_back_also_after_an_error(family: str, name: str) -> None:
    model, dataset, layers = built(family)
    part = next(part for part in parts_of(model, layers) if part.name == name)
    model.train()
    task, targets = task_of(dataset), dataset.train.targets
    before = traces(model)

    with part.off(model, range(part.count)), torch.no_grad():
        assert not any(module.training for module in model.modules())
        outputs = task.run(model, dataset.train.inputs, targets)
    assert outputs.isfinite().all()
    assert traces(model) == before

    with pytest.raises(NotApplicable, match=rf"has no unit {part.count}"), part.off(model, [part.count]):
        task.run(model, dataset.train.inputs, targets)
    assert traces(model) == before


def test_an_unknown_layer_hooks_nothing(cnn: nn.Module) -> None:
    before = traces(cnn)

    with pytest.raises(UnknownName, match="conv9"), ablated(cnn, "conv9", [0]):
        pass

    assert traces(cnn) == before


def test_heads_channels_and_units_are_told_apart() -> None:
    found = {part.name: part for part in parts_of(*built("transformer")[::2])}
    assert found["transformer1.attention"] == Part("transformer1.attention", "head", 4)
    assert found["transformer1"] == Part("transformer1", "unit", 64, -1)
    assert "output1" not in found
    model, _, layers = built("cnn")
    convolutions = {part.name: part for part in parts_of(model, layers)}
    assert convolutions["conv1"] == Part("conv1", "channel", 16)
    assert convolutions["linear1"] == Part("linear1", "unit", 64)
    assert "flatten1" not in convolutions
    assert telling_part(list(convolutions.values()), layers).name == "relu1"


def test_a_ranking_is_every_unit_off_by_itself(cnn: nn.Module, digits: ex.Dataset) -> None:
    part, rows = Part("relu1", "channel", 8), np.arange(0, len(digits.test), 3)
    weights = deepcopy(cnn.state_dict())

    said, found = finished(ranking(cnn, digits, "test", rows, part))

    alone = [scores(cnn, digits, "test", rows, [(part, [unit], None)]) for unit in range(8)]
    assert found.losses.tolist() == [one["loss"] for one in alone]
    assert found.metrics.tolist() == [one["accuracy"] for one in alone]
    assert found.order[0] == np.argmax([one["loss"] for one in alone])
    assert said == [unit / 8 for unit in range(8)]
    assert all(torch.equal(value, weights[name]) for name, value in cnn.state_dict().items())


def test_with_nothing_off_the_scores_are_those_of_the_model(cnn: nn.Module, digits: ex.Dataset) -> None:
    found = scores(cnn, digits, "test", np.arange(len(digits.test)))

    assert found == pytest.approx(evaluate(cnn, digits, "test"))
