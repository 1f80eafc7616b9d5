"""Steps taken in few calls: to the last bit what torch's own optimisers do."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from explorer.training.quick import Quick


class Forked(nn.Module):
    """Batch norm and two outputs, of which one may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.one, self.other = nn.BatchNorm1d(4), nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor, both: bool) -> torch.Tensor:
        x = self.norm(x)
        return self.one(x) + self.other(x) if both else self.one(x)


OPTIMISERS = [
    (torch.optim.Adam, {"fused": True}),
    (torch.optim.Adam, {"fused": True, "weight_decay": 0.1}),
    (torch.optim.AdamW, {"fused": True, "weight_decay": 0.1}),
    (torch.optim.Adam, {}),
    (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    (torch.optim.RMSprop, {}),
]


@pytest.mark.parametrize(("cls", "options"), OPTIMISERS)
@pytest.mark.parametrize("left_out", [(), (0,), (3, 4), (7,)])
def test_every_optimiser_steps_as_torch_steps_it_also_where_a_weight_has_no_gradient(
    cls: type[torch.optim.Optimizer], options: dict[str, object], left_out: tuple[int, ...]
) -> None:
    plain = Forked()
    quick = deepcopy(plain).eval()
    theirs, ours = (cls(model.parameters(), lr=0.01, **options) for model in (plain, quick))
    upkeep, random = Quick(quick, ours), torch.Generator().manual_seed(0)

    for step in range(9):
        x, rate = torch.randn(8, 4, generator=random), 0.01 / (1 + step)
        for optimizer in (theirs, ours):
            optimizer.param_groups[0]["lr"] = rate
        theirs.zero_grad()
        plain(x, step not in left_out).square().mean().backward()
        theirs.step()
        upkeep.begin()
        quick(x, step not in left_out).square().mean().backward()
        upkeep.step()

    assert all(map(torch.equal, plain.state_dict().values(), quick.state_dict().values()))
    kept = [optimizer.state_dict()["state"] for optimizer in (theirs, ours)]
    assert str(kept[0]) == str(kept[1])


def test_running_averages_go_back_to_what_they_were_when_the_step_began() -> None:
    model = Forked()
    upkeep = Quick(model, torch.optim.Adam(model.parameters()))
    before = deepcopy(model.state_dict())

    upkeep.begin()
    model(torch.randn(8, 4), True)
    assert not torch.equal(model.norm.running_mean, before["norm.running_mean"])
    upkeep.restore()

    assert all(map(torch.equal, model.state_dict().values(), before.values()))
