"""Pictures of quality show the numbers they were given and say what they are."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer.figures.confusion import NUMBERED, confusion
from explorer.figures.groups import rates, strip
from explorer.figures.quality import precision_recall, reliability, roc
from explorer.figures.theme import DARK, LIGHT
from explorer.figures.thumbnails import SIDE, sparkline, thumbnail
from explorer.figures.values import MOST, predicted_against_true, residuals
from explorer.probes import quality
from tests.figures import complete

COUNTS = np.array([[5, 0, 1], [4, 2, 0], [0, 0, 0]])
TRUTH, PREDICTED = np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, 1.0])
POSITIVE = np.array([True, False, True, False])
CURVES = quality.trade_offs(POSITIVE, np.array([0.9, 0.6, 0.4, 0.1]), np.array([True, True, False, False]))
TABLE = quality.calibration(np.array([0.95, 0.95, 0.55]), np.array([True, False, True]))
NAMES = ["old", "new", "nobody"]
RATES = np.array([0.2, 0.6, np.nan]), np.array([0.1, 0.4, 0.0]), np.array([0.4, 0.8, 1.0]), np.array([40, 5, 0])


@cache
def every_figure(dark: bool) -> dict[str, go.Figure]:
    used = CURVES.used
    return {
        "confusion": confusion(COUNTS, ["a", "b", "c"], (1, 0), dark),
        "confusion without mistakes": confusion(np.diag([3, 2]), ["a", "b"], None, dark),
        "confusion of many": confusion(np.ones((60, 60), int), [f"class {n}" for n in range(60)], None, dark),
        "reliability": reliability(TABLE, quality.calibration_error(TABLE), dark),
        "roc": roc(CURVES.roc, used, CURVES.auc, "b", dark),
        "precision": precision_recall(CURVES.precision_recall, used, 0.8, 0.5, "b", dark),
        "values": predicted_against_true(TRUTH, PREDICTED, "metres", dark),
        "one value": predicted_against_true(TRUTH[:1], TRUTH[:1], "", dark),
        "residuals": residuals(TRUTH, PREDICTED, "metres", dark),
        "no residuals": residuals(TRUTH, TRUTH, "", dark),
        "rates": rates(NAMES, *RATES, RATES[3] < 20, "Wrong", 0.25, dark),
        "strip": strip([0.9, None, 0.8], 0.85, 0.07, "Accuracy of each fold", "accuracy", True, dark),
        "strip of one": strip([3.0], 3.0, float("nan"), "Error of each fold", "error", False, dark),
        "empty strip": strip([None, None], float("nan"), float("nan"), "Folds", "accuracy", True, dark),
    }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(every_figure(False)))
def test_every_figure_has_a_title_an_alternative_text_a_height_and_named_axes(name: str, dark: bool) -> None:
    layout = complete(every_figure(dark)[name])
    assert layout.xaxis.title.text
    assert layout.yaxis.title.text or name == "rates"  # there the names of the groups stand


def test_each_cell_that_is_not_empty_can_be_clicked_and_knows_its_classes() -> None:
    bars = confusion(COUNTS, ["a", "b", "c"]).data[0]

    assert [tuple(cell) for cell in bars.customdata] == [(0, 0, 5), (0, 2, 1), (1, 0, 4), (1, 1, 2)]
    assert bars.x.tolist() == [0, 2, 0, 1]  # answered, from left to right
    middle = np.asarray(bars.base, float) + np.asarray(bars.y, float) / 2
    np.testing.assert_allclose(middle, [0, 0, 1, 1])  # truly, from top to bottom
    low, high = confusion(COUNTS, ["a", "b", "c"]).layout.yaxis.range
    assert low > high
    assert bars.text.tolist() == [5, 1, 4, 2]
    assert bars.hovertext[2] == "truly b, answered a<br>4 examples, 67% of this class"


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_only_mistakes_are_coloured_and_the_most_frequent_the_strongest(colours: object) -> None:
    shades = confusion(COUNTS, ["a", "b", "c"], dark=colours is DARK).data[0].marker.color

    assert shades[0] == shades[3] == colours.grid
    assert len({shades[1], shades[2], colours.grid}) == 3
    red, green, blue = (int(colours.sequential[-1][1][i : i + 2], 16) for i in (1, 3, 5))
    assert shades[2] == f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_can_be_read_on_every_cell(dark: bool) -> None:
    counts = np.arange(1, 37).reshape(6, 6)
    bars = confusion(counts, list("abcdef"), dark=dark).data[0]
    for shade, ink in zip(bars.marker.color, bars.insidetextfont.color, strict=True):
        assert abs(_brightness(shade) - _brightness(ink)) > 80


def test_the_alternative_text_names_the_most_frequent_mistake() -> None:
    alt = confusion(COUNTS, ["a", "b", "c"]).layout.meta["alt"]
    assert "7 answers are right, 5 wrong" in alt
    assert "b is taken for a: 4 times" in alt
    assert "Most often" not in confusion(np.diag([3, 2]), ["a", "b"]).layout.meta["alt"]


def test_the_chosen_cell_is_outlined_and_many_classes_are_drawn_without_numbers() -> None:
    assert confusion(COUNTS, ["a", "b", "c"], (1, 0)).data[0].marker.line.width == (0, 0, 4, 0)
    many = NUMBERED + 1
    assert confusion(np.eye(many, dtype=int), [str(n) for n in range(many)]).data[0].text is None


def test_a_reliability_diagram_draws_only_groups_that_have_examples() -> None:
    bars, ideal, right = reliability(TABLE, 0.4).data

    assert right.x.tolist() == pytest.approx([0.55, 0.95])
    assert right.y.tolist() == [1, 0.5]
    assert bars.y.tolist() == pytest.approx([0, 0, 0, 0, 0, 1 / 3, 0, 0, 0, 2 / 3])
    assert list(ideal.x) == list(ideal.y) == [0, 1]


def test_curves_show_where_the_model_stands() -> None:
    _guess, line, used = roc(CURVES.roc, CURVES.used, CURVES.auc, "b").data
    assert (used.x, used.y) == ((0.5,), (0.5,))
    assert (line.x[0], line.y[0], line.x[-1], line.y[-1]) == (0, 0, 1, 1)
    guess, _line, used = precision_recall(CURVES.precision_recall, CURVES.used, 0.8, CURVES.share, "b").data
    assert list(guess.y) == [0.5, 0.5]
    assert (used.x, used.y) == ((0.5,), (0.5,))


def test_values_lie_where_they_are_and_residuals_have_their_sign() -> None:
    line, points = predicted_against_true(TRUTH, PREDICTED, "metres").data
    assert (points.x.tolist(), points.y.tolist()) == (TRUTH.tolist(), PREDICTED.tolist())
    assert line.x == line.y
    off = residuals(TRUTH, PREDICTED, "metres").data[0]
    assert off.y.tolist() == [0.5, 0, -2]
    assert (off.marker.color[0], off.marker.color[2]) == (LIGHT.validation, LIGHT.train)


def test_of_very_many_values_every_so_many_are_drawn() -> None:
    values = np.arange(3.0 * MOST)
    assert len(residuals(values, values, "").data[0].x) <= MOST


def test_small_groups_are_hollow_and_said_to_be() -> None:
    figure = rates(NAMES, *RATES, RATES[3] < 20, "Wrong", 0.25)
    dots = figure.data[0]

    assert dots.marker.symbol == ("circle", "circle-open", "circle-open")
    assert figure.layout.yaxis.ticktext == ("old", "new (too few)", "nobody (too few)")
    np.testing.assert_allclose(dots.error_x.array, [0.2, 0.2, 0])
    np.testing.assert_allclose(dots.error_x.arrayminus, [0.1, 0.2, 0])
    assert "nobody (too few) none" in figure.layout.meta["alt"]


def test_a_strip_has_a_dot_for_each_finished_fold_within_its_axis() -> None:
    figure = strip([0.9, None, 0.8], 0.85, 0.07, "Accuracy", "accuracy", True)

    assert (figure.data[0].x, figure.data[0].y) == ((0.9, 0.8), (1, 3))
    low, high = figure.layout.xaxis.range
    assert low < 0.85 - 0.07 < 0.85 + 0.07 < high < 1
    band, line = figure.layout.shapes
    assert (band.x0, band.x1, line.x0) == (pytest.approx(0.78), pytest.approx(0.92), 0.85)
    assert figure.layout.meta["alt"] == "Accuracy: fold 1 90.0%, fold 3 80.0%; mean 85.0%."


def test_a_thumbnail_keeps_the_pixels_of_small_images_and_shrinks_large_ones() -> None:
    image = np.random.default_rng(0).random((1, 8, 8))
    np.testing.assert_array_equal(_pixels(thumbnail(image)), (image[0] * 255).round().astype(np.uint8))
    assert _pixels(thumbnail(np.zeros((3, 200, 100)))).shape == (SIDE, SIDE // 2, 3)


def test_a_sparkline_runs_from_left_to_right_and_up_where_values_rise() -> None:
    content = base64.b64decode(sparkline(np.array([[0.0, 1.0, 0.5]])).split(",")[1]).decode()
    assert 'points="2.0,58.0 50.0,2.0 98.0,30.0"' in content
    assert "58.0" in base64.b64decode(sparkline(np.zeros((1, 3))).split(",")[1]).decode()


def _pixels(url: str) -> np.ndarray:
    assert url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))))


def _brightness(colour: str) -> float:
    if colour.startswith("#"):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    else:
        red, green, blue = (float(part) for part in colour[4:-1].split(","))
    return 0.3 * red + 0.59 * green + 0.11 * blue
