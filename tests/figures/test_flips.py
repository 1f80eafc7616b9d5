"""Figures of changes show the input, what was added, and the result, each on its own stated scale."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures import flips
from tests.figures import complete

BEFORE = np.array([[[0.0, 0.5], [1.0, 0.25]]])
AFTER = np.array([[[0.0, 0.75], [0.9, 0.25]]])
LABELS = ["input", "change", "result"]


def test_the_change_is_drawn_on_a_scale_that_is_centred_and_ends_at_its_strongest_value() -> None:
    first, change, result = flips.images(BEFORE, AFTER, LABELS, "Title", "Alt").data

    assert np.array_equal(first.z, BEFORE[0])
    assert change.z == pytest.approx(AFTER[0] - BEFORE[0])
    assert (change.zmin, change.zmax) == (-0.25, 0.25)
    assert list(change.colorbar.tickvals) == [-0.25, 0, 0.25]
    assert np.array_equal(result.z, AFTER[0])
    assert {(one.zmin, one.zmax) for one in (first, result)} == {(0, 1)}


def test_of_colours_the_pictures_are_in_colour_and_the_change_is_their_mean() -> None:
    before = np.full((3, 2, 2), 0.5)
    after = before + np.array([0.3, 0.0, -0.1])[:, None, None]

    first, change, result = flips.images(before, after, LABELS, "Title", "Alt").data

    assert np.array_equal(first.z, np.full((2, 2, 3), 128))
    assert change.z == pytest.approx(np.full((2, 2), 0.2 / 3))
    assert np.array_equal(np.array(result.z)[0, 0], [204, 128, 102])


def test_what_was_not_changed_is_drawn_as_nothing() -> None:
    change = flips.images(BEFORE, BEFORE, LABELS, "Title", "Alt").data[1]

    assert not change.z.any()
    assert change.zmin < 0 < change.zmax


def test_a_series_its_changed_copy_and_the_difference_stand_under_each_other() -> None:
    before, after = BEFORE[0], AFTER[0]  # two channels

    figure = flips.series(before, after, "Title", "Alt")
    lines, bars = figure.data[:4], figure.data[4:]

    assert [line.name for line in lines] == ["original 0", "original 1", "changed 0", "changed 1"]
    assert np.array_equal([line.y for line in lines], [*before, *after])
    assert np.array([bar.y for bar in bars]) == pytest.approx(after - before)
    assert {bar.yaxis for bar in bars} == {"y2"}


def test_shares_over_strengths_mark_the_chosen_one() -> None:
    figure = flips.strengths([0.0, 0.1, 0.2], {"a": np.array([1, 0.5, 0])}, 0.1, "Title", ("strength", "share"), "Alt")

    assert list(figure.data[0].y) == [1, 0.5, 0]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.1, 0.1)
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("strength", "share")


def test_each_has_a_title_and_an_alternative_text() -> None:
    for figure in (
        flips.images(BEFORE, AFTER, LABELS, "Title", "Alt", dark=True),
        flips.series(BEFORE[0], AFTER[0], "Title", "Alt", dark=True),
        flips.strengths([0.0, 1.0], {"a": np.ones(2)}, 1.0, "Title", ("x", "y"), "Alt", dark=True),
    ):
        assert complete(figure).title.text == "Title"
        go.Figure(figure.to_dict())  # plotly checks every value
