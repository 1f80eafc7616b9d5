"""Every attribution method: one format, all checks, no traces."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from copy import deepcopy
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import PARTS, ask
from explorer.attribution.base import GROUPS
from explorer.errors import SpecError, UnknownName


class Fuse(nn.Identity):
    """Passes its input on a number of times, then breaks."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("blown")
        return x


def traces(model: nn.Module) -> dict[str, object]:
    """All that an explanation might leave behind."""
    return {
        "modes": [module.training for module in model.modules()],
        "hooks": [
            len(hooks)
            for module in model.modules()
            for hooks in (
                module._forward_hooks,
                module._forward_pre_hooks,
                module._backward_hooks,
                module._backward_pre_hooks,
            )
        ],
        "gradients": [None if weight.grad is None else weight.grad.tolist() for weight in model.parameters()],
        "weights": [value.tolist() for value in model.state_dict().values()],
        "requires": [weight.requires_grad for weight in model.parameters()],
    }


def used(model: nn.Module) -> nn.Module:
    """The model as in the middle of training: mixed modes, and a gradient on its first weight."""
    model.train()
    list(model.modules())[2].eval()
    weight = next(model.parameters())
    weight.grad = torch.ones_like(weight)
    return model


@pytest.fixture(params=list(ex.METHODS))
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def _transformer(digits: ex.Dataset) -> nn.Module:
    return ex.build(ex.preset("transformer", digits, width=8, depth=1), digits).eval()


@pytest.fixture
def model(method: str, cnn: nn.Module, _transformer: nn.Module, image: torch.Tensor) -> nn.Module:
    """One that the method applies to: a CNN or, for methods that need attention, a Transformer."""
    return deepcopy(_transformer) if ex.METHODS[method].needs(ask(cnn, image, 3)) else cnn


RUNNING = [method.name for method in ex.METHODS.values() if not method.control]
"""Methods that look at the model."""
ONE_PASS = ("saliency", "grad_cam", "input_x_gradient", "layer_gradient_x_activation", "neuron_gradient")
ONE_PASS += ("rollout", "attention_gradient")
OF_A_CLASS = [name for name in RUNNING if name not in ("neuron_gradient", "rollout")]


def test_it_has_a_place_in_the_menu(method: str) -> None:
    assert ex.METHODS[method].group in GROUPS


def test_it_compares_with_exactly_what_it_says_it_compares_with(
    method: str, model: nn.Module, image: torch.Tensor
) -> None:
    others = torch.rand(3, *image.shape[1:], generator=torch.Generator().manual_seed(1))
    plain = ex.attribute(method, model, image, target=3).values
    moved = {
        "baseline": ex.attribute(method, model, image, target=3, baseline=others[:1], references=image * 0).values,
        "references": ex.attribute(method, model, image, target=3, references=others).values,
    }
    for what, values in moved.items():
        assert np.allclose(values, plain, atol=1e-6) == (ex.METHODS[method].compares() != what), what


def test_the_result_has_a_value_for_every_pixel_and_says_how_it_was_made(
    method: str, model: nn.Module, image: torch.Tensor
) -> None:
    result = ex.attribute(method, model, image, target=3)

    assert isinstance(result.values, np.ndarray)
    assert result.values.shape == ((64,) if ex.METHODS[method].inner else image.shape[1:])
    assert np.isfinite(result.values).all()
    assert np.abs(result.values).max() > 0
    assert (result.method, result.target) == (method, 3)
    assert result.params == ex.METHODS.make(method).model_dump()
    with pytest.raises(FrozenInstanceError):
        result.target = 4  # type: ignore[misc]


def test_the_same_call_gives_the_same_values_and_disturbs_no_random_numbers(
    method: str, model: nn.Module, image: torch.Tensor
) -> None:
    torch.manual_seed(7)
    first = ex.attribute(method, model, image, target=3).values
    drawn = torch.rand(1)
    torch.manual_seed(7)

    assert torch.rand(1) == drawn
    assert np.array_equal(first, ex.attribute(method, model, image, target=3).values)


def test_it_works_where_gradients_are_off(method: str, model: nn.Module, image: torch.Tensor) -> None:
    with torch.no_grad():
        off = ex.attribute(method, model, image, target=3).values

    np.testing.assert_allclose(off, ex.attribute(method, model, image, target=3).values, atol=1e-6)


@pytest.mark.parametrize("method", OF_A_CLASS)
def test_another_class_gives_other_values(method: str, model: nn.Module, image: torch.Tensor) -> None:
    one, other = (ex.attribute(method, model, image, target=target).values for target in (3, 5))

    assert not np.array_equal(one, other)


def test_it_leaves_no_hooks_modes_or_gradients(method: str, model: nn.Module, image: torch.Tensor) -> None:
    before = traces(used(model))

    ex.attribute(method, model, image, target=3)

    assert traces(model) == before
    assert image.grad is None
    assert not image.requires_grad


@pytest.mark.parametrize("method", RUNNING)
@pytest.mark.parametrize("times", [0, 1], ids=["at once", "halfway"])
def test_it_leaves_no_hooks_modes_or_gradients_after_an_error(
    method: str, times: int, model: nn.Module, image: torch.Tensor
) -> None:
    model = used(nn.Sequential(OrderedDict([*model.named_children(), ("fuse", Fuse(times))])))
    before = traces(model)

    with suppress(RuntimeError):  # some need one pass only
        ex.attribute(method, model, image, target=3)
    assert model.fuse.left < 0 or (times and method in ONE_PASS)

    assert traces(model) == before


@pytest.mark.parametrize("method", RUNNING)
def test_it_explains_the_model_as_it_answers_not_as_it_trains(
    method: str, digits: ex.Dataset, image: torch.Tensor
) -> None:
    spec = ex.ModelSpec.of(
        {"kind": "conv"}, {"kind": "relu"}, {"kind": "dropout", "share": 0.9}, {"kind": "flatten"}, {"kind": "output"}
    )
    model = ex.build(spec, digits)
    if ex.METHODS[method].needs(ask(model, image, 3)):
        forgets = (
            {"kind": "patches"},
            {"kind": "dropout", "share": 0.9},
            {"kind": "transformer"},
            {"kind": "meanpool"},
        )
        model = ex.build(ex.ModelSpec.of(*forgets, {"kind": "output"}), digits)

    training, answering = (ex.attribute(method, model.train(mode), image, target=3).values for mode in (True, False))

    assert np.array_equal(training, answering)


@pytest.mark.parametrize("target", [-1, 10])
@pytest.mark.parametrize("method", OF_A_CLASS)
def test_a_class_that_is_not_there_is_refused(method: str, target: int, model: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=f"Class {target} was asked for, but the model has classes 0 to 9"):
        ex.attribute(method, model, image, target=target)


def test_only_its_own_parameters_are_taken(method: str, model: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(SpecError, match=f"Attribution method '{method}': there is no field 'colour'"):
        ex.attribute(method, model, image, target=3, colour="red")


def test_it_explains_itself_and_all_its_fields(method: str) -> None:
    cls = ex.METHODS[method]

    assert len(cls.help()) > 30
    assert cls.paper
    assert cls.cost
    readings = {modality: cls.reading(modality) for modality in PARTS}
    assert all(len(reading) > 30 and "{" not in reading for reading in readings.values())
    assert not any(
        "pixel" in readings[modality] or "black" in readings[modality] for modality in ("series", "vector", "tokens")
    )
    assert all(field.description for field in cls.model_fields.values())


def test_an_unknown_method_lists_the_known_ones(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(UnknownName, match=r"no attribution method called 'guess'. Choose one of: .*occlusion"):
        ex.attribute("guess", cnn, image, target=3)


FAMILIES = {
    "mlp": "iris",
    "cnn": "mnist1d",
    "rnn": "mnist1d",
    "attention": "evidence_words",
    "transformer": "digits",
    "seq2seq_rnn": "phrases",
    "seq2seq_transformer": "phrases",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_explains_every_family_or_says_why_not(method: str, family: str) -> None:
    dataset = ex.load_dataset(FAMILIES[family])
    model, x, more = ex.build(ex.preset(family, dataset), dataset), dataset.test.inputs[:1], {}
    if dataset.task == "translation":
        more = {"written": dataset.test.targets[:1, :-1], "at": 1}
    question = ask(model, x, 2, references=dataset.train.inputs[:4], **more)
    if reason := ex.METHODS[method].needs(question):
        assert reason[0].islower()
        assert reason.endswith(".")
        return
    result = ex.METHODS.make(method).explain(question)

    assert np.isfinite(result.values).all()
    if not ex.METHODS[method].inner:
        assert result.values.shape == x.shape[1:]
    if dataset.modality == "tokens" and not ex.METHODS[method].inner:
        assert not result.values[(x[0] == 0).numpy()].any(), "padding explains nothing"
