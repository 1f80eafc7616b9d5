"""Costs agree with a count by hand, and laws with numpy's own fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import explorer as ex
from explorer.runs.cost import WATTS, cost_of, flops, flops_until, watts
from explorer.runs.execute import execute, submit
from explorer.runs.scaling import power_law
from tests.runs.conftest import SPEC


@pytest.fixture
def run(store: ex.RunStore) -> ex.Run:
    """Softmax regression on digits, two epochs of 1,258 examples."""
    with store.owners.hold() as owner:
        return execute(store, submit(store, SPEC, owner=owner), owner)


def test_operations_are_those_counted_by_hand(run: ex.Run) -> None:
    # 64 pixels into 10 classes: 640 multiply-adds forwards, 2 operations each, and three times that with the way back.
    cost = cost_of(run)
    assert (cost.parameters, cost.macs) == (650, 640)
    assert run.samples == 2 * 1258
    assert cost.flops == 6 * 640 * 2 * 1258 == 9_661_440
    assert cost.rate == pytest.approx(run.samples / run.trained)
    assert (cost.seconds, cost.memory) == (run.trained, run.memory)


def test_the_way_back_takes_about_twice_the_way_forward_as_torch_counts_it() -> None:
    # Weights between hidden layers: the first layer of a model needs no gradient of its inputs.
    model = torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.ReLU(), torch.nn.Linear(32, 32))
    with FlopCounterMode(display=False) as counter:
        model(torch.rand(8, 32, requires_grad=True)).sum().backward()
    assert counter.get_total_flops() == flops(2 * 32 * 32, 8)


def test_operations_over_the_steps_end_at_the_total_and_are_exact_at_the_ends_of_epochs(run: ex.Run) -> None:
    half = run.step // 2
    np.testing.assert_allclose(flops_until(run, np.array([0, half, run.step])), [0, 6 * 640 * 1258, 6 * 640 * 2516])


def test_energy_is_the_assumed_power_over_the_time(run: ex.Run) -> None:
    hour = replace(run, trained=3600.0)
    assert cost_of(replace(hour, device="cpu (2 threads)")).energy == WATTS["cpu"]
    assert cost_of(replace(hour, device="cuda (NVIDIA H100)")).energy == WATTS["cuda"]
    assert watts("") == watts("something else") == WATTS["cpu"]


def test_a_run_that_has_not_begun_has_cost_nothing(store: ex.RunStore) -> None:
    cost = cost_of(store.create(SPEC, parameters=650, macs=640))
    assert (cost.flops, cost.seconds, cost.rate, cost.energy) == (0, 0, 0, 0)


def test_a_power_law_is_found_again() -> None:
    n = np.array([10, 100, 1000, 10000])
    law = power_law(n, 5 * n**-0.3)
    assert (law.a, law.b, law.fit, law.points) == pytest.approx((5, 0.3, 1, 4))
    np.testing.assert_allclose(law.at(n), 5 * n**-0.3)
    assert str(law) == "loss ≈ 5 · n^-0.3, R² 1.00 over 4 runs"


def test_a_power_law_through_noise_is_the_line_that_polyfit_finds() -> None:
    random = np.random.default_rng(0)
    n = np.repeat([8, 16, 32, 64, 128], 3)
    loss = 2 * n**-0.2 * np.exp(random.normal(0, 0.1, len(n)))
    slope, start = np.polyfit(np.log(n), np.log(loss), 1)
    law = power_law(n, loss)
    assert (law.a, law.b) == pytest.approx((np.exp(start), -slope))
    assert law.fit == pytest.approx(np.corrcoef(np.log(n), np.log(loss))[0, 1] ** 2)


@pytest.mark.parametrize(
    ("n", "loss"), [([1, 2, 3], [3, 2, 1]), ([1, 1, 2, 2, 3, 3], [1] * 6), ([1, 2, 3, 4], [1, 2, 3, np.nan])]
)
def test_no_law_is_drawn_through_fewer_than_four_sizes(n: list[float], loss: list[float]) -> None:
    assert power_law(n, loss) is None
