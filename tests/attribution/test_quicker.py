"""The copy that answers sooner answers the same, and only where that is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import ask
from explorer.attribution.quicker import quicker
from explorer.probes import TwoClasses


def test_it_answers_and_slopes_the_same_to_rounding(cnn: nn.Module, digits: ex.Dataset) -> None:
    images = digits.test.inputs[:16]
    copy = quicker(cnn)
    assert copy is not cnn
    assert not any(isinstance(module, nn.BatchNorm2d) for module in copy)

    slopes = []
    for model in (cnn, copy):
        z = images.clone().requires_grad_()
        slopes.append(torch.autograd.grad(model(z)[:, 4].sum(), z)[0])

    torch.testing.assert_close(copy(images), cnn(images), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(slopes[1], slopes[0], atol=1e-5, rtol=1e-5)


def test_it_follows_the_weights_and_leaves_the_model_alone(cnn: nn.Module, digits: ex.Dataset) -> None:
    images, before = digits.test.inputs[:4], {name: value.clone() for name, value in cnn.state_dict().items()}
    first = quicker(cnn)
    assert quicker(cnn) is first
    for name, value in cnn.state_dict().items():
        assert torch.equal(value, before[name])

    with torch.no_grad():
        cnn.output1.bias.add_(1.0)
    torch.testing.assert_close(quicker(cnn)(images), cnn(images), atol=1e-5, rtol=1e-5)
    cnn.batchnorm1.running_mean.add_(0.5)
    torch.testing.assert_close(quicker(cnn)(images), cnn(images), atol=1e-5, rtol=1e-5)


@pytest.fixture
def plain(digits: ex.Dataset) -> nn.Sequential:
    """A CNN without batch norm, whose statistics would tell that it was trained."""
    layers = ({"kind": "conv", "channels": 8}, {"kind": "relu"}, {"kind": "flatten"}, {"kind": "output"})
    return ex.build(ex.ModelSpec.of(*layers), digits, seed=0).eval()


def by_hand(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    z = x.clone().requires_grad_()
    return torch.autograd.grad(model(z)[0, 4], z)[0][0]


def test_an_explanation_after_a_step_of_training_is_of_the_trained_model(
    plain: nn.Sequential, tiny: ex.Dataset, image: torch.Tensor
) -> None:
    before = ex.attribute("saliency", plain, image, 4).values
    for _ in ex.train(plain, tiny, ex.TrainSpec(epochs=1, learning_rate=0.01)):
        pass
    plain.eval()

    after = torch.from_numpy(ex.attribute("saliency", plain, image, 4).values)

    assert (after - torch.from_numpy(before)).abs().max() > 0.01
    torch.testing.assert_close(after, by_hand(plain, image), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.output1.weight.data.mul_(-2),
        lambda model: setattr(model, "relu1", nn.Tanh()),
        lambda model: model.double(),
    ],
    ids=["data", "layer", "dtype"],
)
def test_an_explanation_follows_every_change_of_the_model(
    change: Callable[[nn.Module], object], plain: nn.Sequential, image: torch.Tensor
) -> None:
    ex.attribute("saliency", plain, image, 4)
    change(plain)
    x = image.to(plain.output1.weight.dtype)

    after = torch.from_numpy(ex.attribute("saliency", plain, x, 4).values)

    torch.testing.assert_close(after, by_hand(plain, x), atol=1e-5, rtol=1e-5)


def test_a_question_that_is_asked_again_is_answered_by_the_model_as_it_is_now(
    plain: nn.Sequential, image: torch.Tensor
) -> None:
    question = ask(plain, image, 4)
    before = question.score(image)
    plain.output1.weight.data.zero_()

    assert question.score(image) == plain.output1.bias[4] != before


def test_models_of_other_layers_and_with_hooks_are_asked_themselves(cnn: nn.Module) -> None:
    class Twice(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(x)

    other = nn.Sequential(Twice(1, 2, 3), nn.Flatten(), nn.Linear(72, 10))
    assert quicker(other) is other
    assert quicker(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))[1].weight.requires_grad
    handle = cnn.conv1.register_forward_hook(lambda *_: None)
    assert quicker(cnn) is cnn
    handle.remove()
    assert quicker(cnn) is not cnn


def test_a_model_of_two_classes_is_wrapped_again(image: torch.Tensor) -> None:
    model = TwoClasses(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1)).eval())
    question = ask(model, image, 1)

    assert question.quick is not question.scored
    torch.testing.assert_close(question.quick(image), question.scored(image), atol=1e-6, rtol=1e-5)
