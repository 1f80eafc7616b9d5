"""Groups of a table are those of its source, and their rates those of pandas."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import explorer as ex
from explorer.data import own
from explorer.data.source import shipped
from explorer.probes import slices
from explorer.probes.slices import Column, columns, groups

COUNT = 400


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """A file with categories of two and of three values, a number with gaps, and a number with a strange name."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "colour": random.choice(["red", "green", "blue"], COUNT),
            "sex": random.choice(["m", "f"], COUNT),
            "age": random.normal(40, 10, COUNT).round(1),
            "size = big": random.normal(0, 1000, COUNT).round(2),
            "rooms": random.integers(1, 5, COUNT),
            "bought": random.choice(["yes", "no"], COUNT),
        }
    )
    frame.loc[: COUNT // 10, "age"] = np.nan
    return frame


@pytest.fixture(scope="module")
def shop(frame: pd.DataFrame) -> ex.Dataset:
    return own.read_table(own.read_csv(frame.to_csv(index=False).encode()), "bought").dataset("Shop")


def grouped(dataset: ex.Dataset, name: str, split: str = "train") -> np.ndarray:
    """Name of the group of each row."""
    column = next(column for column in columns(dataset) if column.name == name)
    place, names = groups(dataset, split, column)
    return np.array(names)[place]


def test_a_category_is_one_column_and_a_gap_no_column_of_its_own(shop: ex.Dataset) -> None:
    assert shop.features[:4] == ("colour = blue", "colour = green", "colour = red", "sex = m")
    assert columns(shop) == [
        Column("colour", (0, 1, 2), ("blue", "green", "red")),
        Column("sex", (3,), ("m",)),
        Column("age", (4,), (), 5),
        Column("size = big", (6,)),
        Column("rooms", (7,)),
    ]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_groups_are_those_of_the_file(shop: ex.Dataset, frame: pd.DataFrame, split: str) -> None:
    rows = frame.iloc[shop.split(split).rows]

    assert (grouped(shop, "colour", split) == rows["colour"]).all()
    assert (grouped(shop, "sex", split) == rows["sex"].map({"m": "m", "f": "not m"})).all()
    assert (grouped(shop, "rooms", split) == rows["rooms"].astype(str)).all()
    assert ((grouped(shop, "age", split) == "missing") == rows["age"].isna()).all()


def test_a_number_is_cut_at_the_quantiles_of_the_train_split_in_its_own_units(
    shop: ex.Dataset, frame: pd.DataFrame
) -> None:
    rows = frame.iloc[shop.train.rows]
    edges = np.nanquantile(rows["age"], [0.25, 0.5, 0.75])
    wanted = pd.cut(rows["age"], [-np.inf, *edges, np.inf], right=False, labels=False)

    found = grouped(shop, "age")
    names = [f"under {edges[0]:.6g}", *(f"{a:.6g} to under {b:.6g}" for a, b in pairwise(edges))]
    names.append(f"{edges[2]:.6g} and over")
    for number, name in enumerate(names):
        assert ((found == name) == (wanted == number)).all()
    assert len(set(grouped(shop, "age", "test"))) == 3, "few examples: two halves and what is missing"


def test_a_data_set_without_its_scales_is_grouped_the_same(shop: ex.Dataset) -> None:
    bare = replace(shop, feature_scales=())
    for name in ("colour", "sex"):
        assert (grouped(bare, name) == grouped(shop, name)).all()
    assert len(set(grouped(bare, "rooms"))) == 4


def test_zeros_and_ones_are_no_and_yes_and_years_are_years() -> None:
    arrests = ex.load_dataset("arrests")
    table = pd.read_csv(shipped("sklego", "data/arrests.zip")).iloc[arrests.test.rows]

    assert ((grouped(arrests, "male", "test") == "yes") == (table["sex"] == "Male")).all()
    assert (grouped(arrests, "year", "test") == table["year"].astype(str)).all()


def test_rates_are_those_of_pandas() -> None:
    random = np.random.default_rng(1)
    place, truth, predicted = random.integers(0, 3, 300), random.integers(0, 2, 300), random.integers(0, 2, 300)
    table = slices.slices(place, ("x", "y", "z", "nobody"), truth, predicted, chosen=1)

    frame = pd.DataFrame({"place": place, "truth": truth, "predicted": predicted})
    for number in range(3):
        mine, row = frame[frame["place"] == number], table.iloc[number]
        assert row["examples"] == len(mine)
        assert row["selected"] == pytest.approx((mine["predicted"] == 1).mean())
        assert row["wrong"] == pytest.approx((mine["predicted"] != mine["truth"]).mean())
        no, yes = mine[mine["truth"] == 0], mine[mine["truth"] == 1]
        assert row["false positive"] == pytest.approx((no["predicted"] == 1).mean())
        assert row["false negative"] == pytest.approx((yes["predicted"] == 0).mean())
        assert (row["false positive of"], row["false negative of"]) == (len(no), len(yes))
    assert table.iloc[3][["selected", "wrong", "false positive"]].isna().all()


def test_rates_by_hand_for_the_other_class() -> None:
    # Group x: one of class 0 answered 0, one of class 0 answered 1. Group y: one of class 1 answered 0.
    table = slices.slices(np.array([0, 0, 1]), ("x", "y"), np.array([0, 0, 1]), np.array([0, 1, 0]), chosen=0)

    assert table["selected"].tolist() == [0.5, 1]
    assert table["wrong"].tolist() == [0.5, 1]
    assert table["false negative"].tolist()[0] == 0.5
    assert np.isnan(table["false positive"].tolist()[0])  # nobody in x is of another class
    assert table["false positive"].tolist()[1] == 1


def test_how_far_off_each_group_is_by_hand() -> None:
    table = slices.spread(np.array([0, 0, 1]), ("x", "y", "z"), np.array([1.0, 2, 3]), np.array([2.0, 1, 5]))

    assert table["error"].tolist()[:2] == [1, 2]
    assert table["leaning"].tolist()[:2] == [0, 2]
    assert np.isnan(table["error"].tolist()[2])


@pytest.mark.parametrize(
    ("wrong", "of", "says"),
    [
        (
            [0.0, 1.0, 1.0],
            [200, 200, 3],
            "Highest where hat is “b” (100.0%), lowest where it is “a” (0.0%). Their 95 %",
        ),
        ([0.1, 0.9], [200, 200], "do not overlap"),
        ([0.1, 0.15], [40, 40], "may be chance"),
        ([0.5, 0.9], [200, 5], "Fewer than two groups"),
        ([0.5, 0.5], [200, 200], "the same"),
    ],
)
def test_only_groups_that_are_large_enough_are_compared(wrong: list[float], of: list[int], says: str) -> None:
    table = pd.DataFrame({"group": list("abc")[: len(of)], "wrong": wrong, "wrong of": of})
    assert says in slices.verdict(table, "wrong", "hat")
