"""How examples are coloured where they are points: by class, by whether the answer is right, by a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.views import results
from explorer.views.server import store

if TYPE_CHECKING:
    from explorer.views.view import View

CLASSES = 18
"""Most classes that get a colour and a shape of their own; of more, the most frequent ones."""
RIGHT = ("right", "wrong")

Said = dict[str, Any]
"""What `Cloud` is told: ``hover`` and ``groups`` with ``names``, or ``values`` with ``value``."""


def known(view: View) -> dict[str, str]:
    """What examples can be coloured by, in words; the usual first."""
    if view.dataset.task == "translation":
        return {"right": "right or wrong", "length": "length of the source"}
    if view.dataset.task == "regression":
        return {"value": "true value", "error": "error"}
    return {"class": "true class", "right": "right or wrong"}


def colours(view: View, rows: np.ndarray, by: str) -> Said:
    """Groups or values of some examples of a split, and what is said of each."""
    return _KINDS[by](view, rows)


def _of_class(view: View, rows: np.ndarray) -> Said:
    classes = view.dataset.classes
    truth = view.dataset.split(view.split).targets[rows].numpy()
    hover = [f"example {row}: truly {classes[one]}" for row, one in zip(rows.tolist(), truth.tolist(), strict=True)]
    if len(classes) <= CLASSES:
        return {"hover": hover, "groups": truth, "names": classes}
    frequent = np.argsort(-np.bincount(truth, minlength=len(classes)), kind="stable")[: CLASSES - 1]
    place = np.full(len(classes), CLASSES - 1)
    place[frequent] = np.arange(len(frequent))
    return {"hover": hover, "groups": place[truth], "names": (*(classes[n] for n in frequent), "others")}


def _of_right(view: View, rows: np.ndarray) -> Said:
    dataset = view.dataset
    if dataset.task == "translation":
        right = _given_right(view.run.id, view.step, view.split, tuple(rows.tolist()))
        said = ["all next tokens right" if one else "some next token wrong" for one in right]
        hover = [f"example {row}: {words}" for row, words in zip(rows.tolist(), said, strict=True)]
        return {"hover": hover, "groups": (~right).astype(int), "names": RIGHT}
    found = results.answers(view.run.id, view.step, view.split)
    pairs = zip(rows.tolist(), found.truth[rows].tolist(), found.predicted[rows].tolist(), strict=True)
    hover = [f"example {row}: truly {dataset.classes[t]}, answered {dataset.classes[a]}" for row, t, a in pairs]
    return {"hover": hover, "groups": found.wrong[rows].astype(int), "names": RIGHT}


def _of_value(view: View, rows: np.ndarray) -> Said:
    mean, spread = view.dataset.scale
    values = mean + spread * view.dataset.split(view.split).targets[rows].double().numpy()
    return _values(view, rows, values, "true value", view.dataset.unit)


def _of_error(view: View, rows: np.ndarray) -> Said:
    found = results.answers(view.run.id, view.step, view.split)
    return _values(view, rows, np.abs(found.predicted - found.truth)[rows], "off by", view.dataset.unit)


def _of_length(view: View, rows: np.ndarray) -> Said:
    lengths = (view.dataset.split(view.split).inputs[rows] != 0).sum(1).numpy()
    return _values(view, rows, lengths, "length of the source", "tokens")


def _values(view: View, rows: np.ndarray, values: np.ndarray, what: str, unit: str) -> Said:
    pairs = zip(rows.tolist(), values.tolist(), strict=True)
    hover = [f"example {row}: {what} {value:.4g} {unit}".rstrip() for row, value in pairs]
    return {"hover": hover, "values": values.astype(float), "value": f"{what} ({unit})" if unit else what}


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _given_right(run_id: str, step: int, split: str, rows: tuple[int, ...]) -> np.ndarray:
    from explorer.data import dataset_of
    from explorer.probes.writing import given_right

    return given_right(results.rebuilt(run_id, step), dataset_of(store().get(run_id).spec), split, rows)


_KINDS: dict[str, Callable[[View, np.ndarray], Said]] = {
    "class": _of_class,
    "right": _of_right,
    "value": _of_value,
    "error": _of_error,
    "length": _of_length,
}
