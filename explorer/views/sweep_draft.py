"""The sweep that is being put together: kept for the session, changed by the widgets of its form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from explorer.runs.sweep import EXAMPLES
from explorer.runs.values import options, said
from explorer.specs import RunSpec

KEY = "sweep-draft"
GRID, RANDOM = "Every combination", "At random"
USUAL = {
    "learning_rate": "0.0003, 0.001, 0.003, 0.01",
    "batch_size": "16 to 256 in 3 steps",
    "weight_decay": "0, 0.0001, 0.001, 0.01",
    "momentum": "0, 0.5, 0.9",
    "seed": "0 to 4",
    "warmup": "0, 50, 200",
    "depth": "1 to 4",
    "layers": "1 to 3",
}
"""What is tried of well-known fields; of others half, once and twice what is set."""


@dataclass(frozen=True)
class Draft:
    """The sweep that is being put together, kept for the session.

    Attributes:
        rows: Field and typed values of each.
        random: Whether combinations are drawn.
        count, seed: How many, and from which seed.
        revision: Part of the widgets' keys; counts changes they do not know of yet.
    """

    rows: tuple[tuple[str, str], ...] = (("learning_rate", USUAL["learning_rate"]),)
    random: bool = False
    count: int = 12
    seed: int = 0
    revision: int = 0


def current() -> Draft:
    """The sweep that is being put together."""
    return st.session_state.setdefault(KEY, Draft())


def keep(**changes: Any) -> Draft:
    """Change it."""
    st.session_state[KEY] = replace(current(), **changes)
    return st.session_state[KEY]


def add(fields: dict[str, FieldInfo], base: RunSpec) -> None:
    """Vary another setting: a likely one that is not varied yet."""
    draft = current()
    taken = {name for name, _ in draft.rows}
    likely = [name for name in ("learning_rate", "width", "batch_size", *fields) if name in fields]
    name = next(name for name in likely if name not in taken)
    keep(rows=(*draft.rows, (name, usual(name, fields[name], base))), revision=draft.revision + 1)


def drop(number: int) -> None:
    """Do not vary one of them."""
    draft = current()
    keep(rows=draft.rows[:number] + draft.rows[number + 1 :], revision=draft.revision + 1)


def set_field(fields: dict[str, FieldInfo], base: RunSpec, number: int, revision: int) -> None:
    """Vary another setting in the same place; an outdated widget changes nothing."""
    draft = current()
    if revision == draft.revision:
        name = st.session_state[f"sweep-field-{number}-{revision}"]
        changed = (name, usual(name, fields[name], base))
        rows = (*draft.rows[:number], changed, *draft.rows[number + 1 :])
        keep(rows=rows, revision=revision + 1)


def set_values(number: int, revision: int) -> None:
    """Take over the values that were typed."""
    draft = current()
    if revision == draft.revision:
        changed = (draft.rows[number][0], st.session_state[f"sweep-values-{number}-{revision}"])
        keep(rows=(*draft.rows[:number], changed, *draft.rows[number + 1 :]))


def set_to(name: str, revision: int) -> None:
    """Take over how, how many, or from which seed."""
    if revision == current().revision:
        value = st.session_state[f"sweep-{name}-{revision}"]
        keep(**{name: value == RANDOM if name == "random" else value})


def usual(name: str, field: FieldInfo, base: RunSpec) -> str:
    """Values to begin with."""
    if name in USUAL:
        return USUAL[name]
    if known := options(field):
        return ", ".join(known)
    if field.annotation is bool:
        return "no, yes"
    if name == EXAMPLES:
        most = next(rule.le for rule in field.metadata if hasattr(rule, "le"))
        return f"{max(1, most // 16)} to {most} in 5 steps"
    now = getattr(base.train, name, base.starter.get(name, field.default))
    if not now or not isinstance(now, (int, float)):
        return ""
    return ", ".join(said(field.annotation(now * share)) for share in (0.5, 1, 2) if field.annotation(now * share))
