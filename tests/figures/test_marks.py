"""The table of trust as small charts."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from explorer.figures.marks import Column, Entry, curves, rivals, table
from tests.figures import complete

METHODS = [("saliency", "Saliency"), ("random", "Random")]
COLUMNS = [
    Column("randomisation", "Random weights", "lower", (-0.2, 1.0)),
    Column("deletion", "Deletion", "lower", (0.0, 1.0)),
    Column("insertion", "Insertion", "higher", (0.0, 1.0)),
]
ENTRIES = [
    [Entry("held", 0.1, 1.0, "Depends."), Entry("doubtful", 0.5, 0.4, "No sooner."), Entry("waiting")],
    [Entry("none", words="Why not."), Entry("broken", words="Went wrong."), Entry("held", 7.0, 0.2, "High.")],
]


def drawn(**more: object) -> go.Figure:
    return go.Figure(table(METHODS, COLUMNS, ENTRIES, "2 examples", **more).to_dict())


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_complete_and_of_what_plotly_knows(dark: bool) -> None:
    lines = {"Saliency": [(0, 1), (1, 0.2)], "random places": [(0, 1), (1, 0.5)]}
    for figure in (
        table(METHODS, COLUMNS, ENTRIES, "2 examples", dark),
        curves(lines, "Deletion", "share covered", "probability", dark),
        rivals({"Saliency": 0.3, "Occlusion": -0.1}, "Others", "rank correlation", dark),
    ):
        complete(figure)
        go.Figure(figure.to_dict())


def test_a_cell_has_its_score_its_control_and_its_number_and_a_doubtful_one_a_sign_and_a_pattern() -> None:
    bars, ticks, numbers = drawn().data[3:6]
    assert (bars.x[0], ticks.x[0], numbers.text[0]) == (0.5, 0.4, "<b>0.50 !</b>")
    assert bars.marker.pattern.shape[0] == "/"
    assert drawn().data[0].marker.pattern.shape[0] == ""
    assert bars.customdata[0] == ["saliency", "deletion"]
    assert list(numbers.customdata[1]) == ["random", "deletion"]


def test_what_has_no_score_has_a_sign_and_what_is_off_the_scale_ends_at_it_with_its_own_number() -> None:
    data = drawn().data
    assert data[2].text[1] == "–"
    assert data[5].text[1] == "<b>×</b>"
    assert data[8].text[0] == "·"
    assert (data[6].x[1], data[8].text[1]) == (1.0, "7.00")
    assert list(data[1].y) == [0]  # no control where there is no score


def test_the_head_of_each_check_says_which_way_is_better() -> None:
    heads = [one.text for one in drawn().layout.annotations]
    assert ["← better" in head for head in heads] == [True, True, False]
    assert "better →" in heads[2]


def test_more_checks_than_fit_go_below_each_other_and_never_overlap() -> None:
    one, two = drawn(), drawn(across=1)
    assert one.layout.yaxis.domain == one.layout.yaxis3.domain
    assert two.layout.yaxis.domain[0] > two.layout.yaxis2.domain[1] > two.layout.yaxis2.domain[0]
    assert two.layout.yaxis2.domain[0] > two.layout.yaxis3.domain[1]
    assert two.layout.height > one.layout.height
    assert one.layout.xaxis.domain[1] < one.layout.xaxis2.domain[0]


def test_the_alternative_text_reads_the_whole_table() -> None:
    words = drawn().layout.meta["alt"]
    assert "Random weights, lower is better: Saliency 0.10 (control 1.00), Random does not apply." in words
    assert "Deletion, lower is better: Saliency 0.50 (control 0.40), doubtful, Random could not be worked out." in words
