"""Building: names, seeds, and the summary that goes with it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.models import plan, table


def test_the_preset_cnn_reads_like_its_spec(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("cnn", digits), digits)

    assert " ".join(name for name, _ in model.named_children()) == (
        "conv1 batchnorm1 relu1 conv2 batchnorm2 relu2 maxpool1 flatten1 linear1 relu3 output1"
    )
    assert isinstance(model, nn.Sequential)
    assert model.training
    assert model(digits.train.inputs[:5]).shape == (5, 10)


def test_every_activation_has_a_module_of_its_own(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("mlp", digits), digits)

    assert model.relu1 is not model.relu2


def test_building_leaves_the_callers_random_numbers_alone(digits: ex.Dataset) -> None:
    spec = ex.preset("cnn", digits)
    torch.manual_seed(7)
    expected = torch.rand(3)

    torch.manual_seed(7)
    ex.build(spec, digits, seed=1)

    assert torch.equal(torch.rand(3), expected)


def test_weights_depend_on_the_seed_alone(digits: ex.Dataset) -> None:
    spec = ex.preset("cnn", digits)
    first = ex.build(spec, digits, seed=1).state_dict()
    torch.manual_seed(99)
    again = ex.build(spec, digits, seed=1).state_dict()

    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_weights_are_those_torch_would_draw(digits: ex.Dataset) -> None:
    model = ex.build(ex.ModelSpec.of({"kind": "flatten"}, {"kind": "output"}), digits, seed=4)

    torch.manual_seed(4)
    assert torch.equal(model.output1.weight, nn.Linear(64, 10).weight)


def test_the_summary_has_a_row_for_each_layer(digits: ex.Dataset) -> None:
    spec = ex.ModelSpec.of(
        {"kind": "conv", "channels": 4}, {"kind": "maxpool"}, {"kind": "flatten"}, {"kind": "output"}
    )

    summary = ex.summarize(spec, digits)

    assert summary.to_dict("list") == {
        "layer": ["conv1", "maxpool1", "flatten1", "output1"],
        "kind": ["conv", "maxpool", "flatten", "output"],
        "output_shape": ["4×8×8", "4×4×4", "64", "10"],
        "parameters": [40, 0, 0, 650],
        "macs": [2304, 0, 0, 640],
        "receptive_field": ["3×3", "4×4", "4×4", "8×8"],
    }


def test_a_model_that_works_only_so_far_is_summarised_so_far(digits: ex.Dataset) -> None:
    made = plan(ex.ModelSpec.of({"kind": "conv"}, {"kind": "linear"}), digits)

    assert table(made)["layer"].tolist() == ["conv1"]
    assert table(plan(ex.ModelSpec(), digits)).empty


@pytest.mark.parametrize("family", ["mlp", "cnn"])
def test_the_summary_adds_up_to_the_built_model(family: str) -> None:
    dataset = ex.load_dataset("mnist5k")
    spec = ex.preset(family, dataset)

    total = int(ex.summarize(spec, dataset)["parameters"].sum())

    assert total == sum(weight.numel() for weight in ex.build(spec, dataset).parameters())
