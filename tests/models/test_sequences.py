"""Recurrent cells, attention and positions against torch's own and against the papers' equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.models.layers.attention import AdditiveAttention, MultiHeadAttention
from explorer.models.layers.embedding import PositionalEncoding
from explorer.models.layers.recurrent import OneWayGRU, OneWayLSTM, OneWayRNN, Recurrent
from explorer.models.layers.transformer import EncoderBlock
from tests.samples import made_up

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
CELLS = {OneWayRNN: nn.RNN, OneWayLSTM: nn.LSTM, OneWayGRU: nn.GRU}
LENGTHS = torch.tensor([7, 1, 4, 6])
MASK = torch.arange(7) < LENGTHS[:, None]  # (4, 7)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 7, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_by_its_equations_is_torchs_fused_kernel(cell: type[nn.Module], x: torch.Tensor) -> None:
    torch.manual_seed(0)
    one = cell(8, 5)

    torch.testing.assert_close(one.by_equations(x), one(x), **CLOSE)
    torch.testing.assert_close(one.by_equations(x), CELLS[cell].forward(one.cell, x)[0], **CLOSE)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_is_torchs_own_with_the_same_weights_also_where_texts_are_padded(
    cell: type[nn.Module], both_ways: bool, layers: int, x: torch.Tensor
) -> None:
    torch.manual_seed(0)
    ours = Recurrent(cell, 8, 5, layers, both_ways)
    theirs = CELLS[cell](8, 5, layers, batch_first=True, bidirectional=both_ways)
    for number in range(layers):
        for way, suffix in (("ahead", ""), ("back", "_reverse"))[: 1 + both_ways]:
            mine = ours.get_submodule(f"{way}{number + 1}").cell
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(theirs, f"{name}_l{number}{suffix}").data = getattr(mine, f"{name}_l0").data

    torch.testing.assert_close(ours(x), theirs(x)[0], **CLOSE)
    packed = nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    states, last = theirs(packed)
    expected, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
    torch.testing.assert_close(ours(x, MASK)[MASK], expected[MASK], **CLOSE)
    last = last[0] if isinstance(last, tuple) else last  # (layers * ways, N, H)
    ours.last = True
    torch.testing.assert_close(ours(x, MASK), torch.cat(list(last[-1 - both_ways :]), dim=1), **CLOSE)


def test_an_lstms_gates_can_be_watched_and_obey_its_equations() -> None:
    texts = made_up(9, tokens=20)
    spec = ex.ModelSpec.of(
        {"kind": "embedding", "size": 8}, {"kind": "lstm", "units": 5, "both_ways": True}, {"kind": "output"}
    )
    model = ex.build(spec, texts)
    names = [f"lstm1.ahead1.{name}" for name in ("input_gate", "forget_gate", "candidate", "output_gate", "cell_state")]
    with ex.capture(model, [*names, "lstm1.ahead1"]) as seen:
        watched = model(texts.test.inputs)
    i, f, g, o, c = (seen[name] for name in names)  # (N, L, H)

    assert i.shape == (3, 9, 5)
    assert all(((gate > 0) & (gate < 1)).all() for gate in (i, f, o))
    torch.testing.assert_close(c[:, 1:], f[:, 1:] * c[:, :-1] + i[:, 1:] * g[:, 1:], **CLOSE)
    torch.testing.assert_close(seen["lstm1.ahead1"], o * c.tanh(), **CLOSE)
    torch.testing.assert_close(watched, model.eval()(texts.test.inputs), **CLOSE)  # looking changes nothing


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("heads", [1, 4])
def test_attention_is_torchs_scaled_dot_product_attention(heads: int, causal: bool, x: torch.Tensor) -> None:
    torch.manual_seed(0)
    ours = MultiHeadAttention(8, heads, causal)
    allowed = MASK[:, None, None].expand(4, heads, 7, 7)
    if causal:
        allowed = allowed & torch.ones(7, 7, dtype=torch.bool).tril()

    q, k, v = (ours.split(part(x)) for part in (ours.query, ours.key, ours.value))
    expected = ours.out(F.scaled_dot_product_attention(q, k, v, attn_mask=allowed).transpose(1, 2).flatten(2))

    torch.testing.assert_close(ours(x, MASK), expected, **CLOSE)


@pytest.mark.parametrize("norm_first", [True, False])
def test_a_block_is_torchs_encoder_layer_with_the_same_weights(norm_first: bool, x: torch.Tensor) -> None:
    torch.manual_seed(0)
    ours = EncoderBlock(8, heads=2, units=16, norm_first=norm_first)
    theirs = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=norm_first)
    attention = ours.attention
    theirs.self_attn.in_proj_weight.data = torch.cat(
        [attention.query.weight, attention.key.weight, attention.value.weight]
    ).data
    theirs.self_attn.in_proj_bias.data = torch.cat(
        [attention.query.bias, attention.key.bias, attention.value.bias]
    ).data
    for mine, other in (
        (attention.out, theirs.self_attn.out_proj),
        (ours.feed_forward[0], theirs.linear1),
        (ours.feed_forward[3], theirs.linear2),
        (ours.norm1, theirs.norm1),
        (ours.norm2, theirs.norm2),
    ):
        other.load_state_dict(mine.state_dict())

    expected = theirs(x, src_key_padding_mask=~MASK)
    torch.testing.assert_close(ours(x, MASK)[MASK], expected[MASK], **CLOSE)


def test_additive_attention_follows_its_equations_and_shows_its_weights(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    pool = AdditiveAttention(8, 6)
    seen = []
    pool.weights.register_forward_hook(lambda _module, _given, output: seen.append(output))
    pooled = pool(x, MASK)

    for row, length in enumerate(LENGTHS):
        h = x[row, :length].detach().double().numpy()
        w, b, v = (p.detach().double().numpy() for p in (pool.project.weight, pool.project.bias, pool.score.weight[0]))
        scores = np.tanh(h @ w.T + b) @ v
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(seen[0][row, :length].detach(), weights, atol=1e-5)
        np.testing.assert_allclose(pooled[row].detach(), weights @ h, atol=1e-5)
    assert (seen[0][~MASK] == 0).all()


def test_attention_weights_can_be_seen_head_by_head_and_add_up_to_one() -> None:
    texts = made_up(9, tokens=20)
    model = ex.build(ex.preset("transformer", texts), texts)
    with ex.capture(model, ["transformer1.attention.weights"]) as seen:
        model(texts.test.inputs)
    weights = seen["transformer1.attention.weights"]

    assert weights.shape == (3, 4, 9, 9)
    torch.testing.assert_close(weights.sum(3), torch.ones(3, 4, 9), **CLOSE)
    padding = (texts.test.inputs == 0)[:, None, None].expand_as(weights)
    assert (weights[padding] == 0).all()


def test_a_causal_block_never_looks_ahead(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    block = EncoderBlock(8, heads=2, units=16, causal=True).eval()
    changed = x.clone()
    changed[:, 4:] += 1

    torch.testing.assert_close(block(changed)[:, :4], block(x)[:, :4], rtol=0, atol=0)
    assert not torch.allclose(block(changed)[:, 4:], block(x)[:, 4:])


@pytest.mark.parametrize("size", [7, 8])
def test_sinusoidal_positions_are_those_of_the_paper(size: int) -> None:
    code = PositionalEncoding(20, size)(torch.zeros(1, 20, size))[0]
    for place in (0, 1, 13):
        for column in range(size):
            angle = place / 10_000 ** ((column - column % 2) / size)
            expected = np.cos(angle) if column % 2 else np.sin(angle)
            assert code[place, column].item() == pytest.approx(expected, abs=1e-5)


def test_a_forget_bias_moves_the_forget_gates_bias_and_nothing_else() -> None:
    texts = made_up(9, tokens=20)
    layers = {"kind": "lstm", "units": 5, "layers": 2, "both_ways": True}
    plain, biased = (
        ex.build(ex.ModelSpec.of({"kind": "embedding", "size": 8}, {**layers, **more}, {"kind": "output"}), texts)
        for more in ({}, {"forget_bias": 4.0})
    )

    moved = {name: value - plain.state_dict()[name] for name, value in biased.state_dict().items()}
    forget = torch.zeros(20)
    forget[5:10] = 4.0  # i, f, g, o
    for name, change in moved.items():
        torch.testing.assert_close(change, forget if "bias_hh" in name else torch.zeros_like(change), **CLOSE)
