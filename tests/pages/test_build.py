"""Building a model: every edit is kept, every problem is said."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import load_dataset
from explorer.models import LAYERS, preset
from explorer.runs.execute import submit
from explorer.runs.store import RunStore
from explorer.specs import ModelSpec, RunSpec
from explorer.views import links
from tests.pages.conftest import healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


def layers(app: AppTest) -> list[str]:
    """Labels of the layer list."""
    return [button.label for button in app.button if (button.key or "").startswith("layer-")]


def click(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def open_layer(app: AppTest, number: int) -> AppTest:
    key = next(b.key for b in app.button if (b.key or "").startswith("layer-") and b.key.endswith(f"-{number - 1}"))
    return click(app, key)


def add(app: AppTest, kind: str) -> AppTest:
    return next(box for box in app.selectbox if box.label.startswith("Add ")).select(kind).run()


def choose_dataset(app: AppTest, name: str) -> AppTest:
    return next(control for control in app.selectbox if control.label == "Data set").select(name).run()


@pytest.fixture
def app(store: RunStore) -> AppTest:
    return healthy(open_page("build"))


def test_the_starter_shows_each_layers_name_shape_and_weights(app: AppTest) -> None:
    assert layers(app)[0] == "1. conv1 → 16×8×8 · 160 weights"
    assert layers(app)[-1] == "11. output1 → 10 · 650 weights"
    assert [metric.value for metric in app.metric][:2] == ["38,378", "338 k"]


def test_another_data_set_sizes_the_starter_anew(app: AppTest) -> None:
    choose_dataset(app, "mnist5k")
    assert layers(healthy(app))[0].startswith("1. conv1 → 16×28×28")


def test_an_edited_model_is_kept_when_the_data_set_changes(app: AppTest) -> None:
    click(app, "tool-Duplicate")
    count = len(layers(app))
    choose_dataset(app, "mnist5k")
    assert len(layers(app)) == count


@pytest.mark.parametrize("name", ["digits", "mnist1d", "phrases", "breast_cancer", "diabetes"])
def test_the_examples_of_a_data_set_are_shown_to_those_who_open_them(app: AppTest, name: str) -> None:
    choose_dataset(app, name)
    assert "Licence:" not in texts(healthy(app))
    app.session_state["data-examples"] = True
    app.run()
    assert "Licence:" in texts(healthy(app))
    shown = {chart.proto.id.rsplit("-", 2)[-2] for chart in app.get("plotly_chart")}
    assert {"balance"} <= shown
    assert ("samples" in shown) != bool(app.dataframe)


@pytest.mark.parametrize("kind", list(LAYERS))
def test_every_kind_of_layer_can_be_added_and_taken_back(app: AppTest, kind: str) -> None:
    if LAYERS[kind].crosses:
        choose_dataset(app, "phrases")
        open_layer(app, len(layers(app)) - 1)
    before = layers(app)
    if "vector" in LAYERS[kind].accepts and "image" not in LAYERS[kind].accepts:
        open_layer(app, 8)  # after the flatten layer
    add(app, kind)
    assert not app.exception
    assert len(layers(app)) == len(before) + 1
    click(app, "undo")
    assert layers(app) == before
    click(app, "redo")
    assert len(layers(app)) == len(before) + 1


def test_a_translator_has_two_columns_that_are_edited_apart(app: AppTest) -> None:
    choose_dataset(app, "phrases")
    healthy(app)
    encoder = [b.label for b in app.button if (b.key or "").startswith("layer-")][:5]
    assert encoder[0].startswith("1. embedding1 → 17×64")
    assert len(layers(app)) == 11
    open_layer(app, 5)  # the end of the encoder
    add(app, "dropout")
    assert layers(app)[5].startswith("6. dropout1")
    assert app.button(key="tool-Down").disabled
    open_layer(app, 7)  # the beginning of the decoder
    assert app.button(key="tool-Up").disabled
    click(app, "tool-Remove")
    assert len(layers(app)) == 11
    assert "decoder" in read(app.error[0].value) or "tokens" in read(app.error[0].value)
    click(app, "undo")
    healthy(app)


def test_a_family_that_does_not_fit_the_data_makes_way_for_one_that_does(app: AppTest) -> None:
    choose_dataset(app, "phrases")
    assert {b.key for b in app.button if (b.key or "").startswith("start-")} >= {"start-seq2seq_rnn"}
    choose_dataset(app, "mnist5k")
    assert layers(healthy(app))[0].startswith("1. conv1")


def test_layers_move_duplicate_and_go(app: AppTest) -> None:
    first, second = layers(app)[:2]
    click(app, "tool-Down")
    assert "batchnorm1" in layers(app)[0]
    assert "conv1" in layers(app)[1]
    click(app, "tool-Up")
    assert layers(app)[:2] == [first, second]
    click(app, "tool-Duplicate")
    assert "conv2" in layers(app)[1]
    click(app, "tool-Remove")
    assert layers(app)[:2] == [first, second]


def test_a_field_edit_is_followed_at_once(app: AppTest) -> None:
    field = next(n for n in app.number_input if n.label == "Channels")
    field.set_value(8).run()
    assert layers(healthy(app))[0] == "1. conv1 → 8×8×8 · 80 weights"


def test_a_model_that_cannot_work_says_which_layer_and_keeps_the_rest(app: AppTest) -> None:
    open_layer(app, 8)
    click(app, "tool-Remove")  # without flatten the linear layer gets an image
    assert not app.exception
    assert "Layer 8 (linear)" in read(app.error[0].value)
    assert "Flatten" in app.error[0].value
    assert len(layers(app)) == 10
    assert app.button(key="train-draft").disabled
    click(app, "undo")
    healthy(app)


def test_every_layer_can_be_removed_and_the_empty_model_says_what_to_do(app: AppTest) -> None:
    for _ in range(11):
        click(app, "tool-Remove")
        assert not app.exception
    assert "no layers yet" in texts(app)
    add(app, "flatten")
    add(app, "output")
    healthy(app)


@pytest.mark.parametrize("view", ["Picture", "Table", "PyTorch source"])
def test_the_model_is_a_picture_a_table_and_source(app: AppTest, view: str) -> None:
    app.segmented_control(key="model-view").set_value(view).run()
    healthy(app)
    if view == "PyTorch source":
        assert "nn.Conv2d(1, 16, 3, padding=1)" in app.code[0].value
    if view == "Table":
        assert next(iter(app.dataframe[0].value["layer"])) == "conv1"


def test_a_link_opens_the_same_model(store: RunStore) -> None:
    model = ModelSpec.of({"kind": "flatten"}, {"kind": "linear", "units": 7}, {"kind": "output"})
    app = healthy(open_page("build", data="mnist5k", model=links.encode(model)))
    assert layers(app) == ["1. flatten1 → 784", "2. linear1 → 7 · 5,495 weights", "3. output1 → 10 · 80 weights"]
    assert app.query_params["data"] == "mnist5k"


def test_a_reload_keeps_what_is_looked_at_as_well(store: RunStore) -> None:
    spec = RunSpec(dataset="digits", model=preset("mlp", load_dataset("digits")))
    run = submit(store, spec)
    app = healthy(open_page("build", run=run.id, example="7", step="3", made="x" * 1000))
    assert {"run": run.id, "example": "7", "step": "3", "data": "digits"}.items() <= dict(app.query_params).items()
    assert app.query_params["model"]
    assert len(app.query_params["made"]) == 1000
    long = healthy(open_page("build", run=run.id, example="7", made="x" * 1800))
    assert "made" not in long.query_params
    assert long.query_params["run"] == run.id
    store.delete(run.id)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"kind": "teleport"}, "no layer called"),
        ({"kind": "conv", "channels": -3}, "channels"),
        ({"kind": "conv", "kernel": 10**30}, "kernel"),
        ({"kind": "conv", "wings": 2}, "no field"),
        ({"kind": "conv", "channels": "many"}, "channels"),
        ({"kind": "conv", "channels": "**x**![y](http://example.com/z.png)"}, "channels"),
        ({"kind": "**x** <b>"}, "no layer called"),
        ({"kind": "dropout", "share": True}, "share"),
    ],
)
def test_a_wrong_layer_in_a_link_is_kept_and_explained(store: RunStore, layer: dict, said: str) -> None:
    app = open_page("build", data="digits", model=links.encode(ModelSpec.of(layer, {"kind": "output"})))
    assert not app.exception
    assert said in read(app.error[0].value)
    assert "**x**" not in app.error[0].value, "what a link says is never markup"
    assert len(layers(app)) == 2
    click(app, "tool-Remove")
    assert not app.exception
    assert len(layers(app)) == 1


def test_a_link_that_unpacks_to_gigabytes_is_refused(store: RunStore) -> None:
    import base64
    import zlib

    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 50_000_000, 9)).decode()
    app = healthy(open_page("home", data="digits", model=bomb))
    assert any("too large" in toast.value for toast in app.toast)
    app.switch_page("../pages/build.py").run()
    assert len(layers(healthy(app))) == 11
