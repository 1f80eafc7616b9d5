"""Pictures of what recurrent layers remember show the numbers they were given, under what was read."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.followers import followers
from explorer.figures.over_time import ACROSS, Read, one_unit, runs, states
from tests.figures import complete

VALUES = np.array([[0.5, -0.25, 0.0], [1.0, 0.25, 0.0]])  # (2 places, 3 units)
NUMBERS = Read(("0", "1"))
WORDS = Read(("<start>", "no"), words=True)
SERIES = Read(("0", "1"), series=np.array([[1.0, 2.0, 3.0, 4.0]]))
PICTURE = Read(("0", "1"), picture=np.array([[0.0, 1.0], [0.5, 0.25], [0.0, 0.0]]))
PARTS = {"Hidden state": np.array([0.1, -0.2]), "Candidate": np.array([0.3, 0.4]), "Update gate": np.array([0.9, 0.0])}
R = np.array([0.8, -0.5])


def heat(read: Read, dark: bool = False, **more: object) -> go.Figure:
    settings = {"limit": 1.0, "signed": True, "dark": dark} | more
    return states(VALUES, [2, 0, 1], read, "Hidden state", "Hidden states.", **settings)


def lines(read: Read, dark: bool = False, **more: object) -> go.Figure:
    return one_unit(PARTS, ["Update gate"], read, "Unit 3", "Unit 3.", dark=dark, **more)


FIGURES: dict[str, Callable[[bool], go.Figure]] = {
    f"{what.__name__} {name}": lambda dark, what=what, read=read: what(read, dark)
    for what in (heat, lines)
    for name, read in {"numbers": NUMBERS, "words": WORDS, "series": SERIES, "picture": PICTURE}.items()
} | {
    "followers": lambda dark: followers([4, 9], R, R / 2, 0.3, "Vowels", "Vowels.", chosen=9, dark=dark),
    "followers of many": lambda dark: followers([4, 9], R, None, 0.3, "Vowels", "Vowels.", dark=dark),
    "no gates": lambda dark: one_unit({"Hidden state": np.zeros(2)}, [], NUMBERS, "Unit 0", "Unit 0.", dark=dark),
}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_is_one_that_plotly_takes_with_a_title_an_alternative_text_and_named_axes(
    name: str, dark: bool
) -> None:
    figure = go.Figure(FIGURES[name](dark).to_plotly_json())  # checks every value
    layout = complete(figure)
    assert layout.xaxis.title.text
    assert "heat" in name or "followers" in name or layout.yaxis.title.text == "state"


def test_rows_are_the_units_in_the_order_given_and_bars_say_how_much_each_changes() -> None:
    cells, bars = heat(NUMBERS, chosen=0).data

    assert list(cells.y) == list(bars.y) == ["unit 2", "unit 0", "unit 1"]
    np.testing.assert_allclose(cells.z, VALUES.T[[2, 0, 1]])
    np.testing.assert_allclose(bars.x, VALUES.std(axis=0)[[2, 0, 1]])
    assert list(bars.customdata) == [[2], [0], [1]]
    assert (cells.zmin, cells.zmax) == (-1, 1)
    (marked,) = heat(NUMBERS, chosen=0).layout.shapes
    assert (marked.y0, marked.y1) == (0.5, 1.5)
    assert bars.marker.color[1] not in (bars.marker.color[0], bars.marker.color[2])
    assert not heat(NUMBERS, chosen=7).layout.shapes


def test_gates_are_on_a_scale_of_their_own_from_closed_to_open() -> None:
    cells = heat(NUMBERS, signed=False).data[0]
    assert (cells.zmin, cells.zmax) == (0, 1)
    assert cells.colorscale != heat(NUMBERS).data[0].colorscale

    figure = lines(NUMBERS)
    assert [(line.name, line.yaxis) for line in figure.data] == [
        ("Hidden state", "y"),
        ("Candidate", "y"),
        ("Update gate", "y4"),
    ]
    for line in figure.data:
        assert line.y.tolist() == PARTS[line.name].tolist()
    low, high = figure.layout.yaxis4.range
    assert low < 0 <= 1 < high
    assert figure.layout.yaxis4.domain[1] < figure.layout.yaxis.domain[0]


def test_words_stand_over_their_places_as_they_are_and_no_two_places_are_one() -> None:
    twice = Read(("no", "no"), words=True)
    axis = heat(WORDS).layout.xaxis
    assert axis.ticktext == ("&lt;start&gt;", "no")
    assert axis.side == "top"
    assert len(set(heat(twice).data[0].x)) == 2


def test_a_series_and_an_image_are_stretched_over_the_places() -> None:
    for figure in (heat(SERIES), lines(SERIES)):
        above = figure.data[-1]
        np.testing.assert_allclose(above.x, [-0.25, 0.25, 0.75, 1.25])  # 4 steps over places 0 and 1
        assert above.yaxis == "y3"
    for figure in (heat(PICTURE), lines(PICTURE)):
        above = figure.data[-1]
        np.testing.assert_allclose(above.z, PICTURE.picture)
        assert (above.x0, above.dx) == (0, 1)
        assert figure.layout.yaxis.domain[1] < figure.layout.yaxis3.domain[0]


def test_all_figures_of_places_are_aligned() -> None:
    for figure in (heat(NUMBERS), lines(NUMBERS), heat(SERIES), lines(SERIES)):
        assert figure.layout.xaxis.domain == (0, ACROSS)
        assert figure.layout.xaxis.range == (-0.5, 1.5)
        assert figure.layout.margin.l == 52


def test_marked_places_have_a_coloured_ground_and_a_limit_keeps_the_axis() -> None:
    assert runs(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    (ground,) = lines(NUMBERS, marks=np.array([False, True])).layout.shapes
    assert (ground.x0, ground.x1) == (0.5, 1.5)
    assert lines(NUMBERS, limit=2.0).layout.yaxis.range == (-2.1, 2.1)
    assert lines(NUMBERS).layout.yaxis.range is None


def test_followers_are_bars_between_minus_one_and_one_with_lines_where_chance_ends() -> None:
    figure = followers([4, 9], R, R / 2, 0.3, "Vowels", "Vowels.")
    many, here = figure.data
    assert (list(many.y), many.x.tolist()) == (["unit 4", "unit 9"], [0.8, -0.5])
    assert here.x.tolist() == [0.4, -0.25]
    assert [shape.x0 for shape in figure.layout.shapes] == [-0.3, 0.3]
    assert many.marker.color[0] != many.marker.color[1]
    assert len(followers([4, 9], R, None, 0.3, "Vowels", "Vowels.").data) == 1
