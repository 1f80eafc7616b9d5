"""Pictures of range tests, of one batch and of gradients through time show the numbers they were given."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.figures.finder import range_curve
from explorer.figures.one_batch import batch_curve
from explorer.figures.through_time import VANISHED, Line, through_time
from tests.figures import complete

RATES = np.array([1e-3, 1e-2, 1e-1, 1.0])
LOSSES = np.array([2.0, 1.0, 0.5, 900.0])
NONE = np.empty(0)
ENDS = (1e-6, 10.0)
FADING = Line("RNN", np.array([1e-20, 1e-10, 1.0]), np.array([1e-22, 1e-12, 1e-2]), 0)
LASTING = Line("LSTM", np.array([0.2, 0.5, 1.0]), np.array([2.0, 5.0, 10.0]), 1)


FIGURES: dict[str, Callable[[bool], go.Figure]] = {
    "range test": lambda dark: range_curve(RATES, LOSSES, LOSSES, ENDS, (0.01, 1.0), dark),
    "empty range test": lambda dark: range_curve(NONE, NONE, NONE, ENDS, None, dark),
    "loss": lambda dark: batch_curve(LOSSES[:3], "loss", 0.02, 500, False, dark),
    "learned": lambda dark: batch_curve(np.array([0.5, 1.0]), "accuracy", 1.0, 500, True, dark),
    "regression": lambda dark: batch_curve(np.array([-9.0, 0.5]), "r2", 0.99, 500, False, dark),
    "empty batch": lambda dark: batch_curve(NONE, "loss", None, 500, False, dark),
    "through time": lambda dark: through_time([FADING, LASTING], dark),
    "nothing through time": lambda dark: through_time([], dark),
}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_has_a_title_an_alternative_text_and_named_axes(name: str, dark: bool) -> None:
    layout = complete(FIGURES[name](dark))
    assert layout.xaxis.title.text
    assert layout.yaxis.title.text


def test_a_range_test_draws_all_rates_and_what_explodes_leaves_the_picture() -> None:
    figure = range_curve(RATES, LOSSES, LOSSES, ENDS, (0.01, 1.0))
    batches, averaged, star = figure.data

    assert batches.x.tolist() == averaged.x.tolist() == RATES.tolist()
    assert batches.y.tolist() == LOSSES.tolist()
    assert (star.x, star.y) == ((0.01,), (1.0,))
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.range == (-6, 1)
    assert figure.layout.yaxis.range[1] < 4
    assert "Suggested: 0.01" in figure.layout.meta["alt"]
    assert "smallest, 0.5, at 0.1" in figure.layout.meta["alt"]


def test_one_batch_shows_the_bound_and_stars_the_step_that_reached_it() -> None:
    figure = batch_curve(np.array([2.0, 0.3, 0.01]), "loss", 0.02, 500, True)

    assert figure.data[0].x.tolist() == [1, 2, 3]
    assert (figure.data[1].x.tolist(), figure.data[1].y.tolist()) == ([3], [0.01])
    assert figure.layout.shapes[0].y0 == 0.02
    assert figure.layout.annotations[0].y == pytest.approx(math.log10(0.02))
    low, high = figure.layout.yaxis.range
    assert low < math.log10(0.01) < math.log10(2) < high
    unfinished = batch_curve(np.array([2.0, 0.3]), "loss", 0.02, 500, False)
    assert len(unfinished.data) == 1
    assert unfinished.layout.xaxis.range[1] > 500


def test_a_run_keeps_its_colour_and_the_band_is_there_once_something_vanishes() -> None:
    figure = through_time([FADING, LASTING])

    assert [line.name for line in figure.data] == ["RNN", "LSTM"]
    assert figure.data[0].x.tolist() == [1, 2, 3]
    assert figure.data[0].customdata.tolist() == FADING.norms.tolist()
    assert figure.data[0].line.color != figure.data[1].line.color
    assert figure.layout.shapes[0].y1 == VANISHED
    assert "RNN: 1.0e-20" in figure.layout.meta["alt"]
    assert not through_time([LASTING]).layout.shapes


def test_layers_of_one_run_share_a_colour_and_differ_in_their_strokes_and_zeros_are_left_out() -> None:
    other = Line("RNN 2", np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.5, 1.0]), 0)
    first, second = through_time([FADING, other]).data

    assert first.line.color == second.line.color
    assert first.line.dash != second.line.dash
    assert second.x.tolist() == [2, 3]
