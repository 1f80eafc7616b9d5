"""Positional codes: those that are added, and their cosines."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer.errors import NotApplicable, UnknownName
from explorer.models.layers.embedding import PositionalEncoding
from explorer.probes import PositionCode, position_code


@pytest.mark.parametrize("learned", [False, True])
def test_a_code_is_what_the_layer_adds_to_zeros(learned: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("positions1", PositionalEncoding(7, 6, learned))
    found = position_code(model, "positions1")
    with torch.no_grad():
        np.testing.assert_array_equal(found.values, model(torch.zeros(1, 7, 6))[0])
    assert found.learned is learned


def test_similarity_is_the_cosine_and_of_sinusoidal_codes_depends_only_on_the_distance() -> None:
    by_hand = PositionCode("p", np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), True).similarity
    half = 0.5**0.5
    wanted = [[1, 0, half, 0], [0, 1, half, 0], [half, half, 1, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(by_hand, wanted, atol=1e-12)

    model = nn.Sequential()
    model.add_module("positions1", PositionalEncoding(20, 16))
    similarity = position_code(model, "positions1").similarity
    for distance in range(20):
        along = np.diagonal(similarity, distance)
        np.testing.assert_allclose(along, along[0], atol=1e-5)


def test_a_layer_that_adds_no_code_says_so() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(NotApplicable, match="adds no code of positions"):
        position_code(model, "0")
    with pytest.raises(UnknownName, match="positions1"):
        position_code(model, "positions1")
