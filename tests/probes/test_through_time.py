"""Gradient through time against cells that are unrolled by hand; and vanilla RNNs against LSTMs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import explorer as ex
from explorer.data import PAD
from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.recurrent import OneWayGRU, OneWayLSTM, OneWayRNN
from explorer.probes import recurrent_layers, through_time
from explorer.probes.capture import unrolled
from explorer.runs.presets import vanishing
from explorer.training import StepDone, task_of
from tests.samples import made_up

CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
CLOSE = {"rtol": 1e-5, "atol": 0}


def network(kind: str, data: ex.Dataset, **params: object) -> nn.Module:
    return ex.build(
        ex.ModelSpec.of({"kind": "embedding", "size": 5}, {"kind": kind, "units": 6, **params}, {"kind": "output"}),
        data,
    ).eval()


def by_hand(model: nn.Module, kind: str, texts: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    """(N, T) norms of the gradient of each example's own loss, from torch's cells, one example after another."""
    ours = model.get_submodule(f"{kind}1").ahead1.cell
    cell = CELLS[kind](5, 6).double()
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(cell, name).data = getattr(ours, f"{name}_l0").data.double()
    table = np.zeros(texts.shape)
    for row, (text, target) in enumerate(zip(texts, targets, strict=True)):
        hidden = memory = torch.zeros(1, 6, dtype=torch.double)
        states = []
        for token in text[text != PAD]:
            given = model.embedding1.weight[token].double()[None]
            if kind == "lstm":
                hidden, memory = cell(given, (hidden, memory))
            else:
                hidden = cell(given, hidden)
            hidden.retain_grad()
            states.append(hidden)
        logits = F.linear(hidden, model.output1.weight.double(), model.output1.bias.double())
        F.cross_entropy(logits, target[None]).backward()
        table[row, : len(states)] = [float(state.grad.norm()) for state in states]
    return table


@pytest.mark.parametrize("kind", CELLS)
def test_it_is_the_gradient_of_cells_unrolled_by_hand_also_where_texts_are_padded(kind: str) -> None:
    data = made_up(9, tokens=20)
    model = network(kind, data)
    texts, targets = data.train.inputs[:8], data.train.targets[:8]
    expected, lengths = by_hand(model, kind, texts, targets), (texts != PAD).sum(1).numpy()

    (found,) = through_time(model, texts, targets, task_of(data))

    counts = (lengths[:, None] > np.arange(9)).sum(0)
    assert found.layer == f"{kind}1.ahead1"
    assert found.counts.tolist() == counts.tolist()
    np.testing.assert_allclose(found.norms, expected.sum(0) / counts.clip(min=1), **CLOSE)
    np.testing.assert_allclose(found.shares, found.norms / found.norms.max())


def test_a_layer_whose_states_are_all_read_gets_gradient_by_all_ways() -> None:
    data = made_up(1, 7)
    model = ex.build(
        ex.ModelSpec.of(
            {"kind": "steps"}, {"kind": "rnn", "units": 3, "output": "all"}, {"kind": "meanpool"}, {"kind": "output"}
        ),
        data,
    )
    x, y = data.train.inputs[:1].double(), data.train.targets[:1]
    weights = model.rnn1.ahead1.cell.double()
    hidden, states = torch.zeros(1, 3, dtype=torch.double), []
    for step in x[0, 0]:
        fed = F.linear(step[None, None], weights.weight_ih_l0, weights.bias_ih_l0)
        hidden = torch.tanh(fed + F.linear(hidden, weights.weight_hh_l0, weights.bias_hh_l0))
        hidden.retain_grad()
        states.append(hidden)
    F.cross_entropy(model.double().output1(torch.stack(states).mean(0)), y).backward()
    expected = [float(state.grad.norm()) for state in states]

    (found,) = through_time(model, x, y, task_of(data))
    np.testing.assert_allclose(found.norms, expected, **CLOSE)


def test_in_a_decoder_it_is_that_of_a_cell_unrolled_by_hand() -> None:
    data = made_up(9, tokens=20, task="translation")
    model = ex.build(ex.preset("seq2seq_rnn", data, width=8), data, seed=1).double().eval()
    x, y = data.test.inputs[:1], data.test.targets[:1]
    decoder, source, mask = model.decoder.grudecoder1, model.encoder(x), x != PAD
    share = mask[:, :, None] / mask.sum()
    state = torch.tanh(decoder.first((source * share).sum(1)))
    states, outputs = [], []
    for token in model.decoder.embedding1(y[0, :-1]):
        score = decoder.score(torch.tanh(decoder.query(state) + decoder.key(source)))[:, :, 0]  # (1, S)
        context = (score.masked_fill(~mask, -1e9).softmax(1)[:, :, None] * source).sum(1)
        state = decoder.cell(torch.cat([token[None], context], dim=1), state)
        state.retain_grad()
        states.append(state)
        outputs.append(model.decoder.output1(torch.cat([state, context], dim=1)))
    F.cross_entropy(torch.cat(outputs), y[0, 1:], ignore_index=PAD, reduction="sum").backward()
    expected = [0.0 if state.grad is None else float(state.grad.norm()) for state in states]

    found = through_time(model, x, y, task_of(data))

    assert [one.layer for one in found] == ["encoder.gru1.ahead1", "encoder.gru1.back1", "decoder.grudecoder1"]
    np.testing.assert_allclose(found[-1].norms, expected, **CLOSE)


@pytest.mark.parametrize(
    ("family", "data"),
    [
        ("rnn", made_up(1, 8, 8)),
        ("rnn", made_up(2, 18)),
        ("rnn", made_up(9, tokens=20, task="regression")),
        ("seq2seq_rnn", made_up(9, tokens=20, task="translation")),
    ],
)
def test_every_recurrent_layer_of_every_family_is_seen_and_the_model_left_as_it_was(
    family: str, data: ex.Dataset
) -> None:
    model = ex.build(ex.preset(family, data), data).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    found = through_time(model, data.test.inputs, data.test.targets, task_of(data))

    assert [one.layer for one in found] == recurrent_layers(model) != []
    assert all(one.norms.max() > 0 and np.isfinite(one.norms).all() for one in found)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize(("kind", "cls"), [("rnn", OneWayRNN), ("lstm", OneWayLSTM), ("gru", OneWayGRU)])
def test_unrolling_changes_no_answer(kind: str, cls: type[nn.Module]) -> None:
    data = made_up(9, tokens=20)
    model = network(kind, data, both_ways=True, layers=2)
    expected = model(data.train.inputs)
    names = recurrent_layers(model)

    with unrolled(model, names) as seen:
        torch.testing.assert_close(model(data.train.inputs), expected)

    assert all(isinstance(model.get_submodule(name), cls) for name in names)
    assert set(seen) == set(names)
    assert {len(states) for states in seen.values()} == {9}
    with pytest.raises(UnknownName, match="ahead9"), unrolled(model, ["rnn1.ahead9"]):
        pass


def test_a_model_without_time_says_so(cnn: nn.Module, digits: ex.Dataset) -> None:
    with pytest.raises(NotApplicable, match="no recurrent layer"):
        through_time(cnn, digits.test.inputs[:2], digits.test.targets[:2], task_of(digits))


def test_the_gradient_of_a_vanilla_rnn_vanishes_by_ten_powers_of_ten_more_than_an_lstms() -> None:
    data = ex.load_dataset("first_symbol")
    x, y = data.test.inputs[:8], data.test.targets[:8]
    left = {}
    for spec in vanishing().values():
        model, kind = ex.build(spec.model, data), spec.model.layers[1].kind
        (found,) = through_time(model, x, y, task_of(data))
        left[kind, 0] = found.norms[0] / found.norms[-1]
        for event in ex.train(model, data, spec.train):
            if isinstance(event, StepDone) and event.step == 20:
                break
        (found,) = through_time(model, x, y, task_of(data))
        left[kind, 20] = found.norms[0] / found.norms[-1]
    plain = ex.ModelSpec.of({"kind": "embedding", "size": 32}, {"kind": "lstm", "units": 64}, {"kind": "output"})
    (found,) = through_time(ex.build(plain, data), x, y, task_of(data))

    for step in (0, 20):
        assert left["rnn", step] < 1e-15
        assert left["lstm", step] > 1e-3
    assert found.norms[0] / found.norms[-1] < 1e-15, "with half-open forget gates an LSTM forgets as fast"
