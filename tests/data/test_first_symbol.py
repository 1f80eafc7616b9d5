"""First symbol: nothing but the beginning tells the class."""

from __future__ import annotations

import numpy as np

import explorer as ex
from explorer.data.first_symbol import FILLERS, LENGTH, SEQUENCES, SYMBOLS


def test_the_first_symbol_is_the_class_and_what_follows_is_the_same_for_all() -> None:
    table = ex.DATASETS["first_symbol"].make().read()

    assert len(table.inputs) == SEQUENCES * len(SYMBOLS)
    assert {len(text) for text in table.inputs} == {LENGTH}
    assert [table.classes[target] for target in table.targets] == [text[0] for text in table.inputs]
    rests = {symbol: {text[1:] for text in table.inputs if text[0] == symbol} for symbol in SYMBOLS}
    assert all(rest == rests["A"] for rest in rests.values())
    assert len(rests["A"]) == SEQUENCES
    assert {symbol for text in rests["A"] for symbol in text} == set(FILLERS)
    assert np.array_equal(table.evidence.nonzero()[1], np.zeros(len(table.inputs)))
