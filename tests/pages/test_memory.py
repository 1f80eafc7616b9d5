"""What recurrent layers remember, on the page *Look inside*: what can be chosen, and that it is what is shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import load_dataset
from explorer.data.made import texts as texts_made
from explorer.probes import following, memory
from explorer.probes.recurrent import over_examples
from explorer.probes.similarity import by_similarity
from explorer.runs.replay import model_at
from explorer.runs.store import Run, RunStore
from tests.pages.conftest import drawn, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


@pytest.fixture(scope="module")
def names(train: Callable[..., Run]) -> Run:
    return train("rnn", "surnames", epochs=1, examples=320)


@pytest.fixture(scope="module")
def pairs(train: Callable[..., Run]) -> Run:
    return train("seq2seq_rnn", "phrases", epochs=1, examples=320)


def chosen(app: AppTest, label: str) -> object:
    return next(box for box in app.selectbox if box.label == label)


def test_a_gate_is_shown_in_reading_order_with_rows_that_are_alike_together(names: Run, store: RunStore) -> None:
    place = {"memory": "lstm1.back1", "part": "forget_gate", "example": "3"}
    app = healthy(open_page("look_inside", run=names.id, look="states", **place))
    data = load_dataset("surnames")
    model = model_at(store, names.id, store.snapshots.steps(names.id)[-1])
    found = memory(model, data.test.inputs[3:4], "lstm1.back1").parts

    cells = drawn(app, "states")

    order = by_similarity(found["hidden_state"])
    assert cells["y"] == [f"unit {unit}" for unit in order]
    np.testing.assert_allclose(cells["z"], found["forget_gate"].T[order], rtol=1e-5)
    assert (cells["zmin"], cells["zmax"]) == (0, 1)
    word = data.text(data.test.inputs[3])
    assert cells["x"] == [f"{place}: {letter}" for place, letter in enumerate(word)]
    chosen(app, "Order of units").set_value("number").run()
    assert drawn(healthy(app), "states")["y"] == [f"unit {unit}" for unit in range(64)]
    assert app.query_params["order"] == "number"


def test_the_unit_that_is_followed_is_in_the_link_and_all_its_parts_are_drawn(names: Run) -> None:
    app = healthy(open_page("look_inside", run=names.id, look="states", unit="17"))
    assert app.query_params["unit"] == "17"
    assert drawn(app, "unit-over-time")["name"] == "Hidden state"
    number = next(box for box in app.number_input if box.label.startswith("Unit"))
    number.set_value(5).run()
    assert healthy(app).query_params["unit"] == "5"


def test_of_a_translator_encoder_and_decoder_are_shown_with_what_each_reads(pairs: Run) -> None:
    data = load_dataset("phrases")
    app = healthy(open_page("look_inside", run=pairs.id, look="states", memory="decoder.grudecoder1"))
    written = [data.target_vocabulary[token] for token in data.test.targets[0, :-1].tolist() if token]
    cells = drawn(app, "states")
    assert len(cells["x"]) == len(written)
    assert cells["x"][0] == "0: &lt;start&gt;"
    assert np.abs(cells["z"]).max() <= 1
    app = healthy(open_page("look_inside", run=pairs.id, look="through_time"))
    assert all(f"**{layer}:**" in texts(app) for layer in ("encoder.gru1, ahead", "encoder.gru1, back"))
    assert "**decoder.grudecoder1:**" in texts(app)


def test_found_units_are_those_of_the_probe_over_as_many_examples_as_is_said(names: Run, store: RunStore) -> None:
    app = healthy(open_page("look_inside", run=names.id, look="finder", find="text", text="an"))
    data = load_dataset("surnames")
    model = model_at(store, names.id, store.snapshots.steps(names.id)[-1])
    values = over_examples(model, data.test.inputs[:200], "lstm1.ahead1")
    marks = []
    for row in range(200):
        name, mark = data.text(data.test.inputs[row]), np.zeros(len(values[row]), dtype=bool)
        for start in range(len(name)):
            if name.startswith("an", start):
                mark[start : start + 2] = True
        marks.append(mark)
    expected = following(values, marks)

    bars = drawn(app, "finder")

    assert bars["y"] == [f"unit {unit}" for unit in expected.ranked[:16]]
    np.testing.assert_allclose(bars["x"], expected.r[expected.ranked[:16]], rtol=1e-5)
    assert "Over 200 examples of the test split" in texts(app)
    assert f"at {expected.marked:,} of {expected.places:,} places" in texts(app)
    assert f"|r| = {expected.scattered:.2f}" in texts(app)
    first = chosen(app, "Unit, from the one that follows it most").options[0]
    assert first == f"{expected.ranked[0]}: r = {expected.r[expected.ranked[0]]:.3f}".replace("-", "−")


@pytest.mark.parametrize("text", ["qqqqq", "(a+)+$", "   ", "\x00", "%" * 90])
def test_a_text_that_is_nowhere_is_said_and_nothing_breaks(names: Run, text: str) -> None:
    app = healthy(open_page("look_inside", run=names.id, look="finder", find="text", text=text))
    healthy(open_page("look_inside", run=names.id, look="finder", find="text", text=text, steps="True"))
    if text in ("qqqqq", "(a+)+$"):
        assert "at none of the" in texts(app)


@pytest.mark.parametrize("span", ["3-9", "9-3", "0-99999", "x", "-1-4"])
def test_a_span_from_a_link_is_kept_within_the_places(names: Run, span: str) -> None:
    app = healthy(open_page("look_inside", run=names.id, look="finder", find="span", span=span, example="3"))
    low, high = app.slider[0].value
    assert 0 <= low <= high <= app.slider[0].max
    if span == "3-9":
        assert low == 3
    else:
        assert len([one for one in app.warning if "asks for places" in one.value]) == 1


def test_a_part_that_a_layer_does_not_have_is_one_line(train: Callable[..., Run]) -> None:
    run = train("rnn", "mnist1d", epochs=1, examples=320)
    app = healthy(open_page("look_inside", run=run.id, look="states", part="cell_state"))
    assert [read(one.value) for one in app.warning] == [
        "The link asks for part 'cell_state', which is not here; hidden_state is shown."
    ]


def test_several_steps_have_one_scale_and_one_order_of_units(names: Run, store: RunStore) -> None:
    app = healthy(open_page("look_inside", run=names.id, look="states", part="cell_state", steps="True"))
    steps = store.snapshots.steps(names.id)
    first, last = (drawn(app, f"states-at-{step}") for step in (steps[0], steps[-1]))
    assert first["y"] == last["y"]
    assert first["zmax"] == last["zmax"] >= np.abs(last["z"]).max() * (1 - 1e-6)
    assert not np.allclose(first["z"], last["z"])


@pytest.mark.parametrize(
    ("family", "data", "why"), [("cnn", "digits", "whole input"), ("transformer", "digits", "all places")]
)
def test_where_nothing_is_remembered_it_says_why(train: Callable[..., Run], family: str, data: str, why: str) -> None:
    run = train(family, data, epochs=1, examples=320)
    said = texts(healthy(open_page("look_inside", run=run.id)))
    for title in ("Hidden states", "Unit finder", "Gradient through time"):
        assert f"**{title}**: it sees {'its ' if 'whole' in why else ''}{why} at once" in said


@pytest.mark.parametrize("look", ["states", "finder", "through_time"])
def test_a_changed_copy_is_what_is_read_also_where_a_translator_writes_its_own(
    names: Run, pairs: Run, look: str
) -> None:
    text = texts_made.code_of(load_dataset("surnames"), "anna")
    app = healthy(open_page("look_inside", run=names.id, look=look, example="3", made=text, find="text", text="nn"))
    if look == "states":
        assert drawn(app, "states")["x"] == ["0: a", "1: n", "2: n", "3: a"]
    elif look == "finder":
        assert "In this example: 2 of 4 places" in texts(app)
    else:
        assert "this is the example as it was" in texts(app)
    source = texts_made.code_of(load_dataset("phrases"), "Delete the file")
    for layer in ("encoder.gru1.back1", "decoder.grudecoder1"):
        healthy(open_page("look_inside", run=pairs.id, look=look, memory=layer, made=source, find="first"))
