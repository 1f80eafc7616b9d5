"""Pages on a server with runs of every sort."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import numpy as np
import pytest

import explorer as ex
from explorer.data import load_dataset
from explorer.runs.store import Run, RunStore, Status
from tests.pages.conftest import PAGES, drawn, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


@pytest.fixture(scope="module")
def runs(store: RunStore, train: Callable[..., Run]) -> dict[str, Run]:
    return {
        "mlp": train("mlp", epochs=2),
        "failed": train("cnn", epochs=2, learning_rate=1e9, optimizer="sgd"),
        "seq2seq_rnn": train("seq2seq_rnn", "phrases", epochs=1, examples=320),
        "cnn": train("cnn", epochs=3),
    }


@pytest.mark.parametrize("family", ["mlp", "cnn", "seq2seq_rnn"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_draws_a_finished_run(runs: dict[str, Run], name: str, family: str) -> None:
    healthy(open_page(name, run=runs[family].id))


def test_a_failed_run_says_why_and_its_last_weights_can_be_looked_at(runs: dict[str, Run]) -> None:
    app = open_page("train", run=runs["failed"].id)
    assert not app.exception
    assert "learning rate 1e+09" in read(app.error[0].value)
    healthy(open_page("look_inside", run=runs["failed"].id))


def test_the_lens_in_a_link_opens_exactly_that_view(runs: dict[str, Run], store: RunStore) -> None:
    steps = store.snapshots.steps(runs["cnn"].id)
    app = open_page("attributions", run=runs["cnn"].id, step=str(steps[3]), split="validation", example="7", target="4")
    healthy(app)
    assert "Validation example **7**" in texts(app)
    assert f"step {steps[3]} of {steps[-1]}" in texts(app)
    assert app.query_params["example"] == "7"
    assert app.query_params["target"] == "4"


def test_the_pages_show_what_the_library_says_of_the_same_run_step_split_example_and_class(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, (split, example, target) = runs["cnn"].id, ("validation", 7, 4)
    step = store.snapshots.steps(run)[3]
    model, x = ex.model_at(store, run, step), ex.load_dataset("digits").validation.inputs[example : example + 1]
    place = {"run": run, "step": str(step), "split": split, "example": str(example), "target": str(target)}

    methods = ("saliency", "integrated_gradients", "grad_cam", "occlusion")
    app = healthy(open_page("attributions", **place, part="beside", methods=",".join(methods)))
    shown = ex.predict(model, x).probabilities
    np.testing.assert_allclose(drawn(app, "probabilities")["x"], shown, atol=1e-6)
    values = drawn(app, "why")["customdata"]
    tiles = sorted(values[~np.isnan(values)])
    expected = [ex.attribute(method, model, x, target).values for method in methods]
    np.testing.assert_allclose(tiles, sorted(np.concatenate([v.ravel() for v in expected])), atol=1e-5)

    app = healthy(open_page("look_inside", **place))
    maps = drawn(app, "layers")["z"]
    np.testing.assert_allclose(
        sorted(maps[~np.isnan(maps)]), sorted(ex.feature_maps(model, x, "conv1").values.ravel()), atol=1e-5
    )


def test_of_two_runs_with_one_name_the_one_in_the_link_is_shown(train: Callable[..., Run], store: RunStore) -> None:
    older, newer = train("mlp", epochs=1), train("mlp", epochs=1)
    for run in (older, newer):
        store.rename(run.id, "same name")
    app = healthy(open_page("look_inside", run=older.id))
    app.button(key="Next-example").click().run()
    assert app.query_params["run"] == older.id
    box = next(box for box in app.selectbox if box.label == "Run")
    box.select(newer.id).run()
    assert healthy(app).query_params["run"] == newer.id


def test_a_number_beyond_the_data_is_brought_within(runs: dict[str, Run]) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, example="999999", step="999999", target="55"))
    assert f"Test example **{len(load_dataset('digits').test) - 1}**" in texts(app)


def test_next_and_previous_move_the_lens_on_every_page(runs: dict[str, Run]) -> None:
    app = open_page("look_inside", run=runs["cnn"].id)
    app.button(key="Next-example").click().run()
    assert "Test example **1**" in texts(healthy(app))
    app.switch_page("../pages/attributions.py").run()
    assert "Test example **1**" in texts(healthy(app))
    app.button(key="Previous-example").click().run()
    assert "Test example **0**" in texts(healthy(app))
    assert app.button(key="Previous-example").disabled


def test_the_step_slider_is_time_travel(runs: dict[str, Run], store: RunStore) -> None:
    app = open_page("look_inside", run=runs["cnn"].id)
    next(slider for slider in app.select_slider if slider.label == "Step").set_value(0).run()
    last = store.snapshots.steps(runs["cnn"].id)[-1]
    assert f"step 0 of {last}" in texts(healthy(app))


@pytest.mark.parametrize("layer", ["conv2", "relu1", "maxpool1", "flatten1", "linear1", "output1"])
def test_any_layer_can_be_looked_at(runs: dict[str, Run], layer: str) -> None:
    app = open_page("look_inside", run=runs["cnn"].id)
    app.segmented_control(key="option-layer-0").set_value(layer).run()
    healthy(app)


def test_a_method_that_does_not_apply_says_why(runs: dict[str, Run]) -> None:
    app = healthy(open_page("attributions", run=runs["mlp"].id))
    assert "it needs a convolution" in texts(app)


def test_a_damaged_snapshot_is_one_clear_message(train: Callable[..., Run], store: RunStore) -> None:
    run = train("mlp", epochs=1)
    last = store.snapshots.steps(run.id)[-1]
    path = store.snapshots.folder / run.id / f"{last:09d}.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    for name in ("look_inside", "attributions"):
        app = open_page(name, run=run.id)
        assert not app.exception
        assert [f"The weights of step {last} are damaged" in error.value for error in app.error] == [True]


def test_a_damaged_row_is_listed_with_the_others_and_can_be_deleted(train: Callable[..., Run], store: RunStore) -> None:
    run = train("mlp", epochs=1)
    with sqlite3.connect(store.home / "runs.sqlite") as database:
        database.execute("UPDATE runs SET spec = '{broken' WHERE id = ?", (run.id,))
    for name in PAGES:
        app = open_page(name, run=run.id)
        assert not app.exception, name
    app = healthy(open_page("runs"))
    assert "damaged" in texts(app)
    app.button(key=f"delete-{run.id}").click().run()
    app.button(key="confirm-delete").click().run()
    assert store.find(run.id) is None
    healthy(open_page("runs"))


def test_a_run_can_be_renamed_and_its_name_is_shown_as_it_is(train: Callable[..., Run], store: RunStore) -> None:
    run = train("mlp", epochs=1)
    app = open_page("runs")
    app.text_input(key=f"name-{run.id}").set_value("**bold** <b>my</b> run").run()
    healthy(app)
    assert store.get(run.id).title == "**bold** <b>my</b> run"
    assert any(r"\*\*bold\*\* \<b\>my\</b\> run" in element.value for element in app.markdown)
    app.text_input(key=f"name-{run.id}").set_value("  ").run()
    assert "name is empty" in texts(app)


def test_delete_asks_first_and_two_at_once_is_no_error(train: Callable[..., Run], store: RunStore) -> None:
    run = train("mlp", epochs=1)
    first, second = open_page("runs"), open_page("runs")
    first.button(key=f"delete-{run.id}").click().run()
    second.button(key=f"delete-{run.id}").click().run()
    assert store.get(run.id).status is Status.FINISHED
    first.button(key="confirm-delete").click().run()
    second.button(key="confirm-delete").click().run()
    assert store.find(run.id) is None
    healthy(first)
    healthy(second)


def test_deleting_the_run_one_looks_at_is_not_taken_for_a_broken_link(train: Callable[..., Run]) -> None:
    run = train("mlp", epochs=1)
    app = open_page("runs", run=run.id)
    app.button(key=f"delete-{run.id}").click().run()
    app.button(key="confirm-delete").click().run()
    assert not healthy(app).toast
