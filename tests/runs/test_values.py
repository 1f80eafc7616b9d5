"""What is typed for a field of a sweep becomes the values it says, or an error in words."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import SpecError
from explorer.models import FAMILIES
from explorer.runs.values import read_values
from explorer.specs import TrainSpec

FIELDS = {**FAMILIES["attention"].model_fields, **FAMILIES["mlp"].model_fields, **TrainSpec.model_fields}


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("learning_rate", "0.001, 0.01, 0.1", (0.001, 0.01, 0.1)),
        ("learning_rate", " 1e-3;.01 ", (0.001, 0.01)),
        ("learning_rate", "0.0001 to 0.1 in 4 steps", (0.0001, 0.001, 0.01, 0.1)),
        ("learning_rate", "0.1 TO 0.0001 in 4", (0.0001, 0.001, 0.01, 0.1)),
        ("learning_rate", "0.001..0.002 in 3 values", (0.001, 0.0015, 0.002)),
        ("learning_rate", "0.1 to 1 in 4 steps linear", (0.1, 0.4, 0.7, 1.0)),
        ("learning_rate", "0.01 to 0.04 in 3, log", (0.01, 0.02, 0.04)),
        ("batch_size", "16 to 128 in 4 steps", (16, 32, 64, 128)),
        ("width", "16 to 128 in 4 steps", (16, 32, 64, 128)),
        ("epochs", "1 to 10 in 10 steps", tuple(range(1, 11))),
        ("epochs", "5, 5, 10", (5, 10)),
        ("depth", "1 to 4", (1, 2, 3, 4)),
        ("seed", "1 to 9", tuple(range(1, 10))),
        ("weight_decay", "0, 0.001", (0.0, 0.001)),
        ("momentum", "0.5 to 0.9 in 3", (0.5, 0.7, 0.9)),
        ("optimizer", "Adam, sgd", ("adam", "sgd")),
        ("score", "additive", ("additive",)),
        ("nesterov", "yes, no", (True, False)),
    ],
)
def test_a_list_or_a_range_gives_its_values(name: str, text: str, values: tuple) -> None:
    assert read_values(name, FIELDS[name], text).values == values


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("learning_rate", "", "no values for learning rate"),
        ("learning_rate", "fast", "'fast' is not a number for learning rate"),
        ("learning_rate", "-1, 1", "Learning rate is -1.0, but it should be greater than 0"),
        ("learning_rate", "nan", "nan"),
        ("batch_size", "1.5", "Batch size is 1.5"),
        ("batch_size", "1e30", "65536"),
        ("optimizer", "adamm", "Choose from: adam, adamw, sgd, rmsprop"),
        ("nesterov", "perhaps", "yes, no"),
        ("weight_decay", "0 to 1 in 3 log", "positive"),
        ("epochs", "1 to 1000 in 500 steps", "from 2 to 100"),
        ("seed", ",".join(map(str, range(101))), "101 values"),
    ],
)
def test_what_cannot_be_used_is_said_with_the_field(name: str, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said.replace("(", r"\(")):
        read_values(name, FIELDS[name], text)


def test_numbers_of_a_range_are_multiples_where_the_field_asks_for_them() -> None:
    width = FAMILIES["attention"].model_fields["width"]
    assert read_values("width", width, "16 to 104 in 4").values == (16, 48, 72, 104)
    with pytest.raises(SpecError, match="multiple of 8"):
        read_values("width", width, "20")


def test_random_values_lie_within_their_range_and_are_log_uniform_over_decades() -> None:
    random = np.random.default_rng(0)
    rates = read_values("learning_rate", FIELDS["learning_rate"], "0.0001 to 1")
    drawn = np.array([rates.draw(random) for _ in range(4000)])
    assert rates.ratios
    assert drawn.min() >= 0.0001
    assert drawn.max() <= 1
    shares = np.histogram(np.log10(drawn), bins=4, range=(-4, 0))[0] / len(drawn)  # one bin a decade
    np.testing.assert_allclose(shares, 0.25, atol=0.03)

    shares = read_values("momentum", FIELDS["momentum"], "0.5 to 0.9")
    drawn = np.array([shares.draw(random) for _ in range(4000)])
    assert not shares.ratios
    np.testing.assert_allclose(np.histogram(drawn, bins=4, range=(0.5, 0.9))[0] / len(drawn), 0.25, atol=0.03)


def test_lists_are_drawn_evenly_and_whole_numbers_stay_whole() -> None:
    random = np.random.default_rng(0)
    words = read_values("optimizer", FIELDS["optimizer"], "adam, sgd")
    assert 450 < sum(words.draw(random) == "sgd" for _ in range(1000)) < 550
    sizes = read_values("batch_size", FIELDS["batch_size"], "16 to 256")
    assert all(type(sizes.draw(random)) is int for _ in range(50))
