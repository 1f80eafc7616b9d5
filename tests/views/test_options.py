"""Several numbered things in one option, as the URL has them."""

from __future__ import annotations

import pytest

from explorer.views.options import _numbers, ranges


@pytest.mark.parametrize(("numbers", "text"), [((), ""), ((3,), "3"), ((0, 1, 2, 3, 7), "0-3,7"), ((1, 3, 4), "1,3-4")])
def test_numbers_are_written_in_ranges_and_read_back(numbers: tuple[int, ...], text: str) -> None:
    assert ranges(numbers) == text
    assert tuple(_numbers(text, 8)) == numbers


@pytest.mark.parametrize("text", ["9", "x", "-", "999999-999999", "8-12", "5-3"])
def test_what_is_not_there_is_left_out(text: str) -> None:
    assert list(_numbers(text, 8)) == []


def test_a_range_that_goes_beyond_ends_with_what_is_there() -> None:
    assert list(_numbers("6-999999", 8)) == [6, 7]
