"""Pictures show the numbers they were given, say what they are, and share one palette."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

import explorer as ex
from explorer.data import load_dataset
from explorer.figures.architecture import architecture
from explorer.figures.classes import balance, probabilities
from explorer.figures.course import above, course
from explorer.figures.curves import AXES, DIAMOND, STAR, Look, diagnose, learning_curve, rate_curve
from explorer.figures.examples import table
from explorer.figures.flow import gradient_flow
from explorer.figures.images import attributions, enlarged, mosaic, units
from explorer.figures.lines import POINTS, Line
from explorer.figures.theme import DARK, LIGHT, alt, symmetric
from explorer.models import plan, preset
from tests.figures import complete
from tests.samples import made_up

TILES = np.arange(-6, 6, dtype=float).reshape(3, 2, 2)


def metrics(count: int) -> pd.DataFrame:
    """A falling loss, one row a step, validated every tenth."""
    rows = [("batch", step, 1 / step) for step in range(1, count + 1)]
    rows += [("validation", step, 2 / step) for step in range(10, count + 1, 10)]
    table = pd.DataFrame(rows, columns=["split", "step", "value"])
    table["epoch"] = (table["step"] + 9) // 10
    table["seconds"] = table["step"] / 100
    return table.assign(name="loss")


def flow() -> pd.DataFrame:
    """Two layers, of which the first hardly gets a gradient."""
    rows = [(step, *row) for step in (1, 2) for row in (("rnn1", 1e-7, 5.0, 1e-6), ("output1", 0.1, 2.0, 1e-3))]
    return pd.DataFrame(rows, columns=["step", "layer", "gradient", "weight", "update"])


def line(truth: float | None = None) -> go.Figure:
    """A number at three steps, of which the second is seen."""
    return course([0, 5, 10], [0.1, 0.5, 0.9], 5, "Right over the steps", "probability", truth=truth)


@cache
def every_figure(dark: bool) -> dict[str, go.Figure]:
    digits = load_dataset("digits")
    return {
        "curve": learning_curve(metrics(50), "loss", 100, dark),
        "empty curve": learning_curve(metrics(0), "accuracy", 100, dark),
        "changed curve": learning_curve(metrics(50), "loss", 100, dark, Look("epoch", 0.5, True), {7: "clip 1"}, 20),
        "rate": rate_curve(metrics(50).assign(name="learning_rate"), 100, dark),
        "flow": gradient_flow(flow(), "gradient", 100, dark),
        "empty flow": gradient_flow(flow().head(0), "update", 100, dark),
        "mosaic": mosaic(TILES, ["0", "1", "2"], "Maps", "Three maps", dark=dark),
        "attributions": attributions([("A", TILES[0]), ("B", None)], "Why?", "Two methods", dark=dark),
        "units": units(TILES[0].ravel(), "Units", "Four units", dark),
        "balance": balance({"train": [3, 4], "test": [1, 1]}, ["a", "b"], dark),
        "probabilities": probabilities(np.array([0.25, 0.75]), ["a", "b"], 0, 1, dark),
        "course": course([0, 5, 10], [0.1, 0.5, 0.9], 5, "Right over the steps", "probability", dark=dark),
        "answer": above(probabilities(np.array([0.25, 0.75]), ["a", "b"], 0, None, dark), line(), dark),
        "looks": table(TILES[2], ["one", "two"], "Looks", "Looks", dark, rows=["<start>", "un"], axis="from"),
        "architecture": architecture(plan(preset("cnn", digits), digits), digits.shape, dark),
    }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(every_figure(False)))
def test_every_figure_has_a_title_an_alternative_text_and_a_height(name: str, dark: bool) -> None:
    complete(every_figure(dark)[name])


@pytest.mark.parametrize("name", list(every_figure(False)))
def test_plotly_knows_all_that_figures_are_made_of(name: str) -> None:
    figure = every_figure(False)[name].to_dict()
    checked = go.Figure(figure).to_dict()  # raises on a name or a value that it does not know
    assert checked["layout"].keys() == figure["layout"].keys()


@pytest.mark.parametrize("name", ["curve", "changed curve", "flow", "units", "balance", "probabilities", "course"])
def test_axes_that_carry_numbers_are_named(name: str) -> None:
    layout = every_figure(False)[name].layout
    assert layout.xaxis.title.text
    assert layout.yaxis.title.text


def test_a_mosaic_holds_every_value_once_and_gaps_elsewhere() -> None:
    shown = mosaic(TILES, ["0", "1", "2"], "t", "a", columns=2).data[0].z
    assert sorted(shown[~np.isnan(shown)]) == sorted(TILES.ravel())


def test_a_signed_scale_is_centred_at_zero_and_shared() -> None:
    trace = mosaic(TILES, ["0", "1", "2"], "t", "a").data[0]
    assert (trace.zmin, trace.zmax) == (-6, 6)
    assert mosaic(TILES, ["0", "1", "2"], "t", "a", limit=10).data[0].zmax == 10
    positive = mosaic(np.abs(TILES), ["0", "1", "2"], "t", "a").data[0]
    assert (positive.zmin, positive.zmax) == (0, 6)


def test_all_zeros_are_drawn_as_zero() -> None:
    assert symmetric(0.0) == (-1.0, 1.0)
    shown = attributions([("A", np.zeros((2, 2)))], "t", "a").data[0].z
    assert (shown[~np.isnan(shown)] == 0).all()


def test_attributions_are_drawn_relative_to_their_strongest_and_keep_their_values() -> None:
    figure = attributions([("A", TILES[0]), ("B", TILES[2] * 100), ("C", None)], "t", "a")
    trace = figure.data[0]
    both = np.concatenate([TILES[0].ravel(), TILES[2].ravel() * 100])
    kept = trace.customdata[~np.isnan(trace.customdata)]
    assert sorted(kept) == sorted(both)
    drawn = trace.z[~np.isnan(trace.z)]
    strongest = np.repeat([np.abs(TILES[0]).max(), np.abs(TILES[2] * 100).max()], 4)
    np.testing.assert_allclose(sorted(drawn), sorted(both / strongest))
    assert (trace.zmin, trace.zmax) == (-1, 1)
    assert "strongest 5e+02" in figure.layout.annotations[1].text
    assert "does not apply" in figure.layout.annotations[2].text


def test_a_figure_that_is_ready_is_sent_as_plotly_would_send_it_and_can_be_looked_into() -> None:
    ready, looked = (learning_curve(metrics(500), "loss", 600, marks={7: "clip 1"}, best=20) for _ in range(2))
    sent = decoded(ready.to_dict())
    assert looked.layout.xaxis.title.text == "optimiser step"
    assert sent == decoded(looked.to_dict())
    assert sent["data"] == decoded(go.Figure(ready.to_dict()).to_dict())["data"]
    assert alt(ready) == alt(looked) == sent["layout"]["meta"]["alt"]
    looked.update_layout(height=123)
    assert looked.to_dict()["layout"]["height"] == 123


def decoded(part: Any) -> Any:
    """A part of a figure with its arrays as lists."""
    if isinstance(part, dict) and "bdata" in part:
        return np.frombuffer(base64.b64decode(part["bdata"]), part["dtype"]).tolist()
    if isinstance(part, dict):
        return {name: decoded(value) for name, value in part.items()}
    return [decoded(value) for value in part] if isinstance(part, list | tuple) else part


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_a_long_curve_is_drawn_with_few_points_but_its_ends_and_its_peaks(smoothing: float) -> None:
    table = metrics(5000)
    noise = np.random.default_rng(0).random(len(table)) / 10
    table["value"] += np.where(table["step"] == 3217, 9.0, noise)  # one batch went wrong
    whole = table[table["split"] == "batch"]["value"].ewm(alpha=1 - smoothing).mean().to_numpy()
    line = learning_curve(table, "loss", 5000, look=Look(smoothing=smoothing)).data[0]
    assert POINTS / 2 < len(line.x) <= POINTS
    assert (line.x[0], line.x[-1]) == (1, 5000)
    assert 3217 in line.x
    np.testing.assert_allclose(line.y, whole[line.x.astype(int) - 1])  # points of the line, not means between them
    assert (min(line.y), max(line.y)) == pytest.approx((whole.min(), whole.max()))


def test_many_epochs_are_thinned_as_well_and_the_star_stays() -> None:
    table = metrics(9000)
    line = learning_curve(table, "loss", 9000, best=4440).data[1]
    assert len(line.x) <= POINTS
    assert [x for x, symbol in zip(line.x, line.marker.symbol, strict=True) if symbol == STAR] == [4440]


def test_batches_lie_between_the_ends_of_their_epochs() -> None:
    rows = [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 4)]  # the third epoch left no trace
    steps, epochs = (np.array(column) for column in zip(*rows, strict=True))
    line = Line(steps, epochs, steps / 10, 1.0 / steps)
    np.testing.assert_allclose(line.along("epoch"), [0.5, 1, 1 + 1 / 3, 1 + 2 / 3, 2, 3 + 1])
    np.testing.assert_allclose(line.along("step"), steps)
    assert len(Line(*[np.zeros(0)] * 4).along("epoch")) == 0


def test_certainty_is_never_claimed() -> None:
    figure = probabilities(np.array([1e-9, 1 - 1e-9]), ["a", "b"], 0, 1)
    assert "over 99.9%" in figure.layout.title.text
    assert "100" not in figure.layout.title.text + figure.layout.meta["alt"] + "".join(figure.data[0].text)


def test_an_enlarged_image_keeps_its_pixels() -> None:
    image = np.array([[[0.0, 1.0], [0.5, 0.25]]])
    pixels = enlarged(image, side=6)
    assert pixels.shape == (6, 6)
    np.testing.assert_array_equal(pixels[::3, ::3], [[0, 255], [128, 64]])
    assert enlarged(np.zeros((3, 2, 2)), side=4).shape == (4, 4, 3)


@pytest.mark.parametrize("scale", [lambda p: p.diverging, lambda p: p.sequential], ids=["diverging", "sequential"])
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_scales_run_from_zero_to_one_and_their_zero_is_the_page(colours: object, scale: Callable) -> None:
    stops = scale(colours)
    assert stops[0][0] == 0
    assert stops[-1][0] == 1
    zero = stops[len(stops) // 2][1] if len(stops) == 5 else stops[0][1]
    page = colours.blank
    distance = sum(abs(int(zero[i : i + 2], 16) - int(page[i : i + 2], 16)) for i in (1, 3, 5))
    assert distance < 60  # no effect looks like nothing


def test_images_stand_the_right_way_up() -> None:
    figure = mosaic(TILES[:1], [""], "t", "a")
    low, high = figure.layout.yaxis.range

    assert low > high  # the first row is on top
    assert (figure.data[0].z[-2:] == TILES[0]).all()


def test_each_line_of_a_curve_draws_its_own_split() -> None:
    batch, validation = learning_curve(metrics(50), "loss", 100).data

    assert list(batch.y) == [1 / step for step in range(1, 51)]
    assert list(validation.y) == [2 / step for step in range(10, 51, 10)]
    assert (batch.name, validation.name) == ("training batches", "validation")


def test_the_true_and_the_explained_class_are_marked() -> None:
    names = probabilities(np.array([0.2, 0.5, 0.3]), ["a", "b", "c"], truth=0, target=2).data[0].y

    assert list(names) == ["a (true)", "b", "c (explained)"]


@pytest.mark.parametrize("dark", [False, True])
def test_a_model_of_any_layers_can_be_drawn(dark: bool) -> None:
    assert {layer.role for layer in ex.LAYERS.values()} <= set((DARK if dark else LIGHT).roles)
    pairs = made_up(9, tokens=20, task="translation")
    made = plan(preset("seq2seq_transformer", pairs), pairs)

    names = architecture(made, pairs.shape, dark, pairs.target_shape).data[0].y
    assert list(names[:2]) == ["source", "encoder.embedding1"]
    assert names[1 + made.encoder] == "written so far"
    assert names[-1] == "decoder.output1"


@pytest.mark.parametrize(("x", "ends"), [("step", (1, 50)), ("epoch", (0.1, 5)), ("seconds", (0.01, 0.5))])
def test_curves_run_over_steps_epochs_or_seconds(x: str, ends: tuple[float, float]) -> None:
    assert x in AXES
    batch, validation = learning_curve(metrics(50), "loss", 100, look=Look(x)).data
    assert (batch.x[0], batch.x[-1]) == pytest.approx(ends)
    assert validation.x[-1] == pytest.approx(ends[1])


def test_smoothing_is_a_moving_average_that_is_not_pulled_to_zero() -> None:
    line = learning_curve(metrics(50), "loss", 100, look=Look(smoothing=0.9)).data[0].y
    kept, weight = 0.0, 0.0
    for step in range(1, 51):
        kept, weight = 0.9 * kept + 0.1 / step, 0.9 * weight + 0.1
        assert line[step - 1] == pytest.approx(kept / weight)


def test_a_change_is_marked_where_it_begins_and_the_best_epoch_by_a_star() -> None:
    figure = learning_curve(metrics(50), "loss", 100, marks={7: "learning rate 0.1"}, best=20)
    (mark,) = figure.layout.annotations
    assert (mark.x, mark.hovertext) == (8, "After step 7: learning rate 0.1")
    epochs = learning_curve(metrics(50), "loss", 100, look=Look("epoch"), marks={17: "learning rate 0.1"})
    assert epochs.layout.annotations[0].x == epochs.layout.shapes[0].x0 == pytest.approx(1.8)
    seen = learning_curve(metrics(50), "loss", 100, look=Look("seconds"), marks={7: "clip 1"}, seen=30).layout
    assert [(rule.x0, rule.line.dash) for rule in seen.shapes] == [(0.08, "dash"), (0.3, "solid")]
    assert [word.text for word in seen.annotations] == ["changed", "step 30"]
    assert learning_curve(metrics(50), "loss", 100, seen=0).layout.shapes[0].x0 == 0
    assert list(figure.data[1].marker.symbol) == [DIAMOND, STAR, DIAMOND, DIAMOND, DIAMOND]


def test_layers_without_gradient_are_drawn_in_the_band_of_vanishing() -> None:
    figure = gradient_flow(flow(), "gradient", 100)
    assert [trace.name for trace in figure.data] == ["rnn1", "output1"]
    assert [note.text for note in figure.layout.annotations] == ["vanishing"]
    assert [note.text for note in gradient_flow(flow(), "update", 100).layout.annotations] == ["hardly moves"]
    fast = flow().assign(update=[0.002, 0.003, 0.002, 0.5])
    assert [note.text for note in gradient_flow(fast, "update", 100).layout.annotations] == ["moves far"]
    assert not gradient_flow(flow(), "weight", 100).layout.annotations


@pytest.mark.parametrize("what", ["gradient", "update"])
def test_what_has_vanished_is_drawn_at_the_lower_end_and_lies_in_the_band(what: str) -> None:
    dead = flow()
    dead.loc[dead["layer"] == "rnn1", what] = 0.0
    for seen in (dead, dead.assign(**{what: 0.0})):
        figure = gradient_flow(seen, what, 100)
        line = figure.data[0]
        assert line.customdata.tolist() == [0, 0]
        assert (line.y > 0).all()
        (band,) = figure.layout.shapes
        assert 0 < band.y0 < line.y[0] < band.y1
        (word,) = figure.layout.annotations
        assert 10**word.y == pytest.approx(band.y1)  # annotations know nothing of logarithmic axes
        assert line.y[0] < min(seen[what][seen[what] > 0], default=1)


@pytest.mark.parametrize(
    ("train", "validation", "said"),
    [
        ([1.0, 0.5, 0.2, 0.1, 0.05, 0.02], [1.0, 0.6, 0.5, 0.6, 0.7, 0.8], "overfitting"),
        ([1.0, 0.99, 0.98, 0.97], [1.0, 0.99, 0.99, 0.98], "underfitting"),
        ([0.0099, 0.0097, 0.0096, 0.0094], [0.03, 0.03, 0.03, 0.03], ""),  # as a branch of what has learned
        ([0.2, 0.1, 0.05, 0.02], [0.5, 0.44, 0.44, 0.43], ""),  # it still falls
        ([0.1, 0.05, 0.02, 0.01], [0.44, 0.44, 0.43, 0.43], "stands still at 0.43"),
        ([1.0, 0.5, 0.3, 0.2], [1.0, 0.6, 0.4, 0.3], ""),
        ([1.0, 0.9], [1.0, 2.0], ""),
    ],
)
def test_the_gap_between_training_and_validation_is_named(
    train: list[float], validation: list[float], said: str
) -> None:
    rows = [("train", value) for value in train] + [("validation", value) for value in validation]
    words = diagnose(pd.DataFrame(rows, columns=["split", "value"]).assign(name="loss"), constant=1.0)
    assert said in words
    assert bool(said) == bool(words)


def test_the_step_that_is_seen_is_marked_on_the_line_and_the_truth_is_dotted() -> None:
    figure = line(truth=0.7)
    (trace,) = figure.data
    assert (trace.x, trace.y) == ((0, 5, 10), (0.1, 0.5, 0.9))
    assert trace.marker.size == (4, 11, 4)
    assert [(shape.y0, shape.line.dash) for shape in figure.layout.shapes] == [(0.7, "dot")]
    assert course([0, 5], [0, 1], 5, "t", "a", last=400).layout.xaxis.range == (0, 400)


def test_figures_above_each_other_keep_their_values_and_their_axes_apart() -> None:
    top = probabilities(np.array([0.25, 0.75]), ["a", "b"], 0, None)
    both = above(top, line(truth=0.7))
    bars, below = both.data
    assert bars.x.tolist() == [0.25, 0.75]
    assert (below.y, below.xaxis, below.yaxis) == ((0.1, 0.5, 0.9), "x2", "y2")
    assert both.layout.yaxis2.domain[1] < both.layout.yaxis.domain[0]
    assert both.layout.height == top.layout.height + line().layout.height
    assert both.layout.shapes[0].yref == "y2"
    assert "Right over the steps" in both.layout.annotations[0].text
    assert line().layout.meta["alt"] in both.layout.meta["alt"]


def test_rows_and_places_of_a_table_can_have_names_and_its_scale_can_be_given() -> None:
    figure = table(TILES[2], ["one", "two"], "t", "a", rows=["<start>", "a very long word"], limit=9, signed=True)
    (trace,) = figure.data
    assert trace.z.tolist() == TILES[2].tolist()
    assert list(trace.customdata[1][0]) == ["a very long word", "one"]
    assert (trace.zmin, trace.zmax) == (-9, 9)
    assert list(figure.layout.yaxis.ticktext) == ["<start>", "a very long…"]
    assert not figure.layout.shapes


def test_few_rows_of_a_table_are_numbered_one_by_one_without_halves_between() -> None:
    assert list(table(TILES[2][:1], ["one", "two"], "t", "a").layout.yaxis.tickvals) == [0]
    assert table(np.zeros((64, 2)), ["one", "two"], "t", "a").layout.yaxis.tickvals is None


def test_a_row_of_a_table_can_be_outlined() -> None:
    (box,) = table(TILES[2], ["one", "two"], "t", "a", rows=["x", "y"], outlined=1).layout.shapes
    assert (box.y0, box.y1) == (0.5, 1.5)


def test_bars_of_units_can_keep_their_axis() -> None:
    low, high = units(np.array([0.5, -0.5]), "t", "a", span=(-1.0, 3.0)).layout.yaxis.range
    assert low < -1
    assert high > 3
