"""A linear model, of which every explanation is known: logit = w · x + b."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from tests.samples import made_up

COLOURS = ex.ModelSpec.of({"kind": "conv", "channels": 4}, {"kind": "globalpool"}, {"kind": "output"})

X = torch.tensor([[[[1.0, 2.0], [0.5, 0.0]]]])  # (1, 1, 2, 2)
W = np.array([[[1.0, -2.0], [4.0, 8.0]]])  # of class 1; class 0 has none
W_TIMES_X = np.array([[[1.0, -4.0], [2.0, 0.0]]])


@pytest.fixture
def linear() -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    model[1].weight.data = torch.tensor([[0.0] * 4, W.flatten().tolist()])
    model[1].bias.data = torch.tensor([3.0, -5.0])
    return model


def test_saliency_is_the_weight(linear: nn.Module) -> None:
    np.testing.assert_allclose(ex.attribute("saliency", linear, X, target=1).values, W, atol=1e-5)
    np.testing.assert_allclose(ex.attribute("saliency", linear, X, target=1, absolute=True).values, abs(W), atol=1e-5)


def test_integrated_gradients_is_the_weight_times_the_input_whatever_the_steps(linear: nn.Module) -> None:
    for steps in (2, 50, 500):
        result = ex.attribute("integrated_gradients", linear, X, target=1, steps=steps)

        np.testing.assert_allclose(result.values, W_TIMES_X, atol=1e-5)
        assert result.error < 1e-4


def test_occlusion_of_single_pixels_is_the_weight_times_the_input(linear: nn.Module) -> None:
    np.testing.assert_allclose(ex.attribute("occlusion", linear, X, target=1, size=1).values, W_TIMES_X, atol=1e-5)


def test_occlusion_of_the_whole_image_is_all_that_the_image_adds(linear: nn.Module) -> None:
    result = ex.attribute("occlusion", linear, X, target=1, size=2)

    np.testing.assert_allclose(result.values, np.full((1, 2, 2), W_TIMES_X.sum()), atol=1e-5)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "occlusion"])
def test_a_class_that_looks_at_nothing_gets_nothing(method: str, linear: nn.Module) -> None:
    assert not ex.attribute(method, linear, X, target=0).values.any()


def test_grad_cam_of_a_convolution_that_copies_is_the_mean_weight_times_the_image() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), nn.Linear(4, 2))
    model[0].weight.data.fill_(1)
    model[2].weight.data = torch.tensor([[0.0] * 4, W.flatten().tolist()])

    result = ex.attribute("grad_cam", model, X, target=1)

    np.testing.assert_allclose(result.values, 2.75 * X[0].numpy(), atol=1e-5)  # (1 - 2 + 4 + 8) / 4


@pytest.mark.parametrize("method", ["occlusion", "grad_cam"])
def test_an_effect_of_all_colours_together_is_shared_out_among_them(method: str) -> None:
    grey, colour = (ex.build(COLOURS, made_up(channels, 8, 8), seed=0) for channels in (1, 3))
    for one in (grey, colour):
        nn.init.constant_(one[0].weight, 1 / one[0].weight.shape[1])
    colour.load_state_dict(grey.state_dict() | {"conv1.weight": colour[0].weight.detach()})
    x = torch.rand(1, 1, 8, 8)

    once = ex.attribute(method, grey, x, 1).values.sum(axis=0)
    thrice = ex.attribute(method, colour, x.expand(1, 3, 8, 8), 1).values.sum(axis=0)

    np.testing.assert_allclose(thrice, once, atol=1e-5)
