"""Attention weights, hidden states and the spots of a model, against torch's own with the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.attention import AdditiveAttention, MultiHeadAttention
from explorer.models.layers.recurrent import OneWayLSTM, Recurrent
from explorer.models.tokens import TokenModel
from explorer.probes import (
    Spot,
    attention_layers,
    attention_map,
    hidden_states,
    recurrent_layers,
    right_tokens,
    seen_at,
    spots_of,
    telling,
)
from tests.samples import made_up

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
SIZE, HEADS = 8, 2


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(1, 5, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("causal", [False, True])
def test_attention_weights_are_those_of_torchs_own_attention(causal: bool, x: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = nn.Sequential()
    ours = MultiHeadAttention(SIZE, HEADS, causal)
    model.add_module("look1", ours)
    theirs = nn.MultiheadAttention(SIZE, HEADS, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]).data
    theirs.in_proj_bias.data = torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]).data
    ahead = torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None

    _, expected = theirs(x, x, x, need_weights=True, average_attn_weights=False, attn_mask=ahead)
    seen = attention_map(model, x, "look1.weights")

    assert seen.weights.shape == (HEADS, 5, 5)
    np.testing.assert_allclose(seen.weights, expected[0].detach().numpy(), **CLOSE)
    np.testing.assert_allclose(seen.weights.sum(axis=2), 1, **CLOSE)


def test_additive_attention_looks_from_one_place_with_one_head(x: torch.Tensor) -> None:
    model = nn.Sequential()
    model.add_module("pool1", pool := AdditiveAttention(SIZE, 4))

    scores = pool.score(torch.tanh(pool.project(x)))[0, :, 0]
    seen = attention_map(model, x, "pool1.weights")

    assert seen.weights.shape == (1, 1, 5)
    np.testing.assert_allclose(seen.weights[0, 0], scores.softmax(0).detach().numpy(), **CLOSE)


def test_hidden_states_are_torchs_both_ways_in_the_order_of_the_places_also_of_padded_texts() -> None:
    torch.manual_seed(0)
    ours = Recurrent(OneWayLSTM, SIZE, 3, both_ways=True, last=True)
    model = TokenModel()
    model.add_module("embedding1", nn.Embedding(10, SIZE, padding_idx=0))
    model.add_module("lstm1", ours)
    theirs = nn.LSTM(SIZE, 3, batch_first=True, bidirectional=True)
    for way, suffix in (("ahead1", ""), ("back1", "_reverse")):
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            getattr(theirs, name + suffix).data = getattr(ours.get_submodule(way).cell, name).data
    text = torch.tensor([[3, 7, 2, 9, 0, 0]])

    expected = theirs(model.embedding1(text[:, :4]))[0][0].detach().numpy()  # (4, 2 * 3)

    assert recurrent_layers(model) == ["lstm1.ahead1", "lstm1.back1"]
    for way, columns in (("ahead1", slice(0, 3)), ("back1", slice(3, 6))):
        seen = hidden_states(model, text, f"lstm1.{way}")
        assert seen.values.shape == (6, 3)
        np.testing.assert_allclose(seen.values[:4], expected[:, columns], **CLOSE)


@pytest.fixture(scope="module")
def translator() -> tuple[nn.Module, ex.Dataset, list[str]]:
    pairs = made_up(9, tokens=20, task="translation")
    spec = ex.preset("seq2seq_transformer", pairs, width=8, depth=1, heads=2)
    return ex.build(spec, pairs), pairs, ex.summarize(spec, pairs)["layer"].tolist()


def test_right_tokens_are_the_probabilities_that_the_loss_is_made_of(translator: tuple) -> None:
    model, pairs, _ = translator
    x, right = pairs.train.inputs[:1], pairs.train.targets[:1]

    shares = right_tokens(model, x, right)

    with torch.no_grad():
        logits = model.eval()(x, right[:, :-1])[0]
    loss = nn.functional.cross_entropy(logits, right[0, 1:], ignore_index=0)
    assert len(shares) == int((right[0, 1:] != 0).sum())
    assert -np.log(shares).mean() == pytest.approx(float(loss), rel=1e-5)


def test_the_spots_of_a_model_are_what_its_layers_remember_where_they_look_and_what_they_make(
    translator: tuple,
) -> None:
    model, pairs, layers = translator
    spots = spots_of(model, layers)

    assert [spot.layer for spot in spots if spot.what == "output"] == layers
    inside = {spot.name: spot.inner for spot in spots if spot.what == "attention"}
    assert inside == {
        "encoder.transformer1.attention.weights": "attention",
        "decoder.decoderblock1.self_attention.weights": "self_attention",
        "decoder.decoderblock1.cross_attention.weights": "cross_attention",
    }
    given = pairs.train.inputs[:1], pairs.train.targets[:1, :-1]
    for spot in spots:
        assert np.isfinite(seen_at(model, spot, *given)).all()
    assert seen_at(model, spots[-4], *given).ndim == 3  # (heads, written, source)
    assert telling(spots).name == "decoder.decoderblock1.cross_attention.weights"


def test_without_attention_or_memory_the_first_convolution_tells_most(cnn: nn.Module) -> None:
    spots = spots_of(cnn, [name for name, _ in cnn.named_children()])
    assert {spot.what for spot in spots} == {"output"}
    assert telling(spots, ["conv1", "conv2"]) == Spot("conv1", "conv1")
    assert telling(spots[2:]) == spots[2]


def test_what_neither_looks_nor_remembers_says_so(cnn: nn.Module, image: torch.Tensor) -> None:
    assert attention_layers(cnn) == recurrent_layers(cnn) == []
    with pytest.raises(NotApplicable, match=r"conv1 passes no attention weights on\. This model has no attention"):
        attention_map(cnn, image, "conv1")
    with pytest.raises(NotApplicable, match=r"conv1 is not a recurrent layer\. This model has none"):
        hidden_states(cnn, image, "conv1")
    with pytest.raises(UnknownName, match="conv7"):
        attention_map(cnn, image, "conv7")
