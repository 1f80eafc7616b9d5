"""Learning rates over time, compared with torch's own schedulers."""

from __future__ import annotations

import pytest
import torch
from torch.optim import SGD, lr_scheduler

import explorer as ex
from explorer.training import StepDone
from explorer.training.schedules import factor, planned, plateaus

TOTAL = 60


def rates_of(scheduler: lr_scheduler.LRScheduler, optimizer: SGD) -> list[float]:
    rates = []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def optimizer() -> SGD:
    return SGD([torch.zeros(1, requires_grad=True)], lr=1.0)


def ours(**settings: object) -> list[float]:
    spec = ex.TrainSpec(**settings)
    return [factor(spec, step, TOTAL) for step in range(TOTAL)]


def test_cosine_is_torchs() -> None:
    made = optimizer()
    wanted = rates_of(lr_scheduler.CosineAnnealingLR(made, TOTAL - 1), made)
    assert ours(schedule="cosine") == pytest.approx(wanted, abs=1e-9)


def test_one_cycle_is_torchs() -> None:
    made = optimizer()
    theirs = lr_scheduler.OneCycleLR(made, 1.0, total_steps=TOTAL, pct_start=0.3, cycle_momentum=False)
    wanted = rates_of_until_end(theirs, made)
    got = ours(schedule="one-cycle")
    assert max(got) == pytest.approx(1.0, abs=0.01)
    assert got[0] == pytest.approx(wanted[0])
    assert got[-1] == pytest.approx(wanted[-1], abs=1e-6)
    assert got == pytest.approx(wanted, abs=0.05)  # torch rounds the end of the rise to another step


def rates_of_until_end(scheduler: lr_scheduler.LRScheduler, made: SGD) -> list[float]:
    rates = []
    for step in range(TOTAL):
        rates.append(made.param_groups[0]["lr"])
        made.step()
        if step < TOTAL - 1:
            scheduler.step()
    return rates


def test_steps_are_torchs() -> None:
    made = optimizer()
    wanted = rates_of(lr_scheduler.MultiStepLR(made, [TOTAL // 3, 2 * TOTAL // 3], 0.1), made)
    got = ours(schedule="step")
    assert sum(abs(a - b) > 1e-9 for a, b in zip(got, wanted, strict=True)) <= 2  # one step of rounding at each drop


def test_warm_up_is_torchs_linear_one() -> None:
    made = optimizer()
    wanted = rates_of(lr_scheduler.LinearLR(made, 1 / 10, 1.0, 9), made)
    assert ours(warmup=10) == pytest.approx(wanted)


def test_a_plateau_is_cut_when_torch_cuts_it() -> None:
    losses = [1.0, 0.9, 0.95, 0.92, 0.91, 0.8, 0.85, 0.86, 0.87, 0.9, 0.9, 0.9, 0.1]
    made = optimizer()
    theirs = lr_scheduler.ReduceLROnPlateau(made, factor=0.3, patience=2, threshold=0)
    for seen, loss in enumerate(losses, start=1):
        theirs.step(loss)
        assert 0.3 ** plateaus(losses[:seen]) == pytest.approx(made.param_groups[0]["lr"])


def test_the_rates_drawn_before_a_run_are_those_it_trains_with(tiny: ex.Dataset) -> None:
    spec = ex.TrainSpec(schedule="cosine", warmup=4, epochs=3)
    model = ex.build(ex.preset("mlp", tiny), tiny)
    rates = [event.rate for event in ex.train(model, tiny, spec) if isinstance(event, StepDone)]

    steps, drawn = planned(spec, len(rates))
    assert steps.tolist() == list(range(1, len(rates) + 1))
    assert drawn.tolist() == rates
    few, _ = planned(spec, 10**8)
    assert (few[0], few[-1], len(few)) == (1, 10**8, 400)
