"""Looking into convolutions: a channel, its arithmetic, its filters, and what excites it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from string import ascii_lowercase

import pytest
from torch.nn import functional as F

from explorer.data import Dataset
from explorer.probes.ascent import Goal, Rules
from explorer.runs.execute import branch, execute, submit
from explorer.runs.replay import model_at
from explorer.runs.store import Run, RunStore
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from explorer.views import climbing, layer
from explorer.views.view import View
from tests.pages.conftest import array, drawn, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")


@pytest.fixture(scope="module")
def run(store: RunStore, train: Callable[..., Run]) -> Run:
    return train("cnn", "digits", epochs=1)


@pytest.fixture(scope="module")
def series(store: RunStore, train: Callable[..., Run]) -> Run:
    return train("cnn", "mnist1d", epochs=1)


def test_the_arithmetic_of_a_chosen_value_is_that_of_torch_and_what_follows_is_named(
    store: RunStore, run: Run, digits: Dataset
) -> None:
    model = model_at(store, run.id, run.total_steps)
    x = digits.test.inputs[3:4]
    out = F.conv2d(model.relu1(model.batchnorm1(model.conv1(x))), model.conv2.weight, model.conv2.bias, padding=1)
    place = {"channel": "5", "row": "6", "column": "2"}
    app = healthy(open_page("look_inside", run=run.id, example="3", layer="relu2", **place))
    said = texts(app)
    assert f"that is **{out[0, 5, 6, 2].item():.4g}**" in said
    after = model.batchnorm2(out)[0, 5, 6, 2].item()
    assert f"batchnorm2 (Batch norm) makes **{after:.4g}** of it. relu2 (ReLU) makes **{max(0.0, after):.4g}**" in said
    assert "144 products" in said


def test_every_convolution_within_a_residual_block_is_worked_out(store: RunStore, digits: Dataset) -> None:
    layers = ({"kind": "residual", "channels": 3, "stride": 2}, {"kind": "flatten"}, {"kind": "output"})
    spec = RunSpec(dataset="digits", model=ModelSpec.of(*layers), train=TrainSpec(epochs=1, batch_size=512))
    with store.owners.hold() as owner:
        run = execute(store, submit(store, spec, owner=owner), owner)
    block, x = model_at(store, run.id, run.total_steps).residual1, digits.test.inputs[3:4]
    first = F.conv2d(x, block.conv1.weight, stride=2, padding=1)
    second = F.conv2d(block.norm1(first).relu(), block.conv2.weight, padding=1)
    skip = F.conv2d(x, block.skip.weight, stride=2)
    for inner, out, products in (("conv1", first, 9), ("conv2", second, 27), ("skip", skip, 1)):
        place = {"channel": "2", "row": "1", "column": "3", "inside": inner}
        app = healthy(open_page("look_inside", run=run.id, example="3", layer="residual1", **place))
        said = f"residual1.{inner} lays its {'1×1' if inner == 'skip' else '3×3'} filter"
        assert said in texts(app)
        assert f"{products} products add" in texts(app)
        assert f"that is **{out[0, 2, 1, 3].item():.4g}**" in texts(app)
        assert not app.warning
    app = healthy(
        open_page("look_inside", run=run.id, example="3", layer="residual1", channel="2", row="1", column="3")
    )
    after = block.norm2(second)[0, 2, 1, 3].item()
    assert f"residual1.norm2 (Batch norm) makes **{after:.4g}** of it." in texts(app)


def test_a_channel_is_chosen_by_number_and_closed_again(run: Run) -> None:
    app = healthy(open_page("look_inside", run=run.id, layer="conv1"))
    field = next(field for field in app.number_input if field.label == "Enlarge channel (0 to 15)")
    assert field.value is None
    field.set_value(7).run()
    assert "#### Channel 7 of conv1" in texts(app)
    assert app.query_params["channel"] == "7"
    next(field for field in app.number_input if field.label == "Enlarge channel (0 to 15)").set_value(None).run()
    assert "#### Channel 7 of conv1" not in texts(app)
    assert "channel" not in app.query_params


@pytest.mark.parametrize("name", ["conv2", "maxpool1", "relu1"])
def test_channels_of_series_are_enlarged_as_well(series: Run, name: str) -> None:
    app = healthy(open_page("look_inside", run=series.id, layer=name, channel="2", place="4"))
    assert f"#### Channel 2 of {name}" in texts(app)
    chart = next(one.proto for one in app.get("plotly_chart") if one.proto.id.endswith("-layers"))
    assert chart.selection_mode  # a click is heard
    figure = json.loads(chart.spec)
    rows = figure["data"][1]
    values = array(figure["data"][0]["z"])
    assert [number for (number,) in rows["customdata"]] == rows["y"] == list(range(len(values)))
    assert rows["marker"]["opacity"] == [float(number == 2) for number in range(len(values))]
    assert rows["text"][2] == f"channel 2: {values[2].min():.3g} to {values[2].max():.3g}"


def test_each_channel_may_have_a_scale_of_its_own(run: Run) -> None:
    app = healthy(open_page("look_inside", run=run.id, layer="conv1", each="True"))
    assert drawn(app, "layers")["zmax"] == 1


def test_the_page_of_many_channels_is_in_the_link(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "PIXELS", 6 * 64)  # 6 maps of 8×8 at once
    place = {"run": run.id, "layer": "conv1"}
    app = healthy(open_page("look_inside", **place, page="3"))
    assert "Page 3 of 3: 16 channels in all." in texts(app)
    assert app.query_params["page"] == "3"
    app.segmented_control(key="option-layer-0").set_value("linear1").run()
    assert "page" not in healthy(app).query_params
    assert not app.warning
    beyond = healthy(open_page("look_inside", **place, page="4"))
    assert [read(one.value) for one in beyond.warning] == ["The link asks for page '4', which is not here; 1 is shown."]
    lens, others = (
        {"step": "0", "split": "test", "example": "1", "target": "2"},
        dict.fromkeys(ascii_lowercase[:22], "1"),
    )
    many = open_page("look_inside", run=run.id, **lens, **others, layer="conv1", page="2")
    assert "Page 2 of 3" in texts(healthy(many))


def test_filters_say_how_far_they_have_moved_since_step_0(store: RunStore, run: Run) -> None:
    now, first = (model_at(store, run.id, step).conv2.weight for step in (run.total_steps, 0))
    share = ((now - first).norm() / first.norm()).item()
    app = healthy(open_page("look_inside", run=run.id, look="filters", layer="conv2", change="True"))
    assert f"moved by **{share:.0%}** of their norm" in texts(app)
    assert drawn(app, "filters")["zmax"] == pytest.approx((now - first).abs().max().item(), rel=1e-5)
    start = healthy(open_page("look_inside", run=run.id, look="filters", layer="conv2", step="0"))
    assert "have moved" not in texts(start)


def test_a_branched_run_does_not_say_that_its_first_weights_are_untrained(store: RunStore, run: Run) -> None:
    with store.owners.hold() as owner:
        branch(store, run, run.total_steps)
        branched = execute(store, store.claim(owner), owner)
    since = f"as it was branched off from step {run.total_steps} of run {run.id}"
    app = healthy(open_page("look_inside", run=branched.id, look="filters", layer="conv2", steps="True"))
    assert f"**Step 0** ({since})" in texts(app)
    assert next(one for one in app.toggle if one.label == "Change since the start").help.endswith(f"step 0: {since}.")
    assert f"0 is {since}, the last" in next(one for one in app.select_slider if one.label == "Step").help
    app = healthy(open_page("attributions", run=branched.id, part="training", method="saliency"))
    assert f"At step 0 the model is {since}." in texts(app)
    assert "random weights" not in texts(app)


def test_filters_over_series_are_shown(series: Run) -> None:
    app = healthy(open_page("look_inside", run=series.id, look="filters", layer="conv1"))
    assert drawn(app, "filters")["z"].shape == (16, 5)


def test_a_climb_goes_on_part_by_part_until_it_is_over_and_is_kept_for_the_link(run: Run, digits: Dataset) -> None:
    place = {"run": run.id, "look": "excites", "of": "conv1", "unit": "3", "climb": "64"}
    app = healthy(open_page("look_inside", **place))
    assert "0 of 64 steps" in [bar.proto.text for bar in app.get("progress")]
    goal, rules = Goal("conv1", 3), Rules(steps=64, jitter=0)
    view = View(run, [0, run.total_steps], run.total_steps, digits, "test", 0, None)
    assert climbing.reached(view, goal, rules).taken == 0  # the page is drawn first
    end = time.monotonic() + 20
    while not climbing.advance(view, goal, rules).done:
        assert time.monotonic() < end
    app = healthy(open_page("look_inside", **place))
    assert not app.get("progress")
    climbed = re.search(r"climbed from (\S+) to \*\*(\S+)\*\*\. The strongest of the test examples", texts(app))
    assert float(climbed[2]) > float(climbed[1])
