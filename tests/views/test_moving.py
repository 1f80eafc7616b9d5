"""Figures that follow each other, and lines that are worked out bit by bit."""

from __future__ import annotations

import gc

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import SnapshotError
from explorer.views import server
from explorer.views.courses import Courses, evenly


def test_the_figure_before_stays_below_the_new_one_under_its_own_key() -> None:
    def script() -> None:
        import plotly.graph_objects as go
        import streamlit as st

        from explorer.views.moving import layers, moving

        def drawn(height: int) -> list[tuple[str, int]]:
            return [
                (layer.key, layer.figure.layout.height)
                for layer in layers(lambda: go.Figure(layout={"height": height}), "a")
            ]

        said = [drawn(100)]
        with moving():
            said += [drawn(100), drawn(200), drawn(300), drawn(300)]
        said += [drawn(300), drawn(400), drawn(500)]
        st.write(repr(said))

    said = AppTest.from_function(script, default_timeout=30).run().markdown[0].value
    assert said == repr(
        [
            [("a", 100)],
            [("a", 100)],
            [("a", 100), ("a-again", 200)],
            [("a-again", 200), ("a", 300)],
            [("a", 300)],
            [("a", 300)],  # no longer moving, and the same: it stays in its place
            [("a", 400)],
            [("a", 500)],
        ]
    )


def test_a_figure_made_from_the_same_is_not_made_again() -> None:
    def script() -> None:
        import plotly.graph_objects as go
        import streamlit as st

        from explorer.views.moving import layers, moving

        made = []

        def make() -> go.Figure:
            made.append(1)
            return go.Figure(layout={"height": 100 + len(made)})

        with moving():
            for content in ("one", "one", "two", "two"):
                layers(make, "a", content)
        st.write(str(len(made)))

    assert AppTest.from_function(script, default_timeout=30).run().markdown[0].value == "2"


def test_any_beginning_of_the_order_of_work_is_spread_evenly() -> None:
    assert list(evenly([0, 10, 20, 30, 40, 50, 60, 70, 80])) == [80, 0, 40, 20, 60, 10, 30, 50, 70]
    assert list(evenly([3])) == [3]
    assert list(evenly([])) == []
    for count in range(1, 40):
        assert sorted(evenly(range(count))) == list(range(count))


def test_a_line_grows_with_each_look_leaves_out_what_was_thinned_out_and_is_forgotten_in_turn() -> None:
    worked: list[tuple] = []

    def work(run: str, step: int, split: str, example: int) -> float:
        if step == 2:
            raise SnapshotError("thinned out")
        worked.append((run, step, split, example))
        return step / 10

    lines = Courses(work, kept=2)
    place = ("run", "test", 0)
    assert lines.read(place, [0, 1, 3], seconds=-1) == {3: 0.3}  # no time: the newest only
    assert lines.read(place, [0, 1, 3], seconds=-1) == {0: 0.0, 3: 0.3}
    assert lines.read(place, [0, 1, 2, 3, 4], seconds=60) == {0: 0.0, 1: 0.1, 3: 0.3, 4: 0.4}
    assert lines.read(place, [0, 4], seconds=60) == {0: 0.0, 4: 0.4}
    assert len(worked) == 4
    for example in (1, 2):
        lines.read(("run", "test", example), [0], seconds=60)
    lines.read(place, [0], seconds=60)
    assert worked[-1] == ("run", 0, "test", 0)
    assert len(worked) == 7


def test_what_was_imported_is_not_gone_through_again_by_each_collection_of_garbage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "LATER_SECONDS", 0)
    try:
        server._warm()
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()
