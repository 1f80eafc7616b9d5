"""Pictures of several runs: every run is drawn as it is, and can be told from the others."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from explorer.figures.axes import PLOT, beside, log_axis, number
from explorer.figures.compare import LABELLED, Line, cost_against_quality, curves, mark
from explorer.figures.sweeps import parallel, scaling
from explorer.figures.theme import DARK, LIGHT
from tests.figures import complete

NONE = np.empty(0)
SETTINGS = pd.DataFrame({"Width": [4, 16, 64, 16], "Optimiser": ["adam", "sgd", "adam", "adam"]})
RESULT = np.array([0.5, 0.6, 0.9, np.nan])


def lines(count: int) -> list[Line]:
    x = np.arange(1, 4, dtype=float)
    return [Line(f"run <{n}>", x, 1 / (x + n), x, 1 / (x + n + 1)) for n in range(count)]


def scatter(**more: object) -> go.Figure:
    cost, quality = np.array([100.0, 10.0, 1000.0, 0.0]), np.array([0.8, 0.5, 0.7, 0.9])
    what = ("parameters", "accuracy")
    return cost_against_quality(["a", "b", "c", "free"], ["A", "B", "C", "D"], cost, quality, what, True, **more)


@cache
def every_figure(dark: bool) -> dict[str, go.Figure]:
    n = np.array([10.0, 100, 1000, 10_000])
    law = (n, n**-0.5, "loss ≈ 1 · n^-0.5")
    return {
        "curves": curves(lines(3), "accuracy", "flops", dark),
        "many curves": curves(lines(20), "loss", "step", dark, log=True, called="Width"),
        "curves of runs that wait": curves([Line("waits", NONE, NONE, NONE, NONE)], dark=dark, log=True),
        "no curves": curves([], dark=dark),
        "scatter": scatter(dark=dark),
        "empty scatter": cost_against_quality([], [], NONE, NONE, ("energy", "loss"), False, dark=dark),
        "parallel": parallel(SETTINGS, RESULT, "accuracy", True, dark),
        "empty parallel": parallel(SETTINGS, np.full(4, np.nan), "loss", False, dark),
        "scaling": scaling(n, n**-0.5, list("abcd"), "Width", "loss", law, dark),
        "empty scaling": scaling(n, np.full(4, np.nan), list("abcd"), "Depth", "accuracy", None, dark),
    }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(every_figure(False)))
def test_every_figure_has_a_title_an_alternative_text_and_a_height(name: str, dark: bool) -> None:
    complete(every_figure(dark)[name])


@pytest.mark.parametrize("name", ["curves", "scatter", "scaling"])
def test_axes_that_carry_numbers_are_named(name: str) -> None:
    layout = every_figure(False)[name].layout
    assert layout.xaxis.title.text
    assert layout.yaxis.title.text


@pytest.mark.parametrize("dark", [False, True])
def test_named_runs_differ_in_more_than_their_colour(dark: bool) -> None:
    marks = [mark(n, dark) for n in range(LABELLED)]
    assert len({(look.symbol, look.dash) for look in marks}) == LABELLED
    assert len({look.colour for look in marks}) == LABELLED // 2


@pytest.mark.parametrize(("colours", "page"), [(LIGHT, "#ffffff"), (DARK, "#11171f")], ids=["light", "dark"])
def test_lines_stand_out_from_the_page(colours: object, page: str) -> None:
    def luminance(colour: str) -> float:  # https://www.w3.org/TR/WCAG21/#dfn-relative-luminance
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in colours.lines:
        low, high = sorted([luminance(colour), luminance(page)])
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_each_line_draws_its_run_and_names_are_shown_not_run() -> None:
    drawn = {trace.name: trace for trace in curves(lines(3)).data if trace.showlegend}
    assert list(drawn) == [f"run &lt;{n}&gt;" for n in (2, 1, 0)]
    np.testing.assert_array_equal(drawn["run &lt;1&gt;"].y, lines(3)[1].y)
    thin = [trace for trace in curves(lines(3)).data if trace.line.dash == "dot"]
    np.testing.assert_array_equal(thin[-1].y, lines(3)[0].train_y)


def test_of_many_runs_the_first_twelve_are_named_and_the_rest_lie_muted_below() -> None:
    figure = curves([Line(line.name, line.x, line.y, NONE, NONE) for line in lines(20)])
    named = [trace.showlegend for trace in figure.data]
    assert named == [False] * 8 + [True] * LABELLED
    assert {trace.line.color for trace in figure.data[:8]} == {LIGHT.muted}
    assert "12 of 20" in figure.layout.title.text


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    x = np.arange(1, 5001, dtype=float)
    (trace,) = curves([Line("long", x, 1 / x, NONE, NONE)]).data
    assert len(trace.x) <= 400
    assert (trace.x[0], trace.x[-1], trace.y[-1]) == (1, 5000, 1 / 5000)


def test_points_lie_at_their_cost_on_a_logarithmic_axis_and_a_click_gives_their_run() -> None:
    line, points = scatter(chosen="B").data
    assert [row[0] for row in points.customdata] == ["A", "B", "C"]  # what costs nothing has no place there
    assert list(points.x) == [100, 10, 1000]
    assert list(points.y) == [0.8, 0.5, 0.7]
    assert list(points.marker.line.width) == [1, 3, 1]
    assert list(line.x) == [10, 100]  # c costs more than a and reaches less
    assert scatter().layout.xaxis.type == "log"


def test_where_less_is_better_the_frontier_is_that_of_the_losses() -> None:
    cost, loss = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.6, 0.1])
    line, _ = cost_against_quality(list("abc"), list("ABC"), cost, loss, ("seconds", "loss"), False).data
    assert list(line.x) == [1, 4]


def test_parallel_lines_pass_their_settings_and_end_at_their_result() -> None:
    *_, best = parallel(SETTINGS, RESULT, "accuracy", True).data
    np.testing.assert_allclose(best.y[:3], [1, 0, 1])  # width 64, adam, 0.9
    assert best.line.width == 4
    every = [height for trace in parallel(SETTINGS, RESULT, "accuracy", True).data for height in np.asarray(trace.y)]
    assert sum(np.isfinite(every)) == 3 * 3  # three runs with a result, two settings and the result
    lowest = parallel(SETTINGS, RESULT, "loss", False).data[-1]
    np.testing.assert_allclose(lowest.y[:3], [0, 0, 0])
    middle = next(trace for trace in parallel(SETTINGS, RESULT, "accuracy", True).data if 1.0 in list(trace.y[1:2]))
    assert middle.y[0] == pytest.approx(0.5)  # 16 lies half way from 4 to 64 in ratios


def test_a_scaling_curve_goes_through_the_mean_of_repeats() -> None:
    line, points = scaling(np.array([1, 1, 2]), np.array([0.4, 0.6, 0.9]), list("abc"), "Depth", "accuracy").data
    assert list(line.x) == [1, 2]
    assert list(line.y) == pytest.approx([0.5, 0.9])
    assert len(points.x) == 3


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((10, 9000), ["10", "100", "1,000", "10,000"]),
        ((0.2, 2.3), ["0.2", "0.5", "1", "2"]),
        ((1e9, 2e10), ["10⁹", "2·10⁹", "5·10⁹", "10¹⁰", "2·10¹⁰"]),
        ((0.301, 0.304), ["0.301", "0.304"]),
    ],
)
def test_logarithmic_axes_have_ticks_people_can_read(ends: tuple[float, float], ticks: list[str]) -> None:
    axis = log_axis(np.array(ends, float))
    assert axis["ticktext"] == ticks
    assert axis["range"][0] < np.log10(ends[0])
    assert axis["range"][1] > np.log10(ends[1])
    assert number(1e-5) == "10⁻⁵"


def test_names_beside_points_cover_neither_points_nor_each_other() -> None:
    names = ["one run", "another run", "a third", "a fourth"]
    assert beside(np.array([0.2, 0.8]), np.array([0.5, 0.5]), names[:2]) == ["top center"] * 2
    crowded = beside(np.full(4, 0.5), np.full(4, 0.5), names)
    assert len({place for place in crowded if place}) == sum(map(bool, crowded)) > 1
    assert beside(np.array([0.99]), np.array([0.5]), ["a name too long to stand here"]) == ["middle left"]
    assert beside(np.array([0.5]), np.array([0.5]), ["x" * PLOT[0]]) == [""]
