"""Several numbered things in one option, as the URL has them."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.views.options import coded, numbers


@pytest.mark.parametrize(
    ("some", "text"),
    [((3,), "3"), ((0, 1, 2, 3, 7), "0-3,7"), ((1, 3, 4), "1,3-4"), (tuple(range(0, 40, 2)), "x5555555555")],
)
def test_numbers_are_written_in_ranges_unless_those_are_long_and_read_back(some: tuple[int, ...], text: str) -> None:
    assert coded(some) == text
    assert numbers(text, 300) == (some, True)


def test_every_second_unit_of_a_wide_layer_fits_into_a_link() -> None:
    some = tuple(range(0, 4096, 2))
    assert len(coded(some)) <= 1025
    assert numbers(coded(some), 4096) == (some, True)


def asking() -> None:  # only the source of this function becomes a page
    from explorer.views import state
    from explorer.views.options import Options

    state.adopt_url("page")
    first = Options(by="first")
    first.value("way", ["pca", "tsne"], "pca")
    first.one("way", "Way", ["pca", "tsne"])
    Options("2", by="second").one("way", "Way beside", ["pca", "tsne"])


def test_a_wrong_choice_of_a_link_is_said_once_where_it_is_asked_for_twice() -> None:
    app = AppTest.from_function(asking)
    app.query_params["way"], app.query_params["way2"] = "umap", "tsne"
    app.run()
    assert len([one for one in app.warning if "umap" in one.value]) == len(app.warning) == 1
    assert app.segmented_control(key="option-way2-0").value == "tsne"
    app.segmented_control(key="option-way-0").set_value("tsne").run()
    assert not app.warning


@pytest.mark.parametrize("text", ["", "9", "x", "-", "999999-999999", "8-12", "5-3", "x100", "²"])
def test_what_is_not_there_is_left_out_and_told(text: str) -> None:
    assert numbers(text, 8) == ((), False)


@pytest.mark.parametrize("text", ["6-999999", "6,7,8", "6-7,y", "x1c0"])
def test_what_goes_beyond_ends_with_what_is_there(text: str) -> None:
    assert numbers(text, 8) == ((6, 7), False)
