"""Pictures of attention show the weights they were given, can be clicked where they say so, and stay small."""

from __future__ import annotations

import base64
import io
from functools import cache

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from explorer.figures.attention import LEVELS, SHADES, SIDE, TILE, grid, lines
from explorer.figures.heads import numbers, score_steps
from explorer.figures.shares import over_image, over_steps, over_words
from explorer.figures.theme import DARK, LIGHT
from tests.figures import complete

WEIGHTS = np.array([[0.75, 0.25], [0.0, 1.0]])
MAPS = [np.stack([WEIGHTS, WEIGHTS.T]), np.array([[[0.5, 0.5]]])]
WORDS = ["the", "<end>"]
SHARES = np.array([0.25, 0.75])


@cache
def every_figure(dark: bool) -> dict[str, go.Figure]:
    masked = np.array([1.0, -np.inf, -2.0])
    return {
        "grid": grid(MAPS, ["look1", "pool1"], (0, 1), dark=dark),
        "many heads": grid([np.ones((11, 3, 5))], ["look1"], dark=dark),
        "lines": lines(WEIGHTS, WORDS, WORDS, "look1", dark=dark),
        "lines of one": lines(WEIGHTS, WORDS, WORDS, "look1", 1, dark),
        "words": over_words(SHARES, WORDS, "Rollout", "share", 1, dark),
        "steps": over_steps(SHARES, ["0", "1"], np.array([3.0, -1.0]), "Rollout", "share", 0, dark),
        "steps alone": over_steps(SHARES, ["0", "1"], None, "Rollout", "share", dark=dark),
        "image": over_image(
            WEIGHTS, list("abcd"), np.ones((3, 4, 4)), "From a", "weight", 0, note="class 0.1", dark=dark
        ),
        "heads": numbers(["look1", "look2"], [SHARES, SHARES], [1.0, 0.0], [SHARES, None], "tokens", True, dark),
        "heads in nats": numbers(["look1"], [SHARES], [1.0], [None], "tokens", False, dark),
        "scores": score_steps(masked, np.array([0.9, 0.0, 0.1]), list("abc"), "look1", "score", dark),
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


@pytest.mark.parametrize("name", ["words", "steps", "heads", "scores"])
def test_axes_that_carry_numbers_are_named(name: str) -> None:
    layout = every_figure(False)[name].layout
    assert layout.xaxis.title.text
    assert name != "steps" or layout.yaxis.title.text


def seen(figure: go.Figure) -> np.ndarray:
    """The picture of a grid: a number of a colour for each cell, 0 for gaps."""
    content = base64.b64decode(figure.layout.images[0].source.split(",")[1])
    picture = Image.open(io.BytesIO(content))
    factor = round(picture.width / figure.layout.images[0].sizex)
    assert picture.info["transparency"] == 0
    return np.asarray(picture)[::factor, ::factor]


def test_the_grid_holds_every_weight_on_one_scale_of_bytes_and_gaps_elsewhere() -> None:
    figure = grid(MAPS, ["look1", "pool1"], (0, 1))
    shown, bars = seen(figure), figure.data[1]
    for (layer, head), left, top in zip(bars.customdata, bars.x, bars.base, strict=True):
        x, y = round(left - 0.5), round(top + 0.5)
        shares = (shown[y : y + 2, x : x + 2].astype(float) - 1) / SHADES
        wanted = np.broadcast_to(MAPS[layer][head], (2, 2))  # a map of one row fills its tile
        np.testing.assert_allclose(shares, wanted, atol=0.5 / SHADES)
    assert (shown == 0).any()


@pytest.mark.parametrize("dark", [False, True])
def test_its_colours_are_those_of_the_scale_beside_it(dark: bool) -> None:
    figure = grid([np.array([[[0.0, 1.0]]])], ["pool1"], dark=dark)
    content = base64.b64decode(figure.layout.images[0].source.split(",")[1])
    colours = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
    (_, first), *_, (_, last) = (DARK if dark else LIGHT).sequential
    ends = {tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5)) for colour in (first, last)}
    assert {tuple(colour[:3]) for colour in colours.reshape(-1, 4).tolist() if colour[3]} == ends
    assert figure.data[0].marker.cmax == 1.0


def test_every_head_can_be_clicked_and_only_the_chosen_one_is_outlined() -> None:
    bars = grid(MAPS, ["look1", "pool1"], (0, 1)).data[1]
    assert list(bars.customdata) == [[0, 0], [0, 1], [1, 0]]
    assert list(bars.marker.opacity) == [0, 1, 0]
    assert bars.hovertext[2] == "pool1, head 1"


def test_more_heads_than_fit_beside_each_other_take_another_row() -> None:
    figure = grid([np.ones((11, 3, 3))], ["look1"])
    assert len(figure.data[1].customdata) == 11
    assert [note.text for note in figure.layout.annotations] == ["look1: heads 1 to 8", "look1: heads 9 to 11"]
    assert figure.layout.height > 2 * TILE


def test_of_large_maps_the_strongest_of_neighbouring_weights_is_seen() -> None:
    weights = np.zeros((1, 200, 200))
    weights[0, 123, 77] = 1.0
    shown = seen(grid([weights], ["look1"]))
    assert shown.shape[0] < 2 * SIDE
    assert (shown == 1 + SHADES).sum() == 1
    row, column = np.argwhere(shown == 1 + SHADES)[0]
    above = shown.shape[0] - SIDE
    assert (row - above, column) == (123 * SIDE // 200, 77 * SIDE // 200)


def test_a_grid_of_four_layers_of_eight_heads_over_64_patches_takes_well_under_a_megabyte() -> None:
    weights = np.random.default_rng(0).random((8, 65, 65))
    assert len(grid([weights] * 4, list("abcd")).to_json()) < 400_000


def test_lines_are_as_wide_as_weights_and_those_of_one_place_can_be_seen_alone() -> None:
    figure = lines(WEIGHTS, WORDS, WORDS, "look1")
    *bundles, looking, offered = figure.data
    assert sorted(sum(len(bundle.x) for bundle in bundles) // 3 * [1]) == [1, 1, 1]  # one weight is zero
    widths = {round(bundle.line.width, 3): len(bundle.x) // 3 for bundle in bundles}
    level = {np.ceil(weight * LEVELS): weight for weight in (0.25, 0.75, 1.0)}
    assert list(widths) == [round(0.5 + 5 * at / LEVELS, 3) for at in sorted(level)]
    assert list(looking.customdata) == [[0], [1]]
    assert looking.text[1] == "&lt;end&gt;"
    alone = lines(WEIGHTS, WORDS, WORDS, "look1", place=1)
    assert len(alone.data) == 3
    assert list(alone.data[0].y[:2]) == [looking.y[1], offered.y[1]]
    assert alone.data[-1].hovertext[1] == "&lt;end&gt;: 1.000"


def test_bars_stand_by_their_words_and_steps_and_can_be_clicked() -> None:
    words = every_figure(False)["words"]
    assert list(words.data[0].x) == SHARES.tolist()
    assert list(words.layout.yaxis.ticktext) == ["the", "&lt;end&gt;"]
    steps, series = every_figure(False)["steps"].data
    assert list(steps.y) == SHARES.tolist()
    assert list(series.y) == [3, -1]
    assert list(words.data[0].customdata) == list(steps.customdata) == [[0], [1]]


def test_patches_lie_over_their_part_of_the_image() -> None:
    image = np.arange(16.0).reshape(1, 4, 4) / 15
    picture, bars = over_image(WEIGHTS, list("abcd"), image, "From a", "weight", 3, first=1).data
    np.testing.assert_array_equal(np.asarray(picture.z)[:, :, 0], np.round(image[0] * 255))
    assert list(bars.x) == [0.5, 2.5, 0.5, 2.5]
    assert list(bars.base) == [-0.5, -0.5, 1.5, 1.5]
    opacity = [float(colour.rstrip(")").split(",")[-1]) for colour in bars.marker.color]
    np.testing.assert_allclose(opacity, 0.9 * WEIGHTS.ravel(), atol=1e-3)
    assert list(bars.customdata) == [[1], [2], [3], [4]]  # behind a class token
    assert list(bars.marker.line.width) == [0, 0, 4, 0]


def test_heads_stand_under_their_layer_in_two_numbers() -> None:
    entropy, distance = every_figure(False)["heads"].data
    assert list(entropy.x) == [None, 0.25, 0.75, None, 0.0, 0.0]
    assert list(distance.x) == [None, 0.25, 0.75, None, None, None]
    assert [note.text for note in every_figure(False)["heads"].layout.annotations] == ["look1", "look2"]
    assert len(every_figure(False)["heads in nats"].data) == 1


def test_scores_that_are_masked_have_a_cross_instead_of_a_bar() -> None:
    scores, weights, crosses = every_figure(False)["scores"].data
    assert list(scores.x) == [1, 0, -2]
    assert list(weights.x) == [0.9, 0, 0.1]
    assert list(crosses.y) == [1]
