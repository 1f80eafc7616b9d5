"""Mosaics and enlarged channels hold the numbers they were given where people can click them."""

from __future__ import annotations

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures import sums
from explorer.figures.enlarged import CLICKABLE, Panel, lines, pictures
from explorer.figures.examples import small_series
from explorer.figures.images import gallery
from explorer.figures.mosaic import mosaic
from explorer.figures.theme import height
from tests.figures import complete

TILES = np.arange(-6, 6, dtype=float).reshape(3, 2, 2)
MAP = np.arange(12, dtype=float).reshape(3, 4)


def checked(figure: go.Figure) -> go.Figure:
    """The figure as Plotly checks it: a name or a value that it does not know raises."""
    return go.Figure(figure.to_dict())


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_complete_and_known_to_plotly(dark: bool) -> None:
    box = ((0, 2), (1, 3))
    for figure in (
        mosaic(TILES, ["0", "1", "2"], "t", "a", clickable=True, chosen=1, boxes=[((0, 1), (0, 2))] * 3, dark=dark),
        gallery(np.zeros((2, 3, 4, 4)), ["a", "b"], "t", "a", boxes=[box, None], dark=dark),
        pictures([Panel("in", MAP, box=box), Panel("map", -MAP, limit=11.0, clickable=True)], "t", "a", dark),
        pictures([Panel("in", np.zeros((3, 4, 4)))], "t", "a", dark),
        lines([Panel("in", MAP[0], box=((1, 3),), dots=np.array([[2]]), clickable=True)], "t", "a", dark),
        small_series([MAP[:1], MAP[1:2]], ["a", "b"], "t", "a", dark=dark, boxes=[((1, 3),), None]),
    ):
        complete(checked(figure))


@pytest.mark.parametrize("columns", [1, 2, 3, 8])
def test_each_bar_over_a_mosaic_lies_exactly_on_the_pixels_of_its_tile(columns: int) -> None:
    shown, bars = mosaic(TILES, ["0", "1", "2"], "t", "a", columns=columns, clickable=True).data
    for n, tile in enumerate(TILES):
        top, left = round(bars.base[n] + 0.5), round(bars.x[n] - bars.width / 2 + 0.5)
        assert np.array_equal(shown.z[top : top + 2, left : left + 2], tile)
        assert (bars.base[n], bars.x[n], bars.y[n], bars.width) == (top - 0.5, left + 0.5, 2, 2)
        assert bars.customdata[n] == [str(n)]


def test_on_scales_of_their_own_all_tiles_reach_the_same_strength_but_those_of_zeros() -> None:
    tiles = np.stack([TILES[0], TILES[2] * 100, np.zeros((2, 2))])
    trace = mosaic(tiles, ["0", "1", "2"], "t", "a", each=True, limit=7).data[0]
    np.testing.assert_allclose(trace.z[1:3, 0:2], TILES[0] / 6)
    assert (np.nanmax(np.abs(trace.z)), trace.zmin, trace.zmax) == (1, -1, 1)


@pytest.mark.parametrize("width", [130, 330, 600, 900])
@pytest.mark.parametrize("count", [1, 3, 16, 64])
def test_a_mosaic_is_as_high_as_its_tiles_at_any_width_and_labels_have_a_line(count: int, width: int) -> None:
    figure = mosaic(np.ones((count, 8, 8)), [f"{n}" for n in range(count)], "t", "a")
    fixed, share, most = map(float, re.findall(r"[\d.]+(?=px \+|\d* \*|px\)\))", height(figure)))
    x, y = figure.layout.xaxis.range[1] + 0.5, figure.layout.yaxis.range[0] + 0.5
    high = min(share * (width - 16), most)
    tile = min((width - 16) / x, high / y) * 8  # what the locked axes make of it
    assert high == pytest.approx(tile / 8 * y, abs=1)  # no blank below
    if width >= 330:
        assert tile * 0.4 >= 13  # a line of 11 px letters
    assert fixed == 92


def test_every_value_of_an_enlarged_map_can_be_clicked_unless_there_are_too_many() -> None:
    bars = next(trace for trace in pictures([Panel("map", MAP, limit=11.0, clickable=True)], "t", "a").data[1:])
    assert bars.customdata[5] == [1, 1]
    assert (bars.x[5], bars.base[5] + bars.y[5] / 2) == (1, 1)
    many = np.zeros((CLICKABLE + 1, 1))
    assert len(pictures([Panel("map", many, limit=1.0, clickable=True)], "t", "a").data) == 1


def test_a_product_is_written_with_its_factors() -> None:
    text = sums.product(np.array([[1.0, -2.0]]), np.array([[3.0, 4.0]]))
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", text)
    assert cells == ["1.00", "-2.00", "3.00", "4.00", "3.00", "-8.00"]


def test_the_winner_of_a_window_and_no_other_is_outlined() -> None:
    for values, winner in ((np.array([[1.0, 5.0], [2.0, 3.0]]), (0, 1)), (np.array([1.0, 5.0]), (1,))):
        outlined = re.findall(r"box-shadow[^>]*>([^<]*)<", sums.window(values, winner))
        assert outlined == ["5.00"]


def test_large_filters_are_coloured_without_numbers_and_tiny_values_have_no_minus() -> None:
    assert not re.findall(r">-?\d+\.\d+<", sums.product(np.ones((9, 9)), np.ones((9, 9))))
    assert ">0.00<" in sums.product(np.array([[-0.001]]), np.ones((1, 1)))


def test_contributions_are_told_in_words_as_well() -> None:
    assert "strongest is b, -3" in sums.contributions(np.array([1.0, -3.0]), ["a", "b"])


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_can_be_read_on_every_shade(dark: bool) -> None:
    text = sums.product(np.linspace(-1, 1, 49).reshape(7, 7), np.ones((7, 7)), dark)
    for shade, ink in re.findall(r"background:rgb\(([^)]*)\);color:(#\w+)", text):
        behind = luminance([float(part) / 255 for part in shade.split(",")])
        letters = luminance([int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        light, darker = max(behind, letters), min(behind, letters)
        assert (light + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2, AA


def luminance(colour: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
