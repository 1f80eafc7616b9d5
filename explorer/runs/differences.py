"""What differs between runs, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from explorer.data import load_dataset
from explorer.data.own import called
from explorer.errors import ExplorerError
from explorer.models import FAMILIES, LAYERS, preset
from explorer.runs.run import Run
from explorer.runs.values import said
from explorer.specs import Change, LayerSpec, ModelSpec, RunSpec, TrainSpec

MOST_LAYERS = 8
"""Most columns for layers; more are put into one, in words."""
ABSENT = "–"
_TITLES = {
    "dataset": "Data set",
    "examples": "Training examples",
    "fold": "Fold",
    "purpose": "Purpose",
    "start": "Began from",
    "labels": "Labels",
    "family": "Family",
    "layers": "Layers",
    "changes": "Changed on the way",
}


def differences(specs: Sequence[RunSpec]) -> pd.DataFrame:
    """One row for each run, in order, and one column for each thing in which they differ.

    Columns are named like the field: ``dataset``, ``examples``, ``width``, ``conv1.channels``, ``learning_rate``,
    ``changes`` …; `title` puts them into words. A default counts as given. Where all runs are starters of one family,
    its parameters stand for the layers.
    """
    starters = [_starter(spec) for spec in specs]
    families = len({spec.family for spec in specs}) == 1
    models = starters if families and None not in starters else _layers([spec.model for spec in specs])
    rows = [_where(spec) | model | _training(spec) for spec, model in zip(specs, models, strict=True)]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    full = {name: [row.get(name, ABSENT) for row in rows] for name in columns}
    differ = {name: column for name, column in full.items() if len(set(column)) > 1}
    return pd.DataFrame(differ, index=range(len(rows)), dtype=object)  # Python's own values: yes is not 1


def title(name: str) -> str:
    """The name of a column of `differences` in words."""
    if name in _TITLES:
        return _TITLES[name]
    if field := TrainSpec.model_fields.get(name):
        return field.title or name
    words = name.replace(".", " ").replace("_", " ")
    return words if "." in name or name[-1].isdigit() else words.capitalize()  # layers are called as in the model


def in_words(row: pd.Series) -> str:
    """A row of `differences` on one line: ``width 16, learning rate 0.01``."""
    return ", ".join(f"{_lower(title(name))} {said(value)}" for name, value in row.items() if value != ABSENT)


def cautions(runs: Sequence[Run], metrics: Sequence[str]) -> list[str]:
    """Which comparisons between runs do not hold, in words.

    Args:
        runs: The runs.
        metrics: The metric of each, such as ``accuracy``.
    """
    specs, said = [run.spec for run in runs], []
    data = sorted({called(spec.dataset) for spec in specs})
    if len(set(metrics) - {""}) > 1:
        said.append(
            "These runs do different things: they have no metric in common, and losses of different tasks cannot be "
            "compared. Their costs can."
        )
    elif len(data) > 1:
        said.append(
            f"These runs learn different data ({', '.join(data)}): a better value may only mean that the data are "
            "easier. Their costs can be compared."
        )
    if len({spec.fold for spec in specs}) > 1:
        said.append("Folds are validated on different examples: compare their test values, or their mean.")
    if len({spec.train.label_smoothing for spec in specs}) > 1:
        said.append("Label smoothing raises the training loss by itself: compare validation values only.")
    if any(spec.shuffled for spec in specs):
        said.append("Some runs learned shuffled labels: what they reach on unseen examples is chance.")
    if others := sorted({spec.purpose for spec in specs} - {"train"}):
        said.append(f"Some runs were not made to train well ({', '.join(others)}): what they reach says little.")
    if len({run.device.split(" ")[0] for run in runs if run.device}) > 1:
        said.append("They trained on different devices: seconds, memory and energy are those of the device, too.")
    return said


def _lower(words: str) -> str:
    """A title within a sentence; abbreviations stay as they are."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def _where(spec: RunSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"dataset": called(spec.dataset), "examples": spec.examples or "all"}
    if spec.fold:
        found["fold"] = f"{spec.fold[0] + 1} of {spec.fold[1]}"
    if spec.start:
        found["start"] = f"{spec.start[0]} at step {spec.start[1]}"
    found["labels"] = "shuffled" if spec.shuffled else "true"
    family = FAMILIES[spec.family].title if spec.family in FAMILIES else spec.family
    return found | {"purpose": spec.purpose, "family": family}


def _training(spec: RunSpec) -> dict[str, Any]:
    changes = [f"after step {step}: {_changed(change)}" for step, change in spec.changes]
    return spec.train.model_dump() | {"changes": "; ".join(changes) or ABSENT}


def _changed(change: Change) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in change.values.items())


def _starter(spec: RunSpec) -> dict[str, Any] | None:
    """All parameters of the family, if its starter with them is indeed the model of this run."""
    if spec.family not in FAMILIES:
        return None
    try:
        if preset(spec.family, load_dataset(spec.dataset), **spec.starter) != spec.model:
            return None
        return FAMILIES.make(spec.family, **spec.starter).model_dump()
    except ExplorerError:  # its data were removed, or it was made by hand
        return None


def _layers(models: Sequence[ModelSpec]) -> list[dict[str, Any]]:
    """What differs in their layers, by name; in one column if it is much."""
    found = [named(model) for model in models]
    rows: list[dict[str, Any]] = [{} for _ in models]
    for name in dict.fromkeys(name for layers in found for name in layers):
        mine = [layers.get(name) for layers in found]
        if None in mine:
            _column(rows, name, [ABSENT if layer is None else _said(layer) for layer in mine])
            continue
        params = [_usual(layer.kind) | layer.params for layer in mine]
        for field in dict.fromkeys(field for given in params for field in given):
            _column(rows, f"{name}.{field}", [given.get(field, ABSENT) for given in params])
    if len(rows[0] if rows else {}) <= MOST_LAYERS:
        return rows
    return [{"layers": ", ".join(_part(name, value) for name, value in row.items() if value != ABSENT)} for row in rows]


def _column(rows: list[dict[str, Any]], name: str, values: list[Any]) -> None:
    if len(set(values)) > 1:
        for row, value in zip(rows, values, strict=True):
            row[name] = value


def named(model: ModelSpec) -> dict[str, LayerSpec]:
    """Layers by the names they have in the built model."""
    stacks = [("encoder.", model.layers), ("decoder.", model.decoder)] if model.decoder else [("", model.layers)]
    found: dict[str, LayerSpec] = {}
    for side, layers in stacks:
        counts: dict[str, int] = {}
        for layer in layers:
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            found[f"{side}{layer.kind}{counts[layer.kind]}"] = layer
    return found


def _usual(kind: str) -> dict[str, Any]:
    """The defaults of a layer."""
    fields = LAYERS[kind].model_fields if kind in LAYERS else {}
    return {name: field.default for name, field in fields.items()}


def _said(layer: LayerSpec) -> str:
    """What a layer was given."""
    return ", ".join(f"{name.replace('_', ' ')} {said(value)}" for name, value in layer.params.items()) or "yes"


def _part(name: str, value: Any) -> str:
    words = said(value)
    return title(name) if words == "yes" else f"{title(name)} {words}"
