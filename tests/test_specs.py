"""Specs are values: what goes into JSON comes out of it, and what cannot be used says which field is wrong."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from explorer.errors import ExplorerError, SpecError
from explorer.specs import MAX_LAYERS, OPTIMIZERS, LayerSpec, ModelSpec, RunSpec, Shape, TrainSpec, parse

CNN = ModelSpec.of(
    {"kind": "conv", "channels": 16, "padding": "none"},
    {"kind": "dropout", "share": 0.1 + 0.2},
    {"kind": "flatten"},
    {"kind": "output"},
)


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec(),
        CNN,
        ModelSpec.of({"kind": "hyperloop", "speed": -1, "on": True, "off": None, "label": "für später"}),
        TrainSpec(),
        TrainSpec(optimizer="sgd", learning_rate=1 / 3, momentum=0.0, seed=2**31 - 1),
        RunSpec(dataset="digits", model=CNN, train=TrainSpec(epochs=3), family="cnn"),
    ],
    ids=lambda spec: type(spec).__name__,
)
def test_a_spec_comes_back_from_json_unchanged(spec: BaseModel) -> None:
    text = spec.model_dump_json()

    again = parse(type(spec), text, "spec")

    assert again == spec
    assert again.model_dump_json() == text


def test_random_layers_come_back_from_json_unchanged() -> None:
    chance = random.Random(0)
    values = [0, -7, 1.0, 1e-300, 10**70, True, False, None, "", "same", "4×4", "\\u0000", '"']
    for _ in range(200):
        fields = {f"field{n}": chance.choice(values) for n in range(chance.randrange(5))}
        text = ModelSpec.of({"kind": chance.choice(["conv", "", "?"]), **fields}).model_dump_json()

        assert parse(ModelSpec, text, "model").model_dump_json() == text


def test_a_wrong_layer_is_kept_as_it_was_typed() -> None:
    layer = LayerSpec(kind="conv", kernel=99, chanels="many")

    assert layer.params == {"kernel": 99, "chanels": "many"}
    assert layer.with_params(kernel=3).params == {"kernel": 3, "chanels": "many"}


@pytest.mark.parametrize("spec", [CNN, CNN.layers[0], TrainSpec(), Shape(kind="image", size=(1, 8, 8))])
def test_specs_cannot_be_changed(spec: BaseModel) -> None:
    field = next(iter(type(spec).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(spec, field, None)


@pytest.mark.parametrize(
    ("cls", "value", "field"),
    [
        (TrainSpec, {"epoch": 3}, "epoch"),
        (TrainSpec, {"epochs": 0}, "epochs"),
        (TrainSpec, {"epochs": -3}, "epochs"),
        (TrainSpec, {"epochs": 10**9}, "epochs"),
        (TrainSpec, {"epochs": 1.5}, "epochs"),
        (TrainSpec, {"epochs": "ten"}, "epochs"),
        (TrainSpec, {"epochs": None}, "epochs"),
        (TrainSpec, {"epochs": [[[3]]]}, "epochs"),
        (TrainSpec, {"batch_size": -64}, "batch_size"),
        (TrainSpec, {"batch_size": 2**40}, "batch_size"),
        (TrainSpec, {"learning_rate": 0}, "learning_rate"),
        (TrainSpec, {"learning_rate": float("nan")}, "learning_rate"),
        (TrainSpec, {"learning_rate": float("inf")}, "learning_rate"),
        (TrainSpec, {"momentum": 1}, "momentum"),
        (TrainSpec, {"weight_decay": -0.1}, "weight_decay"),
        (TrainSpec, {"seed": -1}, "seed"),
        (TrainSpec, {"optimizer": "adamant"}, "optimizer"),
        (TrainSpec, {"device": "abacus"}, "device"),
        (ModelSpec, {"layer": []}, "layer"),
        (ModelSpec, {"layers": "conv"}, "layers"),
        (ModelSpec, {"layers": [{}]}, "layers.0.kind"),
        (ModelSpec, {"layers": [{"kind": "conv", "channels": [16]}]}, "channels"),
        (ModelSpec, {"layers": [{"kind": "conv", "channels": {"of": 3}}]}, "channels"),
        (ModelSpec, {"layers": [{"kind": "conv", "padding": "s" * 81}]}, "padding"),
        (ModelSpec, {"layers": [{"kind": "dropout", "share": float("nan")}]}, "share"),
        (ModelSpec, {"layers": [{"kind": "c" * 41}]}, "layers.0.kind"),
        (ModelSpec, {"layers": [{"kind": "relu"}] * (MAX_LAYERS + 1)}, "layers"),
        (ModelSpec, {"version": 2}, "version"),
        (RunSpec, {"model": {}}, "dataset"),
        (RunSpec, {"dataset": "digits", "model": {}, "train": {"epochs": 0}}, "train.epochs"),
    ],
)
def test_what_cannot_be_used_names_its_field(cls: type[BaseModel], value: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError, match=rf"This thing cannot be used: .*{field}"):
        parse(cls, json.dumps(value), "thing")


def test_an_unknown_field_lists_the_known_ones_and_a_wrong_choice_its_choices() -> None:
    with pytest.raises(SpecError, match=r"there is no field 'epoch'. Its fields are: optimizer, .*epochs"):
        parse(TrainSpec, {"epoch": 3}, "setting")
    with pytest.raises(SpecError, match=", ".join(OPTIMIZERS)):
        parse(TrainSpec, {"optimizer": "adamant"}, "setting")


@pytest.mark.parametrize(
    "text",
    ["", "layers", "{", '{"layers": [', b"\xff\xfe", "[" * 100_000, '{"layers":' * 100_000, '{"a": %s}' % ("9" * 5000)],
    ids=["empty", "word", "brace", "cut", "bytes", "lists", "objects", "number"],
)
def test_what_is_not_json_says_so(text: str | bytes) -> None:
    with pytest.raises(SpecError, match="not valid JSON"):
        parse(ModelSpec, text, "model")


def test_nesting_of_any_depth_is_refused_in_words() -> None:
    for depth in range(1, 1500, 7):
        for text in ("[" * depth + "]" * depth, '{"epochs": ' + "[" * depth + "]" * depth + "}"):
            with pytest.raises(SpecError):
                parse(TrainSpec, text, "setting")


def test_a_huge_text_is_not_repeated_in_the_message() -> None:
    for value in ({"epochs": "a" * 10**6}, {"a" * 10**6: 1}, {"epochs": [0] * 10**5}):
        with pytest.raises(SpecError) as raised:
            parse(TrainSpec, value, "setting")
        assert len(str(raised.value)) < 500


def test_text_that_cannot_be_written_back_is_refused() -> None:
    half = '{"layers": [{"kind": "conv", "channels": "\\ud800"}]}'  # half a surrogate pair: not UTF-8

    with pytest.raises(SpecError, match="channels"):
        parse(ModelSpec, half, "model")


def test_every_message_of_a_spec_can_be_shown_to_the_user() -> None:
    assert issubclass(SpecError, ExplorerError)


def test_a_shape_counts_its_values() -> None:
    shape = Shape(kind="image", size=(2, 3, 4))

    assert shape.values == 24
    assert str(shape) == "2×3×4"
