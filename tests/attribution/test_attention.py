"""Attention as an attribution: the numbers of the probe at the places of the input, and autograd by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import explorer as ex
from explorer.attribution import METHODS, ask
from explorer.errors import NotApplicable
from explorer.probes import attention_gradient, rollout
from explorer.probes.activations import TwoClasses
from tests.samples import made_up


@pytest.mark.parametrize("token", [False, True], ids=["mean", "class token"])
def test_the_colours_of_a_pixel_add_up_to_what_attention_carries_from_its_patch(token: bool) -> None:
    images = made_up(3, 6, 4, classes=3)
    pool = {"kind": "first"} if token else {"kind": "meanpool"}
    front = [{"kind": "cls"}] if token else []
    block = {"kind": "transformer", "heads": 2, "units": 8}
    layers = [{"kind": "patches", "patch": 2, "size": 8}, *front, block, block, pool, {"kind": "output"}]
    model, x = ex.build(ex.ModelSpec.of(*layers), images), images.test.inputs[:1]
    known = {"rollout": rollout(model, x), "attention_gradient": attention_gradient(model, x, 2)}
    for name, reach in known.items():
        values = ex.attribute(name, model, x, 2).values
        assert values.shape == (3, 6, 4)
        patches = reach.values[token:].reshape(3, 2)
        for row, column in np.ndindex(6, 4):
            assert values[:, row, column].sum() == pytest.approx(patches[row // 2, column // 2], rel=1e-4)


def test_of_a_series_the_channels_of_a_step_add_up_to_its_share() -> None:
    series = made_up(2, 6, classes=3)
    model, x = ex.build(ex.preset("transformer", series, width=8), series), series.test.inputs[:1]
    np.testing.assert_allclose(
        ex.attribute("rollout", model, x, 0).values.sum(0), rollout(model, x).values, rtol=1e-4, atol=1e-7
    )


def test_why_this_word_and_not_that_is_the_gradient_of_the_difference_worked_out_by_hand() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts, width=8, heads=2), texts).eval()
    text = texts.test.inputs[2:3]  # three tokens, then padding
    found = ex.attribute("attention_gradient", model, text, (1, 0)).values
    assert ex.attribute("attention_gradient", model, text, 1).values == pytest.approx(
        attention_gradient(model, text, 1).values, rel=1e-4
    )

    kept = []
    handle = model.transformer1.attention.weights.register_forward_hook(lambda _m, _g, out: kept.append(out))
    logits = model(text[:, :3])[0]
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[1] - logits[0], kept)
    wanted = (kept[0] * gradient).clamp(min=0)[0].mean(0).mean(0)  # over heads, then over places, as the pool does
    np.testing.assert_allclose(found[:3], wanted.detach(), rtol=1e-4, atol=1e-9)
    assert not found[3:].any()
    assert found.max() > 0


def test_attention_follows_what_the_vectors_of_the_words_become() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts, width=8, heads=2), texts).eval()
    texts_in, other = texts.train.inputs[2:3, :3], texts.train.inputs[3:4, :3]
    question = ask(model, texts_in, 1)
    moved = METHODS.make("rollout").explain(replace(question, x=ask(model, other, 1).x)).values
    np.testing.assert_allclose(moved, rollout(model, other).values, rtol=1e-4)
    assert not np.allclose(moved, rollout(model, texts_in).values, rtol=1e-3)


def test_of_two_classes_attention_is_that_of_their_one_logit() -> None:
    texts = made_up(9, tokens=20, classes=2, task="binary")
    model = ex.build(ex.preset("transformer", texts, width=8, heads=2), texts).eval()
    x = texts.train.inputs[2:3]
    both = TwoClasses(model)
    np.testing.assert_allclose(ex.attribute("rollout", both, x, 1).values, rollout(model, x).values, rtol=1e-4)
    for target in (0, 1):  # each class has half of it; through one block that is half of every value
        values = ex.attribute("attention_gradient", both, x, target).values
        np.testing.assert_allclose(values, attention_gradient(model, x, target).values / 2, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([{"kind": "meanpool"}], "has no attention"),
        ([{"kind": "lstm", "units": 8, "output": "all"}, {"kind": "attentionpool"}], "has read other places already"),
    ],
)
def test_where_attention_says_nothing_of_words_the_reason_is_told(layers: list[dict], reason: str) -> None:
    texts = made_up(9, tokens=20)
    spec = ex.ModelSpec.of({"kind": "embedding", "size": 8}, *layers, {"kind": "output"})
    with pytest.raises(NotApplicable, match=reason):
        ex.attribute("rollout", ex.build(spec, texts), texts.test.inputs[:1], 0)
