"""Attention, step by step, head by head and through all layers, against torch's own and against the papers by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable, SpecError, UnknownName
from explorer.models.layers.attention import AdditiveAttention, MultiHeadAttention
from explorer.models.layers.decoder import AttentionGRU
from explorer.models.layers.embedding import ClassToken
from explorer.models.layers.sequences import FirstPosition, MeanOverPositions, TimeSteps
from explorer.models.layers.transformer import EncoderBlock
from explorer.models.tokens import TokenModel
from explorer.models.translator import DecoderModel, Translator
from explorer.probes import (
    AttentionMap,
    across,
    attention_gradient,
    attention_layers,
    attention_map,
    attention_maps,
    attention_steps,
    forced,
    free,
    heads,
    places_at,
    rollout,
    unfollowed,
)
from explorer.probes.scores import softmax
from tests.samples import made_up

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
SIZE, HEADS = 8, 2


class Masked(nn.Module):
    """An attention that is always called with the same padding mask."""

    def __init__(self, attention: nn.Module, mask: torch.Tensor) -> None:
        super().__init__()
        self.attention, self.mask = attention, mask

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, self.mask)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(1, 5, SIZE, generator=torch.Generator().manual_seed(0))


def torchs_own(ours: MultiHeadAttention) -> nn.MultiheadAttention:
    """Torch's attention with the same weights."""
    theirs = nn.MultiheadAttention(SIZE, HEADS, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]).data
    theirs.in_proj_bias.data = torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]).data
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    return theirs


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_every_step_of_a_head_agrees_with_torchs_own_attention_also_behind_masks(
    causal: bool, padded: bool, x: torch.Tensor
) -> None:
    torch.manual_seed(0)
    ours = MultiHeadAttention(SIZE, HEADS, causal)
    mask = torch.tensor([[True, True, True, not padded, not padded]])
    ahead = torch.ones(5, 5, dtype=torch.bool).triu(1)
    wanted, weights = torchs_own(ours)(
        x,
        x,
        x,
        need_weights=True,
        average_attn_weights=False,
        attn_mask=ahead if causal else None,
        key_padding_mask=~mask,
    )

    steps = attention_steps(Masked(ours, mask), x, "attention.weights")
    seen = attention_map(Masked(ours, mask), x, "attention.weights")

    allowed = mask.numpy() & (~ahead.numpy() | (not causal))
    np.testing.assert_array_equal(seen.allowed, np.broadcast_to(allowed, (5, 5)))
    np.testing.assert_array_equal(np.isfinite(steps.masked), np.broadcast_to(allowed, (HEADS, 5, 5)))
    np.testing.assert_allclose(seen.weights, weights[0].detach(), **CLOSE)
    np.testing.assert_allclose(steps.weights, weights[0].detach(), **CLOSE)
    np.testing.assert_allclose(steps.output, wanted[0].detach(), **CLOSE)
    np.testing.assert_allclose(steps.again, wanted[0].detach(), **CLOSE)
    np.testing.assert_allclose(steps.scaled, steps.products / 2, **CLOSE)  # d = 8 values / 2 heads = 4
    assert steps.error < 1e-5


def test_a_score_is_the_product_of_query_and_key_and_the_weights_mix_the_values() -> None:
    model = nn.Sequential()
    model.add_module("look1", look := MultiHeadAttention(2))
    for layer, scale in ((look.query, 1.0), (look.key, 2.0), (look.value, 3.0), (look.out, 1.0)):
        layer.weight.data, layer.bias.data = scale * torch.eye(2), torch.zeros(2)
    places = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])

    steps = attention_steps(model, places, "look1.weights")

    assert steps.products[0].tolist() == [[2, 0], [0, 2]]
    near = np.exp(2**0.5) / (np.exp(2**0.5) + 1)
    np.testing.assert_allclose(steps.weights[0], [[near, 1 - near], [1 - near, near]])
    np.testing.assert_allclose(steps.mixed[0], [[3 * near, 3 - 3 * near], [3 - 3 * near, 3 * near]])


def test_additive_attention_is_worked_out_again_from_its_scores_and_values(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    pool = AdditiveAttention(SIZE, 4)
    mask = torch.tensor([[True, True, True, True, False]])

    steps = attention_steps(Masked(pool, mask), x, "attention.weights")

    scores = pool.score(torch.tanh(pool.project(x)))[0, :4, 0]
    np.testing.assert_allclose(steps.masked[0, 0, :4], scores.detach(), **CLOSE)
    assert steps.masked[0, 0, 4] == -np.inf
    np.testing.assert_allclose(steps.weights[0, 0, :4], scores.softmax(0).detach(), **CLOSE)
    np.testing.assert_allclose(steps.output, pool(x, mask).detach(), **CLOSE)
    assert steps.products is None
    assert steps.error < 1e-5


def gru_translator(size: int = SIZE) -> Translator:
    torch.manual_seed(0)
    encoder, decoder = TokenModel(), DecoderModel()
    encoder.add_module("embedding1", nn.Embedding(12, size, padding_idx=0))
    decoder.add_module("embedding1", nn.Embedding(9, size, padding_idx=0))
    decoder.add_module("grudecoder1", AttentionGRU(size, size, 6))
    decoder.add_module("output1", nn.Linear(6 + size, 9))
    return Translator(encoder, decoder)


def test_the_context_of_a_decoding_gru_is_worked_out_again_from_its_scores() -> None:
    model, source, written = gru_translator(), torch.tensor([[3, 5, 4, 0]]), torch.tensor([[2, 4, 5]])
    steps = attention_steps(model, source, "decoder.grudecoder1.weights", written)

    assert steps.weights.shape == (1, 3, 4)
    assert (steps.weights[0, :, 3] == 0).all()
    assert steps.output.shape == (3, SIZE)
    assert steps.error < 1e-5


def test_all_maps_of_a_model_are_seen_in_one_pass_and_each_as_by_itself() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts, depth=2), texts)
    text = texts.test.inputs[1:2]

    maps = attention_maps(model, text)

    assert [seen.layer for seen in maps] == attention_layers(model)
    for seen in maps:
        np.testing.assert_array_equal(seen.weights, attention_map(model, text, seen.layer).weights)


def test_entropy_and_distance_of_heads_are_those_worked_out_by_hand() -> None:
    alike, itself = np.full((3, 3), 1 / 3), np.eye(3)
    last = np.array([[0.0, 0, 1]] * 3)
    seen = AttentionMap("look", np.stack([alike, itself, last]), np.ones((3, 3), bool))

    found = heads(seen, np.arange(3.0)[:, None])

    np.testing.assert_allclose(found.entropy, [np.log(3), 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.share, [1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(found.distance, [8 / 9, 0, 1])  # alike: rows 1, 2/3 and 1; last: 2, 1 and 0


def test_a_causal_head_is_as_spread_out_as_it_can_be_when_it_looks_at_all_before_it_alike() -> None:
    allowed = np.tril(np.ones((3, 3), bool))
    found = heads(AttentionMap("look", (allowed / allowed.sum(1, keepdims=True))[None], allowed))
    np.testing.assert_allclose(found.entropy, [(np.log(2) + np.log(3)) / 3])
    np.testing.assert_allclose(found.share, [1])
    assert found.distance is None


def test_the_class_token_stands_nowhere_and_patches_are_as_far_apart_as_in_the_image() -> None:
    spots = np.array([[np.nan, np.nan], [0, 0], [3, 4]])
    weights = np.array([[[0.2, 0.4, 0.4], [0.5, 0.0, 0.5], [0.5, 0.25, 0.25]]])
    found = heads(AttentionMap("look", weights, np.ones((3, 3), bool)), spots)
    np.testing.assert_allclose(found.distance, [(5 + 2.5) / 2])


# -- through all layers -----------------------------------------------------------------------------------------------


def fixed(looks: list[torch.Tensor], pool: nn.Module, token: bool = False) -> nn.Sequential:
    """Blocks that look as they are told, over a series of two steps."""
    model = nn.Sequential()
    model.add_module("steps1", TimeSteps())
    if token:
        model.add_module("cls1", ClassToken(2))
    for number, look in enumerate(looks, 1):
        block = EncoderBlock(2, 1, 2)
        block.attention.weights.register_forward_hook(lambda _m, given, _out, look=look: look + 0 * given[0])
        model.add_module(f"transformer{number}", block)
    model.add_module("pool1", pool)
    model.add_module("output1", nn.Linear(2, 2))
    return model


FIRST = torch.tensor([[0.75, 0.25], [0.5, 0.5]])
SECOND = torch.tensor([[0.0, 1.0], [1.0, 0.0]])


def test_rollout_is_the_recurrence_of_its_paper_worked_out_by_hand_for_two_places() -> None:
    series = torch.randn(1, 2, 2, generator=torch.Generator().manual_seed(0))
    # 0.5 A + 0.5 I: [[0.875, 0.125], [0.25, 0.75]], then [[0.5, 0.5], [0.5, 0.5]]; their product has two equal rows
    found = rollout(fixed([FIRST, SECOND], FirstPosition()), series)
    np.testing.assert_allclose(found.values, [0.5625, 0.4375], atol=1e-7)

    found = rollout(fixed([FIRST], MeanOverPositions()), series)
    np.testing.assert_allclose(found.values, [(0.875 + 0.25) / 2, (0.125 + 0.75) / 2], atol=1e-7)
    assert (found.start, found.read, found.target) == ("steps1", False, None)


def test_rollout_tells_the_class_token_from_the_places_behind_it() -> None:
    series = torch.randn(1, 2, 2, generator=torch.Generator().manual_seed(0))
    look = torch.tensor([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = rollout(fixed([look], FirstPosition(), token=True), series)
    np.testing.assert_allclose(found.values, [0.6, 0.15, 0.25], atol=1e-7)


def test_attention_times_gradient_is_what_autograd_says_worked_out_by_hand() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts, depth=2, width=8, heads=2), texts).eval()
    text, target = texts.test.inputs[2:3, :3], 1  # no padding among them

    found = attention_gradient(model, text, target)

    kept = {}
    for name in ("transformer1", "transformer2"):
        model.get_submodule(name).attention.weights.register_forward_hook(
            lambda _m, _g, out, name=name: kept.setdefault(name, out)
        )
    logit = model(text)[0, target]
    wanted = np.eye(3)
    for name in ("transformer1", "transformer2"):
        gradient = torch.autograd.grad(logit, kept[name], retain_graph=True)[0][0].numpy()
        weights = kept[name][0].detach().numpy()
        mean = np.maximum(weights * gradient, 0).mean(0)
        wanted = wanted + mean @ wanted
    np.testing.assert_allclose(found.values, (wanted - np.eye(3)).mean(0), rtol=1e-4, atol=1e-9)
    assert found.target == 1
    assert found.values.max() > 0


def test_additive_attention_alone_is_its_own_rollout_and_gradient() -> None:
    series = made_up(1, 6, classes=3)
    model = ex.build(ex.preset("attention", series, score="additive"), series).eval()
    one = series.test.inputs[:1]
    weights = attention_maps(model, one)[0].weights[0, 0]

    np.testing.assert_allclose(rollout(model, one).values, weights, atol=1e-6)

    states = []
    handle = model.attentionpool1.value.register_forward_hook(lambda _m, _g, out: states.append(out[0].detach()))
    model(one)
    handle.remove()
    slope = model.output1.weight[2].detach().numpy() @ states[0].numpy().T  # d logit / d weight of each place
    found = attention_gradient(model, one, 2)
    np.testing.assert_allclose(found.values, np.maximum(weights * slope, 0), rtol=1e-4, atol=1e-7)


def test_padding_gets_no_share_and_changes_none() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts), texts)
    text = texts.test.inputs[2:3]  # three tokens, then padding
    for method in (rollout, attention_gradient):
        whole, cut = method(model, text).values, method(model, text[:, :3]).values
        np.testing.assert_allclose(whole[:3], cut, rtol=1e-4, atol=1e-8)
        assert (whole[3:] == 0).all()


def test_following_leaves_the_model_as_it_was() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts), texts)
    model(texts.test.inputs).sum().backward()
    before = [weight.grad.clone() for weight in model.parameters()]
    attention_gradient(model, texts.test.inputs[:1])
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    for weight, gradient in zip(model.parameters(), before, strict=True):
        assert torch.equal(weight.grad, gradient)


def test_behind_a_recurrent_layer_attention_is_followed_back_to_its_states() -> None:
    texts = made_up(9, tokens=20)
    lstm = {"kind": "lstm", "units": 8, "output": "all"}
    spec = ex.ModelSpec.of({"kind": "embedding", "size": 8}, lstm, {"kind": "attentionpool"}, {"kind": "output"})
    found = rollout(ex.build(spec, texts), texts.test.inputs[2:3])
    assert (found.start, found.read) == ("lstm1", True)
    assert found.values.sum() == pytest.approx(1)


def test_what_attention_cannot_be_followed_through_says_so_in_words(cnn: nn.Module) -> None:
    texts, pairs = made_up(9, tokens=20), made_up(9, tokens=20, task="translation")
    late = ex.ModelSpec.of(
        {"kind": "embedding", "size": 8}, {"kind": "selfattention"}, {"kind": "lstm", "units": 8}, {"kind": "output"}
    )
    assert unfollowed(cnn) == "it has no attention."
    assert "alignment" in unfollowed(ex.build(ex.preset("seq2seq_rnn", pairs, width=8), pairs))
    assert "after its last attention" in unfollowed(ex.build(late, texts))
    with pytest.raises(NotApplicable, match="it has no attention"):
        rollout(cnn, torch.rand(1, 1, 8, 8))
    model = ex.build(ex.preset("transformer", texts), texts)
    assert unfollowed(model) is None
    with pytest.raises(SpecError, match="classes 0 to 2"):
        attention_gradient(model, texts.test.inputs[:1], 7)
    with pytest.raises(UnknownName, match="nothing"):
        attention_steps(model, texts.test.inputs[:1], "nothing")
    with pytest.raises(NotApplicable, match="passes no attention weights on"):
        attention_steps(model, texts.test.inputs[:1], "embedding1")


# -- translations -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["seq2seq_rnn", "seq2seq_transformer"])
def translator(request: pytest.FixtureRequest) -> tuple[nn.Module, ex.Dataset]:
    pairs = made_up(9, tokens=20, task="translation")
    return ex.build(ex.preset(request.param, pairs, width=16), pairs), pairs


def test_what_is_written_freely_is_greedy_and_each_step_is_as_if_worked_out_alone(translator: tuple) -> None:
    model, pairs = translator
    source = pairs.test.inputs[1:2]

    found = free(model, source, 6)

    assert found.wrote.tolist() == [t for t in ex.translate(model.eval(), source, 6)[0].tolist() if t]
    assert found.read.tolist() == [2, *found.wrote[:-1].tolist()]
    np.testing.assert_array_equal(found.best[:, 0], found.wrote)
    np.testing.assert_allclose(found.shares[:, 0], found.share)
    for step in range(len(found.wrote)):  # only what was written by then
        given = torch.tensor(found.read[None, : step + 1])
        with torch.no_grad():
            shares = model(source, given)[0, -1].softmax(0)
        np.testing.assert_allclose(found.share[step], shares[found.wrote[step]], **CLOSE)
        for layer in across(model):
            alone = attention_map(model, source, layer, given).weights[:, -1]
            np.testing.assert_allclose(next(m for m in found.maps if m.layer == layer).weights[:, step], alone, **CLOSE)


def test_under_the_right_translation_the_right_tokens_are_given_and_told_without_padding(translator: tuple) -> None:
    model, pairs = translator
    source, right = pairs.test.inputs[:1], pairs.test.targets[:1]
    found = forced(model, source, right)

    tokens = [token for token in right[0].tolist() if token]
    assert found.read.tolist() == tokens[:-1]
    assert found.wrote.tolist() == tokens[1:]
    np.testing.assert_allclose(found.share, ex.probes.right_tokens(model, source, right), **CLOSE)
    for seen in found.maps:
        assert seen.weights.shape[1:] == (len(tokens) - 1, 9)
        np.testing.assert_allclose(seen.weights.sum(2), 1, **CLOSE)
        assert (seen.weights[:, :, 1:] == 0).all()  # the source is one token, then padding


# -- places -----------------------------------------------------------------------------------------------------------


def test_places_are_named_by_words_patches_and_steps_with_the_class_token_in_front() -> None:
    images = made_up(1, 8, 12)
    spec = ex.ModelSpec.of(
        {"kind": "patches", "patch": 4, "size": 8},
        {"kind": "cls"},
        {"kind": "transformer"},
        {"kind": "first"},
        {"kind": "output"},
    )
    layers = ex.models.plan(spec, images).layers
    found = places_at(layers, "transformer1", images, ())
    assert len(found) == 7
    assert (found.names[0], found.names[1], found.names[-1]) == ("class token", "row 0, column 0", "row 1, column 2")
    assert (found.grid, found.token, found.what) == ((2, 3), True, "patch")
    assert found.spots[1:].tolist() == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    assert not places_at(layers, "patches1", images, ()).token
    assert found.known(7) is found
    assert found.known(3).names == ("0", "1", "2")


def test_places_of_a_decoder_are_what_is_written_and_of_an_encoder_what_is_read() -> None:
    pairs = made_up(9, tokens=20, task="translation")
    layers = ex.models.plan(ex.preset("seq2seq_transformer", pairs), pairs).layers
    assert places_at(layers, "decoder.decoderblock1", pairs, [5, 6], [2, 7]).names == ("<2>", "<7>")
    assert places_at(layers, "encoder.transformer1", pairs, [5, 6], [2, 7]).names == ("<5>", "<6>")
    assert places_at(layers, "", pairs, [5, 6], [2, 7]).names == ("<5>", "<6>")


def test_softmax_gives_what_is_masked_nothing() -> None:
    np.testing.assert_allclose(softmax(np.array([0.0, -np.inf, np.log(3)])), [0.25, 0, 0.75])
