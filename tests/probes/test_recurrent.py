"""Hidden states and gates of every recurrent layer, against torch's own with the same weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.data import PAD
from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.decoder import AttentionGRU
from explorer.probes import hidden_states, memory, parts_of, recurrent_layers
from explorer.probes.recurrent import GATES, over_examples
from explorer.probes.similarity import by_similarity
from tests.samples import made_up

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
TEXTS = made_up(9, tokens=20)
UNITS = 6
TORCHS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
PARTS = {
    "rnn": ("hidden_state",),
    "lstm": ("hidden_state", "cell_state", "input_gate", "forget_gate", "output_gate", "candidate"),
    "gru": ("hidden_state", "reset_gate", "update_gate", "candidate"),
}
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def network(kind: str, data: ex.Dataset = TEXTS, **params: object) -> nn.Module:
    reader = {"kind": "embedding", "size": 5} if data.modality == "tokens" else {"kind": "steps"}
    recurrent = {"kind": kind, "units": UNITS, **params}
    return ex.build(ex.ModelSpec.of(reader, recurrent, {"kind": "output"}), data, seed=2).eval()


def torchs(model: nn.Module, kind: str, inputs: int, layers: int = 2) -> nn.Module:
    """Torch's own stack of layers, both ways, with the weights of ours."""
    theirs = TORCHS[kind](inputs, UNITS, num_layers=layers, bidirectional=True, batch_first=True)
    for number in range(layers):
        for way, suffix in (("ahead", ""), ("back", "_reverse")):
            ours = model.get_submodule(f"{kind}1.{way}{number + 1}.cell")
            for name in WEIGHTS:
                getattr(theirs, f"{name}_l{number}{suffix}").data = getattr(ours, f"{name}_l0").data
    return theirs


def by_hand(kind: str, cell: nn.Module, given: torch.Tensor) -> dict[str, np.ndarray]:
    """Everything inside a layer that reads (L, D), worked out place by place as the papers write it."""
    weights = [
        getattr(cell, f"{name}_l0").detach().double().chunk({"rnn": 1, "gru": 3, "lstm": 4}[kind]) for name in WEIGHTS
    ]
    hidden = state = torch.zeros(UNITS, dtype=torch.double)
    rows: dict[str, list[torch.Tensor]] = {part: [] for part in PARTS[kind]}
    for x in given.detach().double():
        fed = [w @ x + b for w, b in zip(weights[0], weights[2], strict=True)]
        kept = [w @ hidden + b for w, b in zip(weights[1], weights[3], strict=True)]
        if kind == "rnn":
            hidden = torch.tanh(fed[0] + kept[0])
            now = {}
        elif kind == "gru":
            r, z = torch.sigmoid(fed[0] + kept[0]), torch.sigmoid(fed[1] + kept[1])
            n = torch.tanh(fed[2] + r * kept[2])
            hidden = n + z * (hidden - n)
            now = {"reset_gate": r, "update_gate": z, "candidate": n}
        else:
            i, f, o = (torch.sigmoid(fed[n] + kept[n]) for n in (0, 1, 3))
            g = torch.tanh(fed[2] + kept[2])
            state = f * state + i * g
            hidden = o * torch.tanh(state)
            now = {"input_gate": i, "forget_gate": f, "output_gate": o, "candidate": g, "cell_state": state}
        for part, value in {"hidden_state": hidden, **now}.items():
            rows[part].append(value)
    return {part: torch.stack(values).numpy() for part, values in rows.items()}


@pytest.mark.parametrize("length", [9, 5, 1])
@pytest.mark.parametrize("kind", TORCHS)
def test_hidden_states_are_torchs_in_every_layer_and_direction_and_end_where_the_text_ends(
    kind: str, length: int
) -> None:
    model = network(kind, layers=2, both_ways=True)
    text = torch.zeros(1, 9, dtype=torch.long)
    text[0, :length] = torch.arange(3, 3 + length)
    given = model.embedding1(text[:, :length])
    below, both = torchs(model, kind, 5, 1)(given)[0][0], torchs(model, kind, 5)(given)[0][0]  # (length, 2 * UNITS)
    expected = {
        f"{kind}1.{way}{number}": states[:, columns].detach().numpy()
        for number, states in ((1, below), (2, both))
        for way, columns in (("ahead", slice(0, UNITS)), ("back", slice(UNITS, None)))
    }

    assert recurrent_layers(model) == list(expected)
    for layer, states in expected.items():
        found = memory(model, text, layer)
        assert found.layer == layer
        np.testing.assert_allclose(found.parts["hidden_state"], states, **CLOSE)
        whole = hidden_states(model, text, layer).values
        assert len(whole) == 9
        np.testing.assert_allclose(whole[:length], states, **CLOSE)


@pytest.mark.parametrize("way", ["ahead", "back"])
@pytest.mark.parametrize("kind", TORCHS)
def test_gates_are_what_the_equations_say_in_the_order_of_the_places(kind: str, way: str) -> None:
    model = network(kind, both_ways=True)
    text = torch.tensor([[3, 7, 2, 9, 11, 4, 0, 0, 0]])
    given = model.embedding1(text[0, :6])
    layer = f"{kind}1.{way}1"
    turn = slice(None, None, -1 if way == "back" else 1)
    expected = by_hand(kind, model.get_submodule(layer).cell, given.flip(0) if way == "back" else given)

    found = memory(model, text, layer)

    assert parts_of(model, layer) == tuple(found.parts) == PARTS[kind]
    for part, values in expected.items():
        np.testing.assert_allclose(found.parts[part], values[turn], **CLOSE)
        if part in GATES:
            assert (found.parts[part] > 0).all()
            assert (found.parts[part] < 1).all()


def test_a_series_has_no_padding_also_where_it_is_zero() -> None:
    series = made_up(2, 7)
    model = network("gru", series, both_ways=True, layers=2)
    x = torch.cat([series.test.inputs[:1, :, :5], torch.zeros(1, 2, 2)], dim=2)

    expected = torchs(model, "gru", 2)(x.transpose(1, 2))[0][0].detach().numpy()

    np.testing.assert_allclose(memory(model, x, "gru1.back2").parts["hidden_state"], expected[:, UNITS:], **CLOSE)


def test_a_class_token_stands_before_the_text_and_is_a_place_of_its_own() -> None:
    spec = ex.ModelSpec.of(
        {"kind": "embedding", "size": 5}, {"kind": "cls"}, {"kind": "rnn", "units": UNITS}, {"kind": "output"}
    )
    model = ex.build(spec, TEXTS).eval()
    text = torch.tensor([[3, 7, 2, 0, 0, 0, 0, 0, 0]])

    assert memory(model, text, "rnn1.ahead1").parts["hidden_state"].shape == (4, UNITS)


def test_a_decoder_remembers_what_torchs_gru_cell_does_and_its_gates_are_those_of_the_equations() -> None:
    pairs = made_up(9, tokens=20, task="translation")
    model = ex.build(ex.preset("seq2seq_rnn", pairs, width=8), pairs, seed=1).eval()
    layer = "decoder.grudecoder1"
    x, written = pairs.test.inputs[:1], pairs.test.targets[:1, :-1]
    length = int((written != PAD).sum())
    decoder: AttentionGRU = model.get_submodule(layer)
    source = model.encoder(x)
    with ex.capture(model, [f"{layer}.weights"]) as seen:
        model(x, written)
    contexts = seen[f"{layer}.weights"][0] @ source[0]  # (T, E)
    cell, share = decoder.cell, (x != PAD)[:, :, None] / (x != PAD).sum()
    state = torch.tanh(decoder.first((source * share).sum(1)))  # (1, units)
    expected: dict[str, list[torch.Tensor]] = {part: [] for part in PARTS["gru"]}
    for token, context in zip(model.decoder.embedding1(written[0, :length]), contexts, strict=False):
        given = torch.cat([token, context])[None]
        fed = F.linear(given, cell.weight_ih, cell.bias_ih)[0].chunk(3)
        kept = F.linear(state, cell.weight_hh, cell.bias_hh)[0].chunk(3)
        state = cell(given, state)
        reset = (fed[0] + kept[0]).sigmoid()
        now = (state[0], reset, (fed[1] + kept[1]).sigmoid(), (fed[2] + reset * kept[2]).tanh())
        for part, value in zip(PARTS["gru"], now, strict=True):
            expected[part].append(value)

    assert recurrent_layers(model) == ["encoder.gru1.ahead1", "encoder.gru1.back1", layer]
    found = memory(model, x, layer, written)

    assert tuple(found.parts) == PARTS["gru"]
    for part, values in found.parts.items():
        np.testing.assert_allclose(values, torch.stack(expected[part]).detach().numpy(), **CLOSE)


@pytest.mark.parametrize("layer", ["encoder.gru1.back1", "decoder.grudecoder1"])
def test_many_examples_together_are_each_as_it_is_alone(layer: str) -> None:
    pairs = made_up(9, tokens=20, task="translation", examples=70)
    model = ex.build(ex.preset("seq2seq_rnn", pairs, width=8), pairs).eval()
    inputs, written = pairs.train.inputs, pairs.train.targets[:, :-1]

    found = over_examples(model, inputs, layer, "update_gate", written)

    assert len(found) == 70
    for row in (0, 1, 2, 65, 69):
        alone = memory(model, inputs[row : row + 1], layer, written[row : row + 1]).parts["update_gate"]
        np.testing.assert_allclose(found[row], alone, **CLOSE)


def test_watching_changes_no_answer_and_leaves_no_hook() -> None:
    pairs = made_up(9, tokens=20, task="translation")
    model = ex.build(ex.preset("seq2seq_rnn", pairs), pairs).eval()
    given = pairs.test.inputs, pairs.test.targets[:, :-1]
    expected = model(*given)
    names = [f"{layer}.{part}" for layer in recurrent_layers(model) for part in parts_of(model, layer)[1:]]

    with ex.capture(model, names) as seen:
        torch.testing.assert_close(model(*given), expected)

    assert set(seen) == set(names)
    assert torch.equal(model(*given), expected)
    assert not any(module._forward_hooks for module in model.modules())


def test_what_is_not_there_is_named_with_what_is(cnn: nn.Module, image: torch.Tensor) -> None:
    model = network("gru")
    with pytest.raises(UnknownName, match=r"no part of gru1\.ahead1 called 'cell_state'.*hidden_state, reset_gate"):
        over_examples(model, TEXTS.test.inputs, "gru1.ahead1", "cell_state")
    with pytest.raises(NotApplicable, match=r"Choose one of: gru1\.ahead1\."):
        memory(model, TEXTS.test.inputs[:1], "embedding1")
    with pytest.raises(NotApplicable, match="This model has none"):
        memory(cnn, image, "conv1")
    with pytest.raises(UnknownName, match="gru7"):
        parts_of(model, "gru7")


def test_units_that_change_alike_stand_beside_each_other() -> None:
    places = np.arange(40)
    kinds = [np.sin(places), np.cos(2 * places), places / 40.0]
    noise = np.random.default_rng(0).normal(size=(40, 12), scale=0.05)
    values = np.stack([kinds[unit % 3] for unit in range(12)], axis=1) + noise

    order = by_similarity(values)

    assert sorted(order) == list(range(12))
    kind = (order % 3).tolist()
    assert sum(one != other for one, other in pairwise(kind)) == 2, kind


def test_still_units_and_single_places_have_an_order_too() -> None:
    assert sorted(by_similarity(np.zeros((9, 5)))) == [0, 1, 2, 3, 4]
    assert by_similarity(np.ones((1, 4))).tolist() == [0, 1, 2, 3]
