"""Attributions as figures, words and files: colours, titles, and texts that people gave."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from plotly.colors import hex_to_rgb, label_rgb, sample_colorscale, unlabel_rgb

from explorer.figures import svg
from explorer.figures.explained import coloured_series, crossed, overlay, wrapped
from explorer.figures.shades import ink, shades
from explorer.figures.theme import palette


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("strength", [False, True])
def test_shades_are_the_colours_that_plotly_draws(strength: bool, dark: bool) -> None:
    values = np.array([-2.0, -0.7, 0.0, 0.3, 2.0, 5.0])
    colours = palette(dark)
    stops = colours.sequential if strength else colours.diverging
    scale = [[place, label_rgb(hex_to_rgb(colour))] for place, colour in stops]
    at = (values.clip(0, 2) / 2 if strength else (values.clip(-2, 2) + 2) / 4).tolist()
    expected = [unlabel_rgb(colour) for colour in sample_colorscale(scale, at)]
    np.testing.assert_allclose(shades(values, 2.0, strength, dark), expected, atol=1)


def test_words_on_light_colours_are_black_and_on_dark_ones_white() -> None:
    assert ink(np.array([247, 247, 247])) == "#111111"
    assert ink(np.array([31, 90, 158])) == "#ffffff"


def test_a_long_title_takes_more_lines_and_room_and_its_markup_is_only_text() -> None:
    figure = overlay(np.zeros((1, 1, 2, 2)), np.ones((1, 2, 2)), [""], "Why <b>this</b> " + "word " * 12, "alt")
    top, height = figure.layout.margin.t, figure.layout.height
    title = wrapped(figure).layout.title.text
    lines = title.count("<br>")
    assert lines == 2
    assert "&lt;b&gt;" in title
    assert figure.layout.margin.t == top + 18 * lines
    assert figure.layout.height == height + 18 * lines


def test_several_images_are_on_one_scale_centred_at_zero() -> None:
    values = np.zeros((3, 2, 2))
    values[1, 0, 1] = -4.0
    figure = overlay(np.zeros((3, 3, 2, 2)), values, ["a", "b", "c"], "Why?", "alt", columns=2)
    heat = figure.data[1]
    assert (heat.zmin, heat.zmax) == (-4, 4)
    assert sorted(heat.z[~np.isnan(heat.z)]) == sorted(values.ravel())


def test_each_row_or_column_can_be_drawn_relative_to_its_own_strongest_value() -> None:
    values = np.array([[1.0, -2.0], [0.0, 10.0]])
    by_column = crossed(values, ["a", "b"], ["x", "y"], "t", "alt", relative=0).data[0]
    by_row = crossed(values, ["a", "b"], ["x", "y"], "t", "alt", relative=1).data[0]
    np.testing.assert_allclose(by_column.z, [[1, -0.2], [0, 1]])
    np.testing.assert_allclose(by_row.z, [[0.5, -1], [0, 1]])
    assert by_row.customdata[1][1].tolist() == ["b", "y", 10.0]


def test_a_series_has_a_point_of_its_colour_at_every_step() -> None:
    figure = coloured_series(np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, -1.0, 0.5]]), "t", "alt")
    assert list(figure.data[0].marker.color) == [0.0, -1.0, 0.5]
    assert (figure.data[0].marker.cmin, figure.data[0].marker.cmax) == (-1, 1)


def test_pixels_of_a_picture_mix_the_image_and_the_colour_of_the_value() -> None:
    image, values = np.array([[[1.0, 0.0]]]), np.array([[2.0, 0.0]])
    root = svg.pixels(image, values, "t", opacity=0.5)
    url = re.search(r'href="data:image/png;base64,([^"]+)"', root)
    found = np.array(Image.open(io.BytesIO(base64.b64decode(url[1]))))
    strongest, none = shades(np.array([2.0, 0.0]), 2.0)
    np.testing.assert_allclose(found[0], [(strongest + 255) / 2, none / 2], atol=1)


def test_words_of_a_picture_wrap_within_it_and_are_only_text() -> None:
    root = ElementTree.fromstring(svg.words(["<script>", "a & b", "長い言葉"] * 12, np.linspace(-1, 1, 36), "<t>"))
    boxes = [node for node in root.iter() if node.tag.endswith("rect") and node.get("rx")]
    assert len(boxes) == 36
    assert max(float(box.get("x")) + float(box.get("width")) for box in boxes) <= svg.WIDTH
    assert float(boxes[-1].get("y")) + 36 < float(root.get("height"))
    assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_cells_without_a_value_are_white_and_labels_stand_above_theirs() -> None:
    values = np.array([[np.nan, np.nan], [1.0, -1.0]])
    root = svg.cells(values, "t", labels=[(1, 1, "seven")])
    url = re.search(r'href="data:image/png;base64,([^"]+)"', root)
    found = np.array(Image.open(io.BytesIO(base64.b64decode(url[1]))))
    np.testing.assert_array_equal(found, [np.full((2, 3), 255), shades(values[1], 1.0)])
    label = next(node for node in ElementTree.fromstring(root).iter() if node.text == "seven")
    side = svg.WIDTH - 16
    assert (float(label.get("x")), float(label.get("y"))) == (8 + side / 2, 27 + side / 2)


def test_pictures_stand_together_in_rows_without_covering_each_other() -> None:
    each = [
        svg.columns(np.array([1.0]), "low"),
        svg.rows(np.ones(20), ["f"] * 20, "tall"),
        svg.columns(np.ones(3), "c"),
    ]
    root = ElementTree.fromstring(svg.together(each, "all", columns=2))
    low, tall, last = (node for node in root if node.tag.endswith("svg"))
    assert float(tall.get("x")) == float(low.get("width")) == svg.WIDTH
    assert float(last.get("y")) == float(tall.get("y")) + float(tall.get("height"))
    assert float(root.get("height")) == float(last.get("y")) + float(last.get("height"))
