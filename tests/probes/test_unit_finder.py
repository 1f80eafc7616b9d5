"""Units that follow a pattern, against numpy's correlation; patterns in what can be read at a glance."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import NotApplicable
from explorer.probes import following
from explorer.probes.patterns import CLASSES, LONGEST, classes_of, of_class, of_shape, of_span, of_text

LETTERS = ("<pad>", "<unknown>", *"abceilnrsxy 12.Ä")
WORDS = ("<pad>", "<unknown>", "the", "service", "was", "good", "food", "!", "2nd", "Paris", "excellent")


def noise(units: int, lengths: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(length, units)).astype(np.float32) for length in lengths]


def test_r_is_numpys_correlation_over_the_places_of_all_examples_together() -> None:
    values = noise(7, (12, 5, 30))
    marks = [np.arange(len(one)) % 3 == 0 for one in values]
    whole = np.concatenate(marks)

    found = following(values, marks)

    expected = [np.corrcoef(unit, whole)[0, 1] for unit in np.concatenate(values).T]
    np.testing.assert_allclose(found.r, expected, atol=1e-6)
    assert (found.places, found.marked) == (47, int(whole.sum()))
    assert found.ranked.tolist() == sorted(range(7), key=lambda unit: -abs(expected[unit]))


def test_a_unit_that_is_the_pattern_or_its_opposite_has_one_and_minus_one_and_a_still_one_zero() -> None:
    mark = np.array([True, False, False, True, False])
    values = np.stack([3.0 * mark + 1, -2.0 * mark, np.full(5, 0.7)], axis=1).astype(np.float32)

    found = following([values], [mark])

    np.testing.assert_allclose(found.r, [1, -1, 0], atol=1e-6)


def test_the_control_is_what_random_patterns_reach_and_the_same_seed_gives_the_same() -> None:
    values = noise(64, (40, 40))
    marks = [of_span(5, 14, 40), of_span(5, 14, 40)]

    found, again = (following(values, marks, seed=3) for _ in range(2))

    assert (found.scattered, found.moved) == (again.scattered, again.moved)
    assert following(values, marks, seed=4).scattered != found.scattered
    # Of 64 units and 100 patterns over 80 places, r is about normal with a standard deviation of 1 / sqrt(80).
    assert 3 / np.sqrt(80) < found.scattered < 5.5 / np.sqrt(80)
    assert np.abs(found.r).max() < found.chance == max(found.scattered, found.moved)


def test_slow_units_follow_runs_of_marks_by_chance_and_only_the_moved_control_shows_it() -> None:
    slow = [np.cumsum(one, axis=0) for one in noise(32, (60,) * 4)]
    found = following(slow, [of_span(20, 39, 60)] * 4)
    assert found.moved > 1.3 * found.scattered


def test_a_random_pattern_keeps_the_number_of_marks_so_that_one_mark_is_never_lost() -> None:
    mark = of_span(0, 0, 6)
    unit = np.arange(6.0)[:, None]
    # One mark of six: the largest |r| is that of the mark at an end, wherever it was moved.
    end = abs(np.corrcoef(unit[:, 0], mark)[0, 1])
    found = following([unit], [mark])
    assert found.scattered == pytest.approx(end, rel=1e-5)
    assert found.moved == pytest.approx(end, rel=1e-5)


@pytest.mark.parametrize(("mark", "said"), [(np.zeros(5, bool), "none"), (np.ones(5, bool), "every one")])
def test_a_pattern_that_is_nowhere_or_everywhere_cannot_be_followed(mark: np.ndarray, said: str) -> None:
    with pytest.raises(NotApplicable, match=f"at {said} of the 5 places"):
        following(noise(2, (5,)), [mark])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("an", [1, 2, 3, 4]), ("AN", [1, 2, 3, 4]), ("ana", [1, 2, 3, 4, 5]), ("b", [0]), (".*", []), ("nab", [])],
)
def test_a_text_is_found_wherever_it_stands_also_overlapping_and_no_sign_is_special(
    text: str, expected: list[int]
) -> None:
    assert np.flatnonzero(of_text(text, list("banana"), characters=True)).tolist() == expected


def test_of_words_whole_ones_are_found_one_after_the_other() -> None:
    text = ["the", "good", "food", "was", "good"]
    assert of_text("good", text, characters=False).tolist() == [False, True, False, False, True]
    assert of_text(" Good  food", text, characters=False).tolist() == [False, True, True, False, False]
    assert not of_text("goo", text, characters=False).any()


@pytest.mark.parametrize("text", ["", "x" * (LONGEST + 1)])
def test_a_text_that_is_empty_or_too_long_is_not_looked_for(text: str) -> None:
    with pytest.raises(NotApplicable, match="Type"):
        of_text(text, ["x"], characters=True)
    with pytest.raises(NotApplicable, match="Type"):
        of_text("   ", ["x"], characters=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vowels", [1, 7]),
        ("consonants", [0, 3, 5, 8, 9, 11]),
        ("digits", [4]),
        ("spaces", [2, 10]),
        ("after", [3, 11]),
        ("punctuation", [6]),
        ("capitals", [0]),
        ("first", [0]),
        ("last", [11]),
        ("repeated", [9]),
    ],
)
def test_classes_of_letters_are_what_they_are_called(name: str, expected: list[int]) -> None:
    assert np.flatnonzero(of_class(name, list("Xä r2s.arr b"))).tolist() == expected
    assert not len(of_class(name, []))


def test_only_classes_that_texts_of_the_vocabulary_can_have_are_offered() -> None:
    assert classes_of(LETTERS) == [name for name in CLASSES if name not in ("long", "unknown")]
    assert classes_of(("<pad>", "<unknown>", *"abc")) == ["vowels", "consonants", "repeated", "first", "last"]
    words = classes_of(WORDS)
    assert words == ["capitals", "digits", "punctuation", "long", "unknown", "repeated", "first", "last"]
    assert of_class("long", WORDS).tolist() == [len(word) >= 8 for word in WORDS]


def test_a_span_has_both_ends_and_a_series_is_above_its_mean_or_rises() -> None:
    assert np.flatnonzero(of_span(2, 4, 7)).tolist() == [2, 3, 4]
    signal = np.array([0.0, 2.0, 1.0, 5.0])
    assert of_shape("high", signal).tolist() == [False, False, False, True]
    assert of_shape("rising", signal).tolist() == [False, True, False, True]
