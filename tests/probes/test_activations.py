"""Predictions, feature maps and filters against the same thing worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.errors import NotApplicable, UnknownName
from explorer.probes import Filters, convolutions, predict
from tests.samples import made_up


def test_a_prediction_is_the_logits_and_their_softmax(cnn: nn.Module, image: torch.Tensor) -> None:
    logits = cnn(image)[0].detach()

    seen = predict(cnn.train(), image)

    assert np.array_equal(seen.logits, logits.numpy())
    odds = np.exp(seen.logits - seen.logits.max())
    np.testing.assert_allclose(seen.probabilities, odds / odds.sum(), atol=1e-6)
    assert seen.answer == int(logits.argmax())
    assert cnn.training


def test_equal_logits_are_equal_probabilities() -> None:
    model = nn.Linear(3, 4)
    nn.init.zeros_(model.weight)
    nn.init.ones_(model.bias)

    assert predict(model, torch.zeros(1, 3)).probabilities.tolist() == [0.25] * 4


def test_the_feature_maps_of_a_known_filter_are_known(digits: ex.Dataset) -> None:
    model = ex.build(
        ex.ModelSpec.of({"kind": "conv", "channels": 2, "kernel": 1}, {"kind": "flatten"}, {"kind": "output"}), digits
    )
    model.conv1.weight.data = torch.tensor([3.0, -1.0]).reshape(2, 1, 1, 1)
    model.conv1.bias.data = torch.tensor([0.0, 1.0])
    x = digits.test.inputs[:1]

    maps = ex.feature_maps(model, x, "conv1")

    assert maps.layer == "conv1"
    assert np.array_equal(maps.values, torch.stack([3 * x[0, 0], 1 - x[0, 0]]).numpy())
    assert np.array_equal(ex.feature_maps(model, x, "flatten1").values, maps.values.reshape(128))


def test_feature_maps_of_a_trained_model_are_those_of_the_functions_of_torch(
    cnn: nn.Module, image: torch.Tensor
) -> None:
    conv, norm = cnn.conv1, cnn.batchnorm1
    by_hand = F.conv2d(image, conv.weight, conv.bias, padding=1)
    by_hand = F.batch_norm(by_hand, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps).relu()

    assert np.array_equal(ex.feature_maps(cnn, image, "relu1").values, by_hand[0].detach().numpy())


def test_filters_are_the_weights_and_a_copy_of_them(cnn: nn.Module) -> None:
    seen = ex.filters(cnn, "conv2")

    assert np.array_equal(seen.weights, cnn.conv2.weight.detach().numpy())
    assert np.array_equal(seen.bias, cnn.conv2.bias.detach().numpy())
    seen.weights[:] = 0
    assert cnn.conv2.weight.abs().max() > 0


def test_filters_inside_a_residual_block_have_no_bias(digits: ex.Dataset) -> None:
    spec = ex.ModelSpec.of({"kind": "residual", "channels": 2}, {"kind": "flatten"}, {"kind": "output"})
    seen = ex.filters(ex.build(spec, digits), "residual1.conv2")

    assert seen.weights.shape == (2, 2, 3, 3)
    assert seen.bias is None


def test_filters_over_a_series_are_lines_and_all_convolutions_of_a_model_are_found() -> None:
    series = made_up(2, 20)
    spec = ex.ModelSpec.of(
        {"kind": "conv", "channels": 3, "kernel": 5},
        {"kind": "residual", "channels": 2},
        {"kind": "flatten"},
        {"kind": "output"},
    )
    model = ex.build(spec, series)
    assert convolutions(model) == ["conv1", "residual1.conv1", "residual1.conv2", "residual1.skip"]
    assert np.array_equal(ex.filters(model, "conv1").weights, model.conv1.weight.detach().numpy())
    assert ex.filters(model, "conv1").weights.shape == (3, 2, 5)


def test_how_far_filters_have_moved_is_a_share_of_the_norm_they_had() -> None:
    before, after = (Filters("conv1", np.array(w).reshape(2, 1, 1, 2), None) for w in ([3, 4, 0, 1.0], [3, 4, 3, 5.0]))
    whole, each = after.change(before)
    assert whole == pytest.approx(5 / 26**0.5)
    assert each.tolist() == [0, 5]


def test_what_has_no_filters_says_so(cnn: nn.Module) -> None:
    with pytest.raises(NotApplicable, match=r"Layer linear1 \(Linear\) has no filters; only convolutions have"):
        ex.filters(cnn, "linear1")
    with pytest.raises(UnknownName, match=r"called 'conv7'\. Choose one of: conv1, "):
        ex.filters(cnn, "conv7")


@pytest.mark.parametrize("shape", [(2, 1, 8, 8), (0, 1, 8, 8), (8,)])
def test_more_or_less_than_one_example_is_refused(shape: tuple[int, ...], cnn: nn.Module) -> None:
    for look in (predict, lambda model, x: ex.feature_maps(model, x, "conv1")):
        with pytest.raises(NotApplicable, match=r"Got an input of shape .* one example as a batch \(1, …\) is needed"):
            look(cnn, torch.zeros(shape))
