"""Every look draws each family it is offered for, whatever is chosen, at one step, at several, and beside itself."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.data import dataset_of
from explorer.models import Planned
from explorer.probes import capture
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.training import task_of
from explorer.views import inside, page, representations, state
from explorer.views import view as views
from explorer.views.looks import LOOKS, ablation, spread, unit_finder
from explorer.views.options import Options
from tests.pages.conftest import healthy, idle, store  # noqa: F401
from tests.probes.test_capture import RESNET, traces

DATA = ("breast_cancer", "diabetes", "digits", "mnist1d", "evidence_words", "phrases")
"""Each modality and task."""
WHOLE = {"layer", "memory", "attention", "across", "of"}
"""Choices whose values are all drawn, of layers one of each kind; of all others the last ones, together."""
LONG = {"way", "climb"}
"""Choices that stay as they are: others take seconds."""
SMALL = {representations: 16, ablation: 16, spread: 8, unit_finder: 24}
"""Most examples of each."""


def offered() -> Iterator[tuple[str, str]]:
    """Every family with the data it fits."""
    for data in DATA:
        for family in ex.FAMILIES:
            if ex.FAMILIES.make(family).why_not(ex.load_dataset(data)) is None:
                yield family, data
    yield "residual", "digits"


OFFERED = list(offered())


def spec_of(family: str, data: str) -> ex.ModelSpec:
    return RESNET if family == "residual" else ex.preset(family, ex.load_dataset(data), width=8)


# -- looks ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard(Options):
    """Options that remember what there was to choose from, and what was chosen."""

    known: dict[str, Sequence[Any]] = field(default_factory=dict)
    chosen: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str, known: Sequence[Any], default: Any, label: str = "") -> Any:
        self.known[name] = known
        self.chosen[name] = super().value(name, known, default, label)
        return self.chosen[name]


@dataclass
class Drawing:
    """Draws looks, all on one page, so that each stands beside itself too, and remembers what came of it."""

    view: views.View
    slots: int = 0
    drawn: list[go.Figure | str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def every(self) -> None:
        for look in LOOKS.values():
            if look.why_not(self.view) is not None:
                continue
            known = self.draw(look.name, {})
            self.draw(look.name, {}, several=True)
            last = {option: values[-1] for option, values in known.items() if option not in WHOLE | LONG}
            self.draw(look.name, last)
            for option in WHOLE & known.keys():
                for value in self.one_each(known[option], lambda layer: layer.kind):
                    self.draw(look.name, {option: value})
                if not look.steady:
                    self.draw(look.name, {option: known[option][-1]}, several=True)

    def one_each(self, names: Sequence[str], sort: Callable[[Planned], str]) -> list[str]:
        """Of the names of layers one for each sort; of other names all."""
        layers = self.view.layers
        return list({sort(layers[one]) if one in layers else one: one for one in names}.values())

    def draw(self, name: str, chosen: dict[str, Any], several: bool = False) -> dict[str, Sequence[Any]]:
        """Draw a look in a slot of its own; returns what there was to choose from."""
        self.slots += 1
        options, before = Heard(f"s{self.slots}", by=name, scope=LOOKS[name].scope), len(self.drawn)
        state.keep_option("steps", str(several))
        for option, value in chosen.items():
            state.keep_option(options.kept(option), str(value))
        said = f"{name} {chosen}" + (" at several steps" if several else "")
        try:
            inside._draw(name, self.view, options, several)
        except Exception:
            self.wrong.append(f"{said}: {traceback.format_exc(limit=-4)}")
            return options.known
        for option, value in chosen.items():
            if value in options.known.get(option, ()) and options.chosen[option] != value:
                self.wrong.append(f"{said} takes {options.chosen[option]} for {option}")
        if not any(map(holds, self.drawn[before:])):
            self.wrong.append(f"{said} draws nothing")
        return options.known


def holds(drawn: go.Figure | str) -> bool:
    """Whether a figure has anything in it; a line that says why there is none has."""
    if isinstance(drawn, str):
        return bool(drawn)
    traces = drawn.to_dict()["data"]
    values = [np.ravel(trace[axis]).tolist() for trace in traces for axis in ("x", "y", "z") if axis in trace]
    return any(value is not None and value == value for one in values for value in one)  # NaN is nothing


def script(draw) -> None:  # noqa: ANN001 - only the source of this function becomes a page
    draw()


@pytest.fixture
def view(request: pytest.FixtureRequest, store: RunStore) -> views.View:  # noqa: F811
    """The first example of a run that has hardly been trained."""
    family, data = request.param
    spec = ex.RunSpec(
        dataset=data, model=spec_of(family, data), train=ex.TrainSpec(epochs=1, batch_size=16), examples=48
    )
    with store.owners.hold() as owner:
        run = execute(store, submit(store, spec, owner=owner), owner)
    steps = store.snapshots.steps(run.id)
    return views.View(run, steps, steps[-1], dataset_of(run.spec), "test", 0, None, many=2)


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize("view", OFFERED, indirect=True, ids="-".join)
def test_it_draws_whatever_is_chosen_at_one_step_at_several_and_beside_itself(
    view: views.View, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, chart, info = Drawing(view), page._chart, st.info

    def charted(figure: go.Figure, *args: Any, **more: Any) -> None:
        drawing.drawn.append(figure)
        chart(figure, *args, **more)

    def told(text: str, **more: Any) -> None:
        drawing.drawn.append(text)
        info(text, **more)

    monkeypatch.setattr(page, "_chart", charted)
    monkeypatch.setattr(st, "info", told)
    monkeypatch.setattr(st, "page_link", lambda *_, **__: None)  # there are no other pages here
    for module, count in SMALL.items():
        monkeypatch.setattr(module, "EXAMPLES", count)

    app = AppTest.from_function(script, default_timeout=60, args=(drawing.every,)).run()

    assert not drawing.wrong, "\n".join(drawing.wrong)
    assert drawing.slots > 3 * len(LOOKS) / 2
    healthy(app)


# -- capture ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "data"), OFFERED, ids=map("-".join, OFFERED))
def test_capture_restores_the_model_after_an_error_inside(family: str, data: str) -> None:
    dataset = ex.load_dataset(data)
    model, examples = ex.build(spec_of(family, data), dataset).train(), dataset.train
    task_of(dataset).run(model, examples.inputs[:4], examples.targets[:4]).sum().backward()
    gradients = [None if weight.grad is None else weight.grad.clone() for weight in model.parameters()]
    names = [name for name, _ in model.named_modules() if name]
    before = traces(model)

    with pytest.raises(ZeroDivisionError), capture(model, names) as seen:
        task_of(dataset).run(model, examples.inputs[:2], examples.targets[:2]).sum().backward()
        assert seen
        raise ZeroDivisionError

    assert traces(model) == before
    for weight, gradient in zip(model.parameters(), gradients, strict=True):
        assert (weight.grad is None) == (gradient is None)
        assert gradient is None or torch.equal(weight.grad, gradient)
