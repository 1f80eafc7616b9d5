"""What belongs to a channel, and climbs that are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import explorer as ex
from explorer.models import plan
from explorer.probes.ascent import Climb, Goal, Rules
from explorer.views.channel import Chain, _parts, chain
from explorer.views.climbing import Climbs

CLIMB = Climb(Goal("", 0), Rules(), np.zeros(1), (0.0,))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("conv1", Chain("conv1", ("batchnorm1", "relu1"))),
        ("relu1", Chain("conv1", ("batchnorm1", "relu1"))),
        ("batchnorm2", Chain("conv2", ("batchnorm2", "relu2"))),
        ("maxpool1", None),
        ("output1", None),
    ],
)
def test_values_are_followed_from_their_convolution_through_all_that_changes_them(
    digits: ex.Dataset, name: str, found: Chain | None
) -> None:
    layers = {layer.name: layer for layer in plan(ex.preset("cnn", digits), digits).layers}
    assert chain(layers, name) == found


def test_an_activation_without_a_convolution_before_it_has_no_chain(digits: ex.Dataset) -> None:
    spec = ex.ModelSpec.of({"kind": "relu"}, {"kind": "flatten"}, {"kind": "output"})
    assert chain({layer.name: layer for layer in plan(spec, digits).layers}, "relu1") is None


def test_every_channel_of_an_input_is_drawn_an_image_in_colour_as_one() -> None:
    series, image = np.arange(12.0).reshape(3, 4), np.zeros((3, 2, 2))
    assert [(title, values.tolist()) for title, values in _parts(series)] == [
        (f"Input channel {n} of 3", series[n].tolist()) for n in range(3)
    ]
    assert [(title, values.shape) for title, values in _parts(image)] == [("Input", (3, 2, 2))]
    assert [(title, values.shape) for title, values in _parts(image[:2])] == [
        ("Input channel 0 of 2", (2, 2)),
        ("Input channel 1 of 2", (2, 2)),
    ]
    assert [(title, values.shape) for title, values in _parts(series[:1])] == [("Input", (4,))]


def test_the_furthest_climb_is_kept_whoever_comes_last() -> None:
    kept = Climbs()
    far, near = replace(CLIMB, scores=(0.0, 1.0, 2.0)), replace(CLIMB, scores=(0.0, 1.0))
    assert kept.put("a", far) is far
    assert kept.put("a", near) is far
    assert kept.get("a") is far
    assert kept.get("b") is None


def test_climbs_not_used_for_longest_are_forgotten() -> None:
    kept = Climbs(2)
    for name in "ab":
        kept.put(name, CLIMB)
    kept.get("a")
    kept.put("c", CLIMB)
    assert [name for name in "abc" if kept.get(name)] == ["a", "c"]
