"""Answers for a whole split are those of the model, one by one, and add up to what training measures."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.errors import ExplorerError
from explorer.probes import TwoClasses, answers, translations
from tests.samples import made_up


def built(dataset: ex.Dataset, family: str = "mlp") -> nn.Module:
    return ex.build(ex.preset(family, dataset), dataset, seed=1)


def test_each_answer_is_the_models_own_and_its_loss_the_cross_entropy(cnn: nn.Module, digits: ex.Dataset) -> None:
    found = answers(cnn, digits, "validation")

    for row in (0, 5, 100):
        x, y = digits.validation.inputs[row : row + 1], digits.validation.targets[row : row + 1]
        wanted = ex.predict(cnn, x)
        np.testing.assert_allclose(found.probabilities[row], wanted.probabilities, atol=1e-6)
        assert found.predicted[row] == wanted.answer
        assert found.truth[row] == int(y)
        assert found.loss[row] == pytest.approx(F.cross_entropy(cnn(x), y).item(), abs=1e-5)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_they_add_up_to_what_training_measures(cnn: nn.Module, digits: ex.Dataset, split: str) -> None:
    found, wanted = answers(cnn, digits, split), ex.evaluate(cnn, digits, split)

    assert len(found.truth) == len(digits.split(split))
    assert found.loss.mean() == pytest.approx(wanted["loss"], abs=1e-5)
    assert 1 - found.wrong.mean() == pytest.approx(wanted["accuracy"])


def test_one_logit_is_two_probabilities() -> None:
    pairs = made_up(4, classes=2, task="binary", examples=20)
    model = built(pairs)
    found, wanted = answers(model, pairs, "train"), ex.evaluate(model, pairs, "train")

    with torch.no_grad():
        second = model.eval()(pairs.train.inputs)[:, 0].sigmoid().numpy()
    np.testing.assert_allclose(found.probabilities, np.stack([1 - second, second], axis=1), atol=1e-6)
    np.testing.assert_allclose(
        found.probabilities[0], ex.predict(TwoClasses(model), pairs.train.inputs[:1]).probabilities, atol=1e-6
    )
    assert found.predicted.tolist() == (second > 0.5).astype(int).tolist()
    assert found.loss.mean() == pytest.approx(wanted["loss"], abs=1e-6)


def test_values_are_in_units_of_the_data() -> None:
    numbers = ex.load_dataset("diabetes")
    model = built(numbers)
    found, wanted = answers(model, numbers), ex.evaluate(model, numbers)

    assert numbers.answer(numbers.test.targets[3]).startswith(f"{found.truth[3]:.4g} ")
    assert np.abs(found.truth - found.predicted).mean() == pytest.approx(wanted["mae"], rel=1e-5)
    assert found.loss.mean() == pytest.approx(wanted["loss"], rel=1e-5)
    assert found.probabilities.shape == (len(found.truth), 0)


@pytest.mark.parametrize("at_once", [1, 256])
def test_translations_add_up_to_what_training_measures(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("explorer.probes.answers"), "WRITTEN_AT_ONCE", at_once)
    pairs = made_up(9, tokens=20, task="translation", classes=8)
    model = built(pairs, "seq2seq_rnn")
    found, wanted = translations(model, pairs), ex.evaluate(model, pairs)

    assert found.right.sum() / found.tokens.sum() == pytest.approx(wanted["token_accuracy"])
    assert (found.loss * found.tokens).sum() / found.tokens.sum() == pytest.approx(wanted["loss"], abs=1e-5)
    assert found.exact.mean() == wanted["exact_match"]
    assert found.bleu == pytest.approx(wanted["bleu"])
    assert found.wanted[2] == pairs.answer(pairs.test.targets[2])
    with torch.no_grad():
        written = ex.translate(model.eval(), pairs.test.inputs[2:3], pairs.target_shape.size[0])
    assert found.written[2] == pairs.answer(written[0])


def test_a_model_is_left_as_it_was(tiny: ex.Dataset) -> None:
    model = built(tiny, "cnn").train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    answers(model, tiny)

    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize(
    ("dataset", "family", "ask"),
    [
        (made_up(4), "mlp", answers),
        (made_up(9, tokens=20, task="translation"), "seq2seq_rnn", translations),
    ],
    ids=["classes", "translation"],
)
def test_answers_that_are_not_finite_are_one_clear_error(dataset: ex.Dataset, family: str, ask: Callable) -> None:
    model = built(dataset, family)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(3e38)

    with pytest.raises(ExplorerError, match=r"test split are not finite.*earlier step"):
        ask(model, dataset)
