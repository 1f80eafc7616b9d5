"""The looks at the space of a layer, its words, its weights, and at the model without parts of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.data import dataset_of
from explorer.models import plan
from explorer.probes.ablation import Part, scores
from explorer.probes.distribution import activities
from explorer.probes.representation import represent
from explorer.probes.space import distances, nearest, pca
from explorer.runs.store import Run, RunStore
from tests.pages.conftest import array, drawn, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


@pytest.fixture(scope="module")
def run(train: Callable[..., Run]) -> Run:
    return train("cnn", "digits", epochs=1)


@pytest.fixture(scope="module")
def text_run(train: Callable[..., Run]) -> Run:
    return train("mlp", "evidence_words", epochs=1)


def waited(app: AppTest, key: str) -> AppTest:
    """The page once the work that was started there is done."""
    end = time.monotonic() + 60
    while any(button.key == key for button in app.button):
        assert time.monotonic() < end
        time.sleep(0.1)
        app.run()
    return healthy(app)


def relu3(run: Run, store: RunStore, step: int) -> np.ndarray:
    dataset = dataset_of(run.spec)
    layer = next(one for one in plan(run.spec.model, dataset).layers if one.name == "relu3")
    rows = range(len(dataset.test))
    return represent(ex.model_at(store, run.id, step), dataset, "test", rows, layer, "flattened").values


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def points(figure: dict) -> dict[int, tuple[float, float]]:
    """Where each example lies in a figure."""
    found = {}
    for trace in figure["data"]:
        if trace.get("showlegend", True):
            numbers = [number for (number,) in trace["customdata"]]
            found |= dict(zip(numbers, zip(array(trace["x"]), array(trace["y"]), strict=True), strict=True))
    return found


def test_all_steps_lie_on_the_components_of_the_last(run: Run, store: RunStore) -> None:
    first, last = (store.snapshots.steps(run.id)[n] for n in (0, -1))
    basis, values = pca(relu3(run, store, last)), relu3(run, store, first)

    app = healthy(open_page("look_inside", run=run.id, look="space", layer="relu3", step=str(first)))

    found = points(charts(app)[-1])
    expected = basis.points(values)
    np.testing.assert_allclose([found[row] for row in range(len(values))], expected[:, :2], atol=1e-4)
    held = basis.explained(values)[:2].sum()
    assert f"of the last step, {last}, for all steps; they hold {held:.0%} of the variance" in texts(app)


def test_the_neighbours_are_the_nearest_in_the_layer_itself(run: Run, store: RunStore) -> None:
    step = store.snapshots.steps(run.id)[-1]
    values = relu3(run, store, step)
    wanted = nearest(distances(values, values[5], "euclidean"), 12, leave_out=5).tolist()

    app = open_page("look_inside", run=run.id, look="space", layer="relu3", near="euclidean", example="5")

    tiles = [button.key for button in healthy(app).button if button.key.startswith("tile-")]
    assert [int(key.rpartition("-")[2]) for key in tiles] == wanted


def test_in_three_dimensions_a_point_is_chosen_from_a_list(run: Run) -> None:
    app = healthy(open_page("look_inside", run=run.id, look="space", layer="relu3", axes="3", example="5"))
    box = next(one for one in app.selectbox if one.label == "Look at another point")
    assert box.value == 5
    box.set_value(17).run()
    assert healthy(app).query_params["example"] == "17"
    assert "**Nearest to example 17** in relu3" in texts(app)


def test_t_sne_is_worked_out_when_it_is_asked_for_and_kept(run: Run) -> None:
    place = {"run": run.id, "look": "space", "way": "tsne", "perplexity": "5"}
    app = healthy(open_page("look_inside", **place))
    assert not any("t-SNE" in chart["layout"]["title"]["text"] for chart in charts(app))
    app.button(key="start-space").click().run()

    waited(app, "stop-space")

    assert charts(app)[-1]["layout"]["title"]["text"] == "relu3: 269 examples by t-SNE"
    assert "distances between clusters, their sizes and the axes mean nothing" in texts(app)
    other = healthy(open_page("look_inside", **place))  # somebody else
    assert points(charts(other)[-1]) == points(charts(app)[-1])


def test_a_t_sne_that_is_stopped_can_be_started_again(run: Run) -> None:
    app = healthy(open_page("look_inside", run=run.id, look="space", way="tsne", seed="7"))
    app.button(key="start-space").click().run()
    app.button(key="stop-space").click().run()

    assert app.button(key="start-space")
    assert not [button for button in healthy(app).button if button.key == "stop-space"]


def test_a_channel_that_is_off_changes_the_numbers_as_the_library_says(run: Run, store: RunStore) -> None:
    dataset = dataset_of(run.spec)
    model, part = ex.model_at(store, run.id, store.snapshots.steps(run.id)[-1]), Part("relu1", "channel", 16)
    whole, without = (
        scores(model, dataset, "test", np.arange(len(dataset.test)), off)["accuracy"]
        for off in ([], [(part, [2, 3, 4], None)])
    )

    app = healthy(open_page("look_inside", run=run.id, look="ablation", layer="relu1", off="relu1:2-4"))

    metric = next(one for one in app.metric if one.label == "Accuracy")
    assert (metric.value, metric.delta) == (f"{without:.1%}", f"{100 * (without - whole):+.1f} points")
    assert charts(app)[-1]["layout"]["title"]["text"] == "Without channels 2, 3, 4 of relu1"
    app.multiselect[0].set_value([3]).run()
    assert app.query_params["off"] == "relu1:3"
    assert charts(healthy(app))[-1]["layout"]["title"]["text"] == "Without channel 3 of relu1"


def test_units_of_several_layers_are_off_together_until_all_are_switched_on(run: Run, store: RunStore) -> None:
    model, digits = ex.model_at(store, run.id, store.snapshots.steps(run.id)[-1]), dataset_of(run.spec)
    handles = []
    for layer, off in ((model.relu1, [2, 3, 4, 6]), (model.relu2, [5])):
        kept = torch.ones(1, len(getattr(model, "batchnorm1" if layer is model.relu1 else "batchnorm2").weight), 1, 1)
        kept[:, off] = 0
        handles.append(layer.register_forward_hook(lambda _module, _given, out, kept=kept: out * kept))
    with torch.no_grad():
        right = (model(digits.test.inputs).argmax(1) == digits.test.targets).float().mean().item()
    for handle in handles:
        handle.remove()

    app = healthy(open_page("look_inside", run=run.id, look="ablation", layer="relu2", off="relu1:2-4,6;relu2:5"))

    assert next(one for one in app.metric if one.label == "Accuracy").value == f"{right:.1%}"
    assert charts(app)[-1]["layout"]["title"]["text"] == "Without 4 channels of relu1 and channel 5 of relu2"
    assert "Off elsewhere: 4 channels of relu1." in texts(app)
    app.multiselect[0].set_value([5, 9]).run()
    assert app.query_params["off"] == "relu1:2-4,6;relu2:5,9"
    app.button(key="ablation-on").click().run()
    assert "off" not in healthy(app).query_params
    assert charts(app)[-1]["layout"]["title"]["text"] == "Nothing is off"


@pytest.mark.parametrize("off", ["relu9:1", "relu1:99", "relu1", "relu1:1-x"])
def test_what_cannot_be_switched_off_is_said_in_one_line(run: Run, off: str) -> None:
    app = healthy(open_page("look_inside", run=run.id, look="ablation", layer="relu1", off=off))

    assert [read(one.value) for one in app.warning] == [f"The link's off {off!r} is not here, or not all of it."]
    assert "off" not in app.query_params


def test_every_channel_is_ranked(run: Run) -> None:
    app = healthy(open_page("look_inside", run=run.id, look="ablation", layer="relu1"))
    app.button(key="start-ranking").click().run()

    waited(app, "stop-ranking")

    bars = charts(app)[-1]["data"][0]
    assert sorted(number for (number,) in bars["customdata"]) == list(range(16))
    costs = array(bars["x"]).tolist()
    assert costs == sorted(costs, reverse=True)


def test_dead_units_are_listed_and_the_weights_are_those_of_the_snapshots(run: Run, store: RunStore) -> None:
    dataset, steps = dataset_of(run.spec), store.snapshots.steps(run.id)
    layers = {layer.name: layer for layer in plan(run.spec.model, dataset).layers}
    rows = np.arange(len(dataset.test))
    found = activities(ex.model_at(store, run.id, steps[-1]), dataset, "test", rows, layers)

    app = healthy(open_page("look_inside", run=run.id, look="spread", layer="linear1", tensor="bias"))

    table = app.dataframe[0].value
    assert table["dead"].tolist() == [str(len(one.dead)) for one in found]
    bias = store.snapshots.load(run.id, steps[-1])["linear1.bias"].numpy()
    bars = charts(app)[-1]["data"][1]
    middle, width = array(bars["y"]), bars["width"]
    edges = np.append(middle - width / 2, middle[-1] + width / 2)
    edges[[0, -1]] += [-1e-6, 1e-6]
    np.testing.assert_allclose(array(bars["x"]), np.histogram(bias, edges)[0] / len(bias), atol=1 / len(bias) + 1e-6)
    healthy(open_page("look_inside", run=run.id, look="spread", of="activations", layer="relu2"))


def test_a_word_of_the_link_is_looked_at_with_its_neighbours(text_run: Run) -> None:
    dataset = dataset_of(text_run.spec)
    token = dataset.vocabulary.index("violin")

    app = healthy(open_page("look_inside", run=text_run.id, look="words", word=str(token)))

    assert "Nearest to **violin** by cosine" in texts(app)
    assert drawn(app, "words-0")["type"] == "scatter"
    assert app.query_params["word"] == str(token)
