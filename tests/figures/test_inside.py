"""Clouds of points, histograms over steps and what parts are worth: they show the numbers they were given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.ablation import SHOWN, both, worth
from explorer.figures.distribution import over_steps
from explorer.figures.space import Cloud, cloud, words
from tests.figures import complete

POINTS = np.random.default_rng(0).normal(size=(30, 3))
GROUPS = np.arange(30) % 10
NAMES = tuple(f"class <{n}>" for n in range(10))
HOVER = [f"example {n}" for n in range(30)]


def grouped(dimensions: int, dark: bool = False) -> go.Figure:
    shown = Cloud(POINTS[:, :dimensions], np.arange(100, 130), HOVER, GROUPS, NAMES, marked=4, near=(1, 2))
    return cloud(shown, ["one", "two", "three"][:dimensions], "Points", "Thirty points.", dark=dark)


def valued(dimensions: int, dark: bool = False) -> go.Figure:
    shown = Cloud(POINTS[:, :dimensions], np.arange(30), HOVER, values=np.arange(30.0), value="length")
    return cloud(shown, ["one", "two", "three"][:dimensions], "Points", "Thirty points.", ticks=False, dark=dark)


def steps(dark: bool = False) -> go.Figure:
    shares = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
    return over_steps(np.array([-3.0, -1, 1, 3]), shares, [0, 40], 40, "Weights", "Two steps.", dark=dark)


def answers(dark: bool = False) -> go.Figure:
    return both(np.array([0.9, 0.1]), np.array([0.2, 0.8]), ["a", "b"], "Without", "Two classes.", dark=dark)


def ranked(dark: bool = False) -> go.Figure:
    costs = np.linspace(-1, 2, 40)
    order = np.argsort(-costs).tolist()
    return worth(order, costs, [f"cost {c:.2f}" for c in costs], [38], "head", "Worth", "Forty.", "loss", dark)


def vocabulary(dark: bool = False) -> go.Figure:
    shown = Cloud(POINTS[:, :2], np.arange(30), HOVER, marked=29, near=(3,))
    return words(shown, [f"word{n}" for n in range(30)], ["one", "two"], "Words", "Thirty.", POINTS[:2, :2], dark)


EVERY = {
    "groups": lambda dark: grouped(2, dark),
    "groups in space": lambda dark: grouped(3, dark),
    "values": lambda dark: valued(2, dark),
    "values in space": lambda dark: valued(3, dark),
    "steps": steps,
    "answers": answers,
    "ranking": ranked,
    "words": vocabulary,
}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_every_figure_is_complete_and_one_that_plotly_accepts(name: str, dark: bool) -> None:
    complete(EVERY[name](dark))
    go.Figure(EVERY[name](dark).to_dict())


def test_a_click_on_a_point_tells_the_number_of_its_example() -> None:
    figure = grouped(2)
    for group, trace in enumerate(figure.data[:10]):
        assert [number for (number,) in trace.customdata] == (100 + np.flatnonzero(group == GROUPS)).tolist()
        np.testing.assert_allclose(trace.x, POINTS[group == GROUPS, 0])


def test_no_two_groups_look_the_same_and_no_name_is_markup() -> None:
    figure = grouped(2)
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data[:10]}
    assert len(looks) == 10
    assert figure.data[0].name == "class &lt;0&gt;"


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_one_looked_at_and_its_neighbours_are_ringed_where_they_are(dimensions: int) -> None:
    near, marked = grouped(dimensions).data[-2:]
    assert marked.x.tolist() == [POINTS[4, 0]]
    assert near.y.tolist() == POINTS[[1, 2], 1].tolist()


def test_one_unit_is_as_long_on_both_axes() -> None:
    assert grouped(2).layout.yaxis.scaleanchor == "x"
    assert grouped(3).layout.scene.aspectmode == "data"


def test_columns_are_steps_and_the_bars_are_those_of_the_one_looked_at() -> None:
    heat, bars = steps().data
    np.testing.assert_allclose(heat.z, [[1, 0.5], [1, 0.5], [0, 1]])  # each relative to its fullest
    assert bars.x.tolist() == [0.25, 0.25, 0.5]
    assert bars.y.tolist() == [-2, 0, 2]
    assert (steps().layout.shapes[0].x0, steps().layout.shapes[0].x1) == (0.5, 1.5)


def test_a_ranking_shows_the_dearest_first_and_says_what_is_off() -> None:
    (bars,) = ranked().data
    assert [number for (number,) in bars.customdata] == list(range(39, 39 - SHOWN, -1))
    assert bars.marker.pattern.shape[:3] == ("", "/", "")
    assert bars.hovertext[1].startswith("head 38 (off)")


def test_both_answers_stand_side_by_side() -> None:
    without, whole = answers().data
    assert (whole.x.tolist(), without.x.tolist()) == ([0.9, 0.1], [0.2, 0.8])


def test_the_chosen_word_is_always_written() -> None:
    assert "word29" in vocabulary().data[1].text


def test_with_nothing_off_there_is_one_answer() -> None:
    figure = both(np.array([0.9]), None, ["a"], "Nothing is off", "One class.")
    assert [trace.name for trace in figure.data] == ["whole model"]
