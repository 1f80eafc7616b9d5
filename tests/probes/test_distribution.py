"""Histograms, dead and saturated units, of models whose numbers can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.models import plan
from explorer.probes.distribution import activities, bends, outputs, spread, tensors_of, weights_at
from tests.probes.test_ablation import KINDS, built
from tests.samples import made_up


def small(*layers: dict) -> tuple[nn.Module, ex.Dataset, dict]:
    dataset = made_up(2)
    spec = ex.ModelSpec.of(*layers, {"kind": "output"})
    return ex.build(spec, dataset).eval(), dataset, {layer.name: layer for layer in plan(spec, dataset).layers}


def test_histograms_share_their_bins_and_count_every_value() -> None:
    random = np.random.default_rng(0)
    values = [random.normal(size=2000), random.normal(2, 3, size=3000)]

    found = spread(values)

    assert found.edges[0] == min(v.min() for v in values)
    assert found.edges[-1] == max(v.max() for v in values)
    for counts, one in zip(found.counts, values, strict=True):
        assert counts.tolist() == np.histogram(one, found.edges)[0].tolist()
    assert found.shares.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_values_that_are_all_the_same_have_a_histogram_too() -> None:
    found = spread([np.zeros(10), np.zeros(4)])

    assert found.counts.sum(axis=1).tolist() == [10, 4]
    assert (np.diff(found.edges) > 0).all()


def test_a_unit_is_dead_if_it_is_zero_for_every_example() -> None:
    model, dataset, layers = small({"kind": "linear", "units": 4}, {"kind": "relu"})
    with torch.no_grad():  # inputs are between 0 and 1
        model.linear1.weight[:] = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, -1.0], [1.0, -1.0]])
        model.linear1.bias[:] = torch.tensor([0.0, 0.0, 5.0, -2.0])
    x = dataset.train.inputs

    (found,) = activities(model, dataset, "train", np.arange(len(x)), layers)

    assert (found.name, found.kind) == ("relu1", "ReLU")
    assert found.dead.tolist() == [1, 3]
    assert found.strongest.tolist() == pytest.approx([float(x[:, 0].max()), 0, float((5 - x[:, 1]).max()), 0])
    assert found.zero == pytest.approx(0.5)


@pytest.mark.parametrize(("kind", "ends"), [("tanh", 1.8318), ("sigmoid", 3.6636)])
def test_saturated_is_beyond_the_same_input_for_a_tanh_and_twice_that_for_a_sigmoid(kind: str, ends: float) -> None:
    model, dataset, layers = small({"kind": "linear", "units": 3}, {"kind": kind})
    with torch.no_grad():
        model.linear1.weight.zero_()
        model.linear1.bias[:] = torch.tensor([ends - 0.01, ends + 0.01, -ends - 0.01])

    (found,) = activities(model, dataset, "train", np.arange(12), layers)

    assert found.saturated == pytest.approx(2 / 3)
    assert not len(found.dead)


@pytest.mark.parametrize("family", KINDS)
def test_activities_and_outputs_are_those_of_one_example_at_a_time_without_padding(family: str) -> None:
    model, dataset, layers = built(family)
    layers = {layer.name: layer for layer in layers}
    rows = np.arange(6)

    for found in activities(model, dataset, "train", rows, layers):
        values = outputs(model, dataset, "train", rows, found.name, layers)
        assert len(values) == len(found.strongest)
        np.testing.assert_allclose(np.abs(values).max(axis=1), found.strongest, atol=1e-6)
        assert found.zero == pytest.approx((values == 0).mean())
    if dataset.modality == "tokens":
        first = next(iter(layers))  # the embedding: as many columns as there are tokens
        known = int((dataset.train.inputs[rows] != 0).sum())
        assert outputs(model, dataset, "train", rows, first, layers).shape[1] == known


def test_the_weights_of_a_layer_are_read_from_a_snapshot_by_name(cnn: nn.Module) -> None:
    assert tensors_of(cnn, "conv1") == ["weight", "bias"]
    state = cnn.state_dict()

    assert weights_at(state, "conv1", ["bias"]).tolist() == cnn.conv1.bias.tolist()
    assert len(weights_at(state, "conv1", ["weight", "bias"])) == cnn.conv1.weight.numel() + 8


def test_activations_inside_blocks_are_found() -> None:
    model, _, _ = built("transformer")

    assert bends(model) == {"transformer1.feed_forward.1": "ReLU", "transformer2.feed_forward.1": "ReLU"}
