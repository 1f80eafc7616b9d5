"""The live microscope on the Train page, over runs of every family."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.data import load_dataset
from explorer.probes import right_tokens
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore, Status
from explorer.specs import RunSpec, TrainSpec
from explorer.views import results
from tests.pages.conftest import drawn, healthy, open_page, read, texts

FAMILIES = {
    "cnn": ("digits", "conv1"),
    "rnn": ("surnames", "lstm1.ahead1"),
    "attention": ("surnames", "selfattention1.weights"),
    "transformer": ("digits", "transformer2.attention.weights"),
    "seq2seq_transformer": ("phrases", "decoder.decoderblock2.cross_attention.weights"),
    "mlp": ("diabetes", "linear1"),
}
"""Data set of each, and what is seen of it at first."""


@pytest.fixture(scope="module")
def trained(store: RunStore) -> Callable[[str], Run]:
    """A run of a family on its first few examples, trained when it is first asked for."""
    runs: dict[str, Run] = {}

    def trained(family: str) -> Run:
        if family not in runs:
            name = FAMILIES[family][0]
            model, train = ex.preset(family, load_dataset(name), width=16), TrainSpec(epochs=1, batch_size=16)
            spec = RunSpec(dataset=name, model=model, family=family, train=train, examples=64)
            with store.owners.hold() as owner:
                run = submit(store, spec, owner=owner)
                runs[family] = execute(store, run, owner)
        return runs[family]

    return trained


def opened(run: Run, **query: str) -> AppTest:
    app = healthy(open_page("train", run=run.id, **query))
    return healthy(app.toggle(key="microscope-open-toggle").set_value(True).run())


def sliders(app: AppTest) -> list:
    """The slider of the steps in the sidebar, if it is there."""
    return [slider for slider in app.select_slider if slider.key.startswith("lens-step")]


def traces(app: AppTest, key: str) -> list[dict]:
    spec = next(chart.proto.spec for chart in app.get("plotly_chart") if chart.proto.id.endswith(f"-{key}"))
    return json.loads(spec)["data"]


@pytest.mark.parametrize("family", FAMILIES)
def test_it_opens_for_every_family_at_the_place_that_tells_most(
    trained: Callable[[str], Run], store: RunStore, family: str
) -> None:
    run = trained(family)
    app = opened(run)
    step, (name, place) = store.snapshots.steps(run.id)[-1], FAMILIES[family]
    chosen = next(box for box in app.selectbox if box.label == "Look at")
    assert chosen.value == place
    model, test = ex.model_at(store, run.id, step), load_dataset(name).test
    more = (test.targets[:1, :-1],) if family.startswith("seq2seq") else ()
    with ex.capture(model, [place]) as seen:
        model(test.inputs[:1], *more)
    shown = drawn(app, "maps")
    known = seen[place][0].numpy()  # of attention in heads their mean is drawn; padding is not drawn
    known = known.mean(axis=0) if known.ndim == 3 and "weights" in place else known
    values = np.asarray(shown["y"] if family == "mlp" else shown["z"], dtype=float)
    for value in values[~np.isnan(values)][:: max(1, values.size // 20)]:
        assert np.abs(known - value).min() < 1e-5
    assert f"step {step} of {step}" in texts(app)


def test_the_line_is_how_right_it_was_at_each_kept_step(trained: Callable[[str], Run], store: RunStore) -> None:
    digits = load_dataset("digits")
    run, x, truth = trained("cnn"), digits.test.inputs[2:3], int(digits.test.targets[2])
    bars, line = traces(opened(run, example="2"), "answer")
    steps = store.snapshots.steps(run.id)
    expected = [ex.predict(ex.model_at(store, run.id, step), x).probabilities for step in steps]
    assert line["x"] == steps
    np.testing.assert_allclose(line["y"], [shares[truth] for shares in expected], atol=1e-6)
    np.testing.assert_allclose(drawn(opened(run, example="2"), "answer")["x"], expected[-1], atol=1e-6)
    assert bars["y"][truth] == f"{truth} (true)"


def test_a_translator_writes_and_the_line_is_its_right_tokens(trained: Callable[[str], Run], store: RunStore) -> None:
    run, test = trained("seq2seq_transformer"), load_dataset("phrases").test
    app = opened(run)
    last = store.snapshots.steps(run.id)[-1]
    shares = right_tokens(ex.model_at(store, run.id, last), test.inputs[:1], test.targets[:1])
    assert traces(app, "answer")[0]["y"][-1] == pytest.approx(float(shares.mean()), abs=1e-6)
    assert f"Right is: **{load_dataset('phrases').answer(test.targets[0])}**" in read(texts(app))


def test_it_is_closed_at_first_and_costs_nothing_then(
    trained: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("worked out for nobody")

    monkeypatch.setattr(results, "seen", fail)
    monkeypatch.setattr(results, "rightness", fail)
    app = healthy(open_page("train", run=trained("cnn").id))
    assert not app.toggle(key="microscope-open-toggle").value
    assert not [box for box in app.number_input if box.key.startswith("lens-example")]


def test_the_step_in_the_sidebar_is_marked_on_the_curves_of_a_run_that_is_over(trained: Callable[[str], Run]) -> None:
    run = trained("cnn")
    app = healthy(open_page("train", run=run.id))

    def rules() -> list[float]:
        spec = next(one.proto.spec for one in app.get("plotly_chart") if one.proto.id.endswith(f"-loss-{run.id}"))
        return [shape["x0"] for shape in json.loads(spec)["layout"].get("shapes", [])]

    (slider,) = sliders(app)
    assert (slider.value, rules()) == (run.step, [])
    slider.set_value(1).run()
    assert rules() == [1]
    assert healthy(app).query_params["step"] in ("1", ["1"])


def test_place_and_example_are_chosen_there_and_remembered_when_the_page_is_left(trained: Callable[[str], Run]) -> None:
    app = opened(trained("cnn"))
    app.button(key="Next-example").click().run()
    assert "Test example **1**" in texts(healthy(app))
    number = next(box for box in app.number_input if box.key.startswith("microscope-example"))
    number.set_value(7).run()
    assert "Test example **7**" in texts(healthy(app))
    assert app.query_params["example"] == "7"
    next(box for box in app.selectbox if box.label == "Look at").select("relu2").run()
    app.switch_page("../pages/runs.py").run()
    app.switch_page("../pages/train.py").run()
    assert next(box for box in healthy(app).selectbox if box.label == "Look at").value == "relu2"
    assert "Test example **7**" in texts(app)


def test_while_a_run_goes_on_it_shows_the_newest_weights_and_afterwards_the_step_of_the_slider(
    trained: Callable[[str], Run], store: RunStore
) -> None:
    spec = trained("cnn").spec
    weights = [store.snapshots.load(trained("cnn").id, step) for step in (0, 1, 2)]
    with store.owners.hold() as owner:
        run = submit(store, spec, owner=owner)
        app = healthy(open_page("train", run=run.id, step="0"))
        app.toggle(key="microscope-open-toggle").set_value(True).run()
        assert "something to see as soon as" in texts(healthy(app))
        for step, state in enumerate(weights):
            store.snapshots.save(run.id, step, state)
            assert f"step {step} of {run.total_steps}" in texts(healthy(app.run()))
        newest = "answer" if len(weights) % 2 else "answer-again"  # two charts take turns
        assert traces(app, newest)[1]["x"] == [0, 1, 2]
        assert not sliders(app)
        store.snapshots.drop(run.id, 1)  # thinned out
        store.report(run.id, owner, reason="The last change was not made. It is too late.")
        assert [read(one.value) for one in healthy(app.run()).warning] == [store.get(run.id).reason]
        store.end(run.id, Status.FINISHED)
    app.run()
    (slider,) = sliders(healthy(app))
    assert slider.value == 0
    assert "step 0 of 2" in texts(app)
    slider.set_value(2).run()
    assert "step 2 of 2" in texts(healthy(app))
