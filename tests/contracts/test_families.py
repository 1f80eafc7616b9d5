"""Every family: on each data set a model that works, or a reason in words why not."""

from __future__ import annotations

import math

import pytest

import explorer as ex
from explorer.errors import NotApplicable, SpecError, UnknownName
from explorer.models import checked
from explorer.specs import ModelSpec, parse
from explorer.training import task_of
from tests.samples import cut, made_up

DATA = {
    "digits": lambda: ex.load_dataset("digits"),
    "mnist5k": lambda: ex.load_dataset("mnist5k"),
    "colour": lambda: made_up(3, 20, 12, classes=5),
    "vectors": lambda: made_up(7),
    "values": lambda: made_up(7, task="regression"),
    "two classes": lambda: made_up(7, classes=2, task="binary"),
    "series": lambda: made_up(2, 18),
    "texts": lambda: made_up(9, tokens=20),
    "translations": lambda: made_up(9, tokens=20, task="translation"),
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("family", list(ex.FAMILIES))
def test_its_model_trains_on_data_it_fits_and_says_why_on_others(family: str, data: str) -> None:
    dataset = DATA[data]()
    if reason := ex.FAMILIES.make(family).why_not(dataset):
        assert reason.endswith(".")
        with pytest.raises(NotApplicable, match=f"does not fit {dataset.title}: {reason}"):
            ex.preset(family, dataset)
        return

    spec = ex.preset(family, dataset)

    assert parse(ModelSpec, spec.model_dump_json(), "model") == spec
    checked(spec, dataset, batch_size=ex.TrainSpec().batch_size)
    model = ex.build(spec, dataset)
    task, targets = task_of(dataset), dataset.train.targets[:4]
    task.loss(task.run(model, dataset.train.inputs[:4], targets), targets).backward()
    trained = list(
        ex.train(model, cut(dataset, 12), ex.preset_training(family, dataset).model_copy(update={"epochs": 1}))
    )
    assert all(math.isfinite(value) for value in trained[-1].validation.values())
    assert all(weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("family", list(ex.FAMILIES))
def test_it_explains_itself_and_all_its_fields(family: str) -> None:
    cls = ex.FAMILIES[family]

    assert len(cls.help()) > 30
    assert cls.title
    assert all(field.description for field in cls.model_fields.values())


@pytest.mark.parametrize("family", list(ex.FAMILIES))
def test_its_parameters_matter_and_wrong_ones_are_refused(family: str, digits: ex.Dataset) -> None:
    if "translation" in ex.FAMILIES[family].tasks:
        digits = made_up(9, tokens=20, task="translation")
    with pytest.raises(SpecError, match=f"Family '{family}': there is no field 'colour'"):
        ex.preset(family, digits, colour=1)
    with pytest.raises(SpecError, match="width is 0, but"):
        ex.preset(family, digits, width=0)

    assert ex.preset(family, digits, width=8) != ex.preset(family, digits)


def test_an_unknown_family_lists_the_known_ones(digits: ex.Dataset) -> None:
    with pytest.raises(UnknownName, match=r"no family called 'gan'. Choose one of: .*mlp.*cnn"):
        ex.preset("gan", digits)
