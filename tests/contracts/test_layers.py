"""Every layer, on every kind of input it takes: what is planned is what is built, printed and computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import explorer as ex
from explorer.errors import SpecError
from explorer.models import Plan, plan
from explorer.training import task_of
from tests.samples import made_up

IMAGES = made_up(3, 16, 12)
SERIES = made_up(2, 18)
VECTORS = made_up(13)
TOKENS = made_up(9, tokens=20)
PAIRS = made_up(9, tokens=20, task="translation")
START: dict[str, tuple[ex.Dataset, list[dict[str, Any]]]] = {
    "image": (IMAGES, [{"kind": "conv", "channels": 4}]),
    "series": (SERIES, [{"kind": "conv", "channels": 4}]),
    "vector": (VECTORS, [{"kind": "linear"}]),
    "tokens": (TOKENS, []),
    "sequence": (TOKENS, [{"kind": "embedding", "size": 8}]),
}
"""A data set and layers that lead to each kind of tensor."""
END = {
    "image": [{"kind": "flatten"}],
    "series": [{"kind": "flatten"}],
    "sequence": [{"kind": "meanpool"}],
    "vector": [],
}


@dataclass(frozen=True)
class Placed:
    """A layer in a small model that suits it."""

    name: str
    dataset: ex.Dataset
    spec: ex.ModelSpec
    number: int

    @property
    def plan(self) -> Plan:
        made = plan(self.spec, self.dataset)
        assert made.problem is None
        return made

    def build(self) -> nn.Module:
        """The model in eval mode, with batch statistics that are not those it started with."""
        model = ex.build(self.spec, self.dataset, seed=3)
        model(*self.inputs)
        return model.eval()

    @property
    def inputs(self) -> tuple[torch.Tensor, ...]:
        """What the model is called with: for a translator, source and what is written so far."""
        split = self.dataset.train
        return (split.inputs, split.targets[:, :-1]) if self.dataset is PAIRS else (split.inputs,)


def placed(name: str, kind: str) -> Placed:
    dataset, first = START[kind]
    if ex.LAYERS[name].crosses:
        return Placed(name, PAIRS, ex.ModelSpec.of(*first).with_decoder(*first, {"kind": name}, {"kind": "output"}), 3)
    if (name, kind) == ("flatten", "sequence"):  # not of texts
        dataset, first = SERIES, [{"kind": "steps"}]
    made = plan(ex.ModelSpec.of(*first, {"kind": name}), dataset).layers[-1].output
    last = [] if name == "output" else [*END[made.kind], {"kind": "output"}]
    return Placed(name, dataset, ex.ModelSpec.of(*first, {"kind": name}, *last), number=len(first) + 1)


CASES = [
    (name, kind) for name in ex.LAYERS for kind in ex.LAYERS[name].accepts if (name, kind) != ("output", "sequence")
]


@pytest.fixture(params=CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
def layer(request: pytest.FixtureRequest) -> Placed:
    return placed(*request.param)


def test_every_layer_gives_the_shape_that_was_planned(layer: Placed) -> None:
    model = layer.build()
    planned = layer.plan.layers
    with ex.capture(model, [one.name for one in planned]) as seen:
        output = model(*layer.inputs)

    for one, before in zip(planned, (None, *planned), strict=False):
        assert one.output.size == seen[one.name].shape[1:]
        assert len(one.output.size) == {"image": 3, "series": 2, "sequence": 2, "vector": 1}[one.output.kind]
        if before and one.given.kind != "tokens":
            assert one.given.size == seen[before.name].shape[1:]
    assert output.shape[-1] == layer.dataset.outputs


def test_padding_never_changes_an_answer(layer: Placed) -> None:
    if layer.dataset not in (TOKENS, PAIRS):
        return  # only texts are padded
    model, (texts, *written) = layer.build(), layer.inputs
    together = model(texts, *written)
    for row, text in enumerate(texts):
        alone = model(text[text != 0][None], *(some[row : row + 1] for some in written))
        torch.testing.assert_close(alone[0], together[row], rtol=1e-5, atol=1e-6)


def test_a_decoder_never_sees_what_is_not_written_yet() -> None:
    for name in (name for name in ex.LAYERS if ex.LAYERS[name].crosses):
        layer = placed(name, "sequence")
        model, (texts, written) = layer.build(), layer.inputs
        changed = written.clone()
        changed[:, 3:] = 5
        before, after = model(texts, written), model(texts, changed)
        torch.testing.assert_close(after[:, :3], before[:, :3])
        assert not torch.allclose(after[:, 3:], before[:, 3:])


def test_parameters_are_those_of_the_module(layer: Placed) -> None:
    for planned in layer.plan.layers:
        module = layer.build().get_submodule(planned.name)
        assert planned.parameters == sum(weight.numel() for weight in module.parameters())
    assert layer.plan.parameters == sum(weight.numel() for weight in layer.build().parameters())


def test_multiply_adds_are_those_torch_counts_in_the_built_model(layer: Placed) -> None:
    model = layer.build()
    # Watched, gates are worked out step by step: torch does not count inside its fused recurrent kernels.
    gates = [name for name, _ in model.named_modules() if name.endswith("_gate")]
    with FlopCounterMode(display=False) as counter, torch.no_grad(), ex.capture(model, gates):
        model(*(part[:1] for part in layer.inputs))

    by_module = counter.get_flop_counts()
    for planned in layer.plan.layers:
        assert planned.macs == sum(by_module.get(f"{type(model).__name__}.{planned.name}", {}).values()) // 2
    assert layer.plan.macs == counter.get_total_flops() // 2


def test_printed_code_loads_the_same_weights_and_gives_the_same_outputs(layer: Placed) -> None:
    model = layer.build()
    scope: dict[str, Any] = {"__name__": "exported"}
    exec(compile(ex.to_code(layer.spec, layer.dataset), "exported.py", "exec"), scope)

    exported = scope["build_model"]()
    exported.load_state_dict(model.state_dict())

    assert torch.equal(exported.eval()(*layer.inputs), model(*layer.inputs))


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(layer: Placed) -> None:
    first, again, other = (ex.build(layer.spec, layer.dataset, seed=seed).state_dict() for seed in (5, 5, 6))

    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_receptive_field_is_where_a_small_change_is_felt(layer: Placed) -> None:
    planned = layer.plan.layers[layer.number - 1]
    if layer.dataset in (VECTORS, TOKENS, PAIRS):
        assert planned.receptive_field is None  # there are neither pixels nor steps
        return
    if layer.name in ("rows", "steps", "flatten") and planned.given.kind != "image":
        return  # one value of a sequence of steps is felt at one step only

    random = torch.Generator().manual_seed(0)
    x = torch.rand(256, *layer.dataset.shape.size, generator=random, dtype=torch.float64).requires_grad_()
    values = layer.build().double()[: layer.number](x)  # (N, C, H, W), (N, C, L), (N, L, D) or (N, D)
    if planned.output.kind == "vector":
        inner = torch.tensor(planned.given.size[1:])
        place = int(inner[0]) // 2 * int(inner[1]) + int(inner[1]) // 2 if len(inner) == 2 else int(inner[0]) // 2
        watched = [values[:, place % values.shape[1]]]  # a flat row: what was the central pixel of the first channel
    elif planned.output.kind == "sequence":
        watched = [step[:, planned.given.size[-1] // 2] for step in values.unbind(1)]  # patches at the edge see less
    else:
        watched = [values[(..., *(side // 2 for side in values.shape[2:]))]]
    sides = []
    for value in watched:
        (slope,) = torch.autograd.grad(value.sum(), x, retain_graph=True)
        felt = slope.abs().sum((0, 1)) > 0  # (H, W) or (L,)
        hits = [felt.any(1), felt.any(0)] if felt.ndim == 2 else [felt]
        sides.append([int(hit.nonzero().max() - hit.nonzero().min()) + 1 for hit in hits])
    assert planned.receptive_field == tuple(max(side) for side in zip(*sides, strict=True))


def test_gradients_reach_every_weight(layer: Placed) -> None:
    model = ex.build(layer.spec, layer.dataset)
    task = task_of(layer.dataset)
    task.loss(
        task.run(model, layer.dataset.train.inputs, layer.dataset.train.targets), layer.dataset.train.targets
    ).backward()

    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name


def test_unknown_and_wrong_fields_are_refused_by_name(layer: Placed) -> None:
    cls = ex.LAYERS[layer.name]
    with pytest.raises(SpecError, match="there is no field 'colour'"):
        cls.make(colour=1)
    for field, info in cls.model_fields.items():
        with pytest.raises(SpecError, match=f"{field} is 'purple'"):
            cls.make(**{field: "purple"})
        if info.annotation in (int, float):
            with pytest.raises(SpecError, match=f"{field} is -1"):
                cls.make(**{field: -1})
            with pytest.raises(SpecError, match=f"{field} is 1000000000"):
                cls.make(**{field: 10**9})


def test_it_explains_itself_and_all_its_fields(layer: Placed) -> None:
    cls = ex.LAYERS[layer.name]

    assert len(cls.help()) > 20
    assert cls.title
    assert all(field.description for field in cls.model_fields.values())


def test_what_it_does_not_take_is_refused_with_a_mend(layer: Placed) -> None:
    taken = ex.LAYERS[layer.name].accepts
    if ex.LAYERS[layer.name].crosses:
        problem = plan(ex.ModelSpec.of({"kind": "embedding"}, {"kind": layer.name}), TOKENS).problem
        assert "belongs in a translator's decoder" in str(problem)
    for kind, (dataset, first) in START.items():
        spec = ex.ModelSpec.of(*first, {"kind": layer.name})
        problem = plan(spec, dataset).problem
        if kind in taken:
            continue
        assert problem.layer == len(first) + 1
        assert " but needs " in str(problem)
        assert " before it." in str(problem) or "Move it to where there is" in str(problem)
