"""What can be taken along: values as CSV, a picture as SVG, and a report of the example as one HTML file."""

from __future__ import annotations

import platform
import re
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.figures import svg
from explorer.figures.report import Told, report
from explorer.figures.shades import side
from explorer.figures.thumbnails import sparkline, thumbnail
from explorer.views import results
from explorer.views.reasons import asked as asking
from explorer.views.reasons import pictures, trusted, unsure
from explorer.views.reasons.asked import Asked, positions
from explorer.views.reasons.trusted import Known
from explorer.views.view import View

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTROL = "random"
"""Stands beside every explanation in a report."""


def called(view: View, what: str) -> str:
    """Name of a file, without its ending."""
    where = "changed" if view.changed else f"{view.split}-{view.example}"
    return re.sub(r"[^a-z0-9_-]+", "-", f"{what}-{view.run.id}-step-{view.step}-{where}".lower())


def saving(view: View, asked: Asked, found: Attribution, said: str, sign: str) -> None:
    """Buttons for the values, the picture and the report of one attribution."""
    from explorer.attribution.table import as_table

    name = called(view, asked.method)
    title = pictures.title_of(found, said)
    with st.container(horizontal=True, key="saving"):
        _button("Values (CSV)", lambda: as_table(view.dataset, view.input, found).to_csv(index=False), f"{name}.csv")
        if not found.nothing:
            _button("Picture (SVG)", lambda: picture(view, found, title, sign), f"{name}.svg")
        _report_button(view, [asked], said)
    if view.dataset.modality != "tokens" or found.layer:
        st.caption("The camera in the corner of the figure saves it as PNG.")


def values(view: View, table: pd.DataFrame, what: str) -> None:
    """A button for a table of values."""
    _button("Values (CSV)", lambda: table.to_csv(index=False), f"{called(view, what)}.csv")


def report_of(view: View, asked: Sequence[Asked], said: str) -> None:
    """A button for the report of several methods."""
    with st.container(horizontal=True, key="saving"):
        _report_button(view, list(asked), said)


def _report_button(view: View, asked: list[Asked], said: str) -> None:
    _button(
        "Report (HTML)",
        lambda: page(view, asked, said),
        f"{called(view, 'report')}.html",
        "Prediction, methods with a control beside them, their checks, model and data: one file that loads nothing.",
    )


def _button(label: str, make: object, file: str, help: str | None = None) -> None:
    kinds = {"csv": "text/csv", "svg": "image/svg+xml", "html": "text/html"}
    st.download_button(
        label,
        make,
        file,
        kinds[file.rsplit(".", 1)[1]],
        key=f"save-{file.rsplit('.', 1)[1]}",
        icon=":material/download:",
        on_click="ignore",
        help=help,
        type="tertiary",
    )


def picture(view: View, found: Attribution, title: str, sign: str = "signed") -> str:
    """An attribution as SVG, as fits what it explains."""
    modality, strength = view.dataset.modality, sign == "strength"
    shown = side(found.values if found.layer else positions(found.values, modality), sign)
    if found.layer:  # channels and places as their sum, one column for each unit
        return svg.columns(shown.reshape(len(shown), -1).sum(axis=1), title, strength)
    if modality == "image":
        return svg.pixels(view.input[0].numpy(), shown, title, strength=strength)
    if modality == "series":
        return svg.columns(shown, title, strength)
    if modality == "vector":
        return svg.rows(shown, view.dataset.features, title, strength)
    said = [view.dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()]
    return svg.words(said, shown[: len(said)], title, strength)


# -- the report -------------------------------------------------------------------------------------------------------


def page(view: View, asked: Sequence[Asked], said: str) -> str:
    """The report of one example."""
    methods = list(asked)
    if not any(METHODS[one.method].control for one in methods):
        first = methods[0]
        methods.append(Asked(CONTROL, target=first.target, text=first.text, at=first.at))
    names = [one.method for one in methods]
    trust = trusted.known(view, names)
    return report(
        f"Why {said}?",
        unsure.doubts(view),
        _facts(view),
        _input(view),
        _answers(view),
        [_told(view, one) for one in methods],
        [(METHODS[name].title, _capital(trust.short(name)), _checks(trust, name)) for name in names],
        trust.over if trust.found else "",
        _made(view),
        view.run.spec.model.model_dump_json(indent=1, exclude_defaults=True),
    )


def _told(view: View, asked: Asked) -> Told:
    method, found = METHODS[asked.method], asking.explained(*view.place, asked)
    if isinstance(found, str):
        return Told(method.title, "", (found,))
    compared = asked.words(view.dataset)
    lines = [method.reading(view.dataset.modality, compared)]
    if found.error is not None:
        lines.append(
            f"Completeness error {found.error:.3g}: 0 is exact; the values add up to {found.values.sum():.4g}."
        )
    params = ", ".join(f"{name} {value}" for name, value in found.params.items())
    lines.append(
        _capital(method.paper)
        + (f" With {params}." if params else "")
        + (f" Compared with {compared}." if compared else "")
    )
    drawn = "" if found.nothing else picture(view, found, method.title)
    if found.nothing:
        lines.insert(0, "Zero everywhere: nothing to draw.")
    return Told(method.title, drawn, tuple(lines))


def _checks(trust: Known, method: str) -> list[tuple[str, ...]]:
    """A row for each check of a method, as `report` has it."""
    from explorer.trust import CHECKS

    return [
        (
            CHECKS[name].title,
            f"{'Doubtful: ' if mark.doubtful else ''}{mark.verdict}",
            f"{mark.score:.3f}",
            CHECKS[name].better,
            ", ".join(f"{control} {value:.3f}" for control, value in mark.controls.items()) or "none",
            CHECKS[name].paper,
        )
        for name, mark in trust.of(method)
    ]


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _input(view: View) -> str:
    """The picture of the input as a data URL; empty where it has none."""
    x = view.input[0].numpy()
    if view.dataset.modality == "image":
        return thumbnail(x)
    return sparkline(x) if view.dataset.modality == "series" else ""


def _facts(view: View) -> list[tuple[str, str]]:
    dataset = view.dataset
    facts = [
        ("Run", f"{view.run.title} ({view.run.id})"),
        ("Weights of step", f"{view.step} of {view.steps[-1]}"),
        (
            "Example",
            f"changed by hand, from {view.split} {view.example}" if view.changed else f"{view.split} {view.example}",
        ),
        ("Right is", view.said or "not known: the example was changed"),
    ]
    if dataset.modality == "tokens":
        facts.append(("Input", dataset.text(view.input[0])))
    if dataset.modality == "vector":
        values = dataset.unscaled(view.input)[0].tolist()
        facts += [(name, f"{value:.4g}") for name, value in zip(dataset.features, values, strict=True)]
    return facts


def _answers(view: View) -> list[tuple[str, str]]:
    dataset = view.dataset
    if dataset.task == "translation":
        return [("It writes", results.translation(*view.place) or "nothing")]
    if not dataset.classes:
        return [("It answers", dataset.answer(results.output(*view.place)))]
    shares = results.prediction(*view.place).probabilities
    return [(dataset.classes[n], f"{shares[n]:.4f}") for n in np.argsort(-shares, kind="stable").tolist()]


def _made(view: View) -> list[tuple[str, str]]:
    dataset, spec = view.dataset, view.run.spec
    own = import_module("explorer").__version__
    settings = ", ".join(
        f"{name} {value}" for name, value in spec.train.model_dump(exclude={"epochs"}, exclude_defaults=True).items()
    )
    return [
        ("Data", f"{dataset.title}. {dataset.about}"),
        ("Source", dataset.source),
        ("Licence", dataset.licence),
        ("Family", spec.family),
        ("Trained", f"{view.run.epoch} epochs" + (f"; {settings}" if settings else "; default settings")),
        (
            "Versions",
            f"visual model explorer {own}, torch {version('torch')}, captum {version('captum')}, "
            f"Python {platform.python_version()}",
        ),
    ]
