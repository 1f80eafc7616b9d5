"""What can be taken along: values as CSV, pictures as SVG, of texts as PNG, and a report of the example as HTML."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from explorer.attribution import METHODS, Attribution
from explorer.figures import svg
from explorer.figures.mosaic import gaps, grid
from explorer.figures.report import Told, report
from explorer.figures.shades import side
from explorer.figures.thumbnails import sparkline, thumbnail
from explorer.views import page, results
from explorer.views.reasons import asked as asking
from explorer.views.reasons import pictures, trusted, unsure
from explorer.views.reasons.asked import Asked, positions
from explorer.views.reasons.trusted import Known
from explorer.views.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from explorer.data import Dataset

COLUMNS = 8
"""Channels of a layer in a row."""
CONTROL = "random"
"""Stands beside every explanation in a report."""


def called(view: View, what: str) -> str:
    """Name of a file, without its ending."""
    where = "changed" if view.changed else f"{view.split}-{view.example}"
    return re.sub(r"[^a-z0-9_-]+", "-", f"{what}-{view.run.id}-step-{view.step}-{where}".lower())


def saving(view: View, asked: Asked, found: Attribution, said: str, sign: str, opacity: float) -> None:
    """Buttons for the values, the picture and the report of one attribution."""
    from explorer.attribution.table import as_table

    name, words = called(view, asked.method), view.dataset.modality == "tokens" and not found.layer

    def drawn() -> str:
        return picture(view, view.input, found, pictures.title_of(found, said), Look(sign, opacity))

    with st.container(horizontal=True, key="saving"):
        _button("Values (CSV)", lambda: as_table(view.dataset, view.input, found).to_csv(index=False), f"{name}.csv")
        if not found.nothing:
            _button("Picture (SVG)", drawn, f"{name}.svg")
            if words:
                _png(drawn(), name)
        _report_button(view, [asked], said)
    if not words:
        st.caption("The camera in the corner of the figure saves it as PNG.")


@dataclass(frozen=True)
class Several:
    """Attributions that stand beside each other.

    Attributes:
        by: What tells them apart: ``method``, ``step`` or ``example``.
        names, labels: Of each, in the table and in the picture.
        inputs: (N, …), the input of each.
        found: What is said of each.
        title: What is seen.
        same: Whether all are on one scale.
    """

    by: str
    names: Sequence[str | int]
    labels: Sequence[str]
    inputs: torch.Tensor
    found: Sequence[Attribution]
    title: str
    same: bool

    def table(self, dataset: Dataset) -> pd.DataFrame:
        """All values, a row for each: as the table of one attribution, with what is explained and by what, in front."""
        from explorer.attribution.table import as_table

        tables = []
        for number, (name, one) in enumerate(zip(self.names, self.found, strict=True)):
            table = as_table(dataset, self.inputs[number : number + 1], one)
            table.insert(0, self.by, name)
            if dataset.classes:
                targets = one.target if isinstance(one.target, tuple) else (one.target,)
                table.insert(1, "explained", " rather than ".join(dataset.classes[target] for target in targets))
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def picture(self, view: View, look: Look) -> str:
        """All of them as one SVG."""
        if self.same:
            most = max(float(np.abs(_shown(view, one, look.sign)).max(initial=0.0)) for one in self.found)
            look = replace(look, limit=most)
        each = [
            picture(view, self.inputs[number : number + 1], one, label, look)
            for number, (label, one) in enumerate(zip(self.labels, self.found, strict=True))
        ]
        return svg.together(each, self.title)


def several(view: View, shown: Several, look: Look, what: str, report: Sequence[Asked] = (), said: str = "") -> None:
    """Buttons for the values and the picture of several attributions, and for a report if it is of any method.

    Args:
        view: What is looked at.
        shown: The attributions; no buttons for them if there are none.
        look: How they are drawn.
        what: They are, in the name of the files.
        report, said: What the report is to hold, and what is explained, in words.
    """
    name = called(view, what)
    with st.container(horizontal=True, key="saving"):
        if shown.found:
            _button("Values (CSV)", lambda: shown.table(view.dataset).to_csv(index=False), f"{name}.csv")
            if not all(one.nothing for one in shown.found):
                _button("Picture (SVG)", lambda: shown.picture(view, look), f"{name}.svg")
                if view.dataset.modality == "tokens":
                    _png(shown.picture(view, look), name)
        if report:
            _report_button(view, list(report), said)


def values(view: View, table: pd.DataFrame, what: str) -> None:
    """A button for a table of values."""
    _button("Values (CSV)", lambda: table.to_csv(index=False), f"{called(view, what)}.csv")


def _report_button(view: View, asked: list[Asked], said: str) -> None:
    _button(
        "Report (HTML)",
        lambda: as_html(view, asked, said),
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


def _png(drawn: str, name: str) -> None:
    """A button for a picture as PNG, which the browser makes."""
    with st.container(width="content"):
        _as_png()(key="save-png", data={"svg": drawn, "name": f"{name}.png"})


@cache
def _as_png() -> Callable[..., object]:
    return st.components.v2.component(
        "as_png",
        html='<button type="button">Picture (PNG)</button>',
        css=(page.ASSETS / "as_png.css").read_text(encoding="utf-8"),
        js=(page.ASSETS / "as_png.js").read_text(encoding="utf-8"),
    )


@dataclass(frozen=True)
class Look:
    """How pictures are drawn.

    Attributes:
        sign: Which side of the values is seen.
        opacity: Of the values over an image.
        limit: End of the scale; the largest magnitude of each picture if None.
    """

    sign: str = "signed"
    opacity: float = 0.8
    limit: float | None = None


def _shown(view: View, found: Attribution, sign: str) -> np.ndarray:
    return side(found.values if found.layer else positions(found.values, view.dataset.modality), sign)


def picture(view: View, x: torch.Tensor, found: Attribution, title: str, look: Look) -> str:
    """An attribution of an input (1, …) as SVG, as fits what it explains."""
    modality, strength, limit = view.dataset.modality, look.sign == "strength", look.limit
    shown = _shown(view, found, look.sign)
    if found.layer:
        return _layer(shown, title)
    if modality == "image":
        return svg.pixels(x[0].numpy(), shown, title, look.opacity, strength, limit)
    if modality == "series":
        return svg.columns(shown, title, strength, limit)
    if modality == "vector":
        return svg.rows(shown, view.dataset.features, title, strength, limit)
    said = [view.dataset.vocabulary[token] for token in x[0].tolist() if token]
    return svg.words(said, shown[: len(said)], title, strength, limit)


def _layer(values: np.ndarray, title: str) -> str:
    """Values of a layer as the page draws them: the strongest channels, places by columns, or units."""
    strength = bool(values.min(initial=0.0) >= 0)
    if values.ndim == 3:
        chosen = pictures.strongest(values)
        canvas, places = grid(values[chosen].astype(float), COLUMNS, *gaps(*values.shape[1:]))
        labels = [(*place, str(number)) for place, number in zip(places, chosen, strict=True)]
        return svg.cells(canvas, title, strength, labels)
    return svg.cells(values.T, title, strength) if values.ndim == 2 else svg.columns(values, title, strength)


# -- the report -------------------------------------------------------------------------------------------------------


def as_html(view: View, asked: Sequence[Asked], said: str) -> str:
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
    drawn = "" if found.nothing else picture(view, view.input, found, method.title, Look())
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
