"""From a declared field to a widget: nobody writes a form by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

import annotated_types as at
import streamlit as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

BIGGEST = 2**53 - 1
"""The largest whole number a browser holds exactly."""


def field_widget(
    name: str, field: FieldInfo, value: Any, key: str, on_change: Callable[..., None] | None, *args: Any
) -> None:
    """Draw one field; its value is then in ``st.session_state[key]``.

    A value that does not fit its field is shown as text, so that it can be seen and mended. Within a form, `on_change`
    is None and the value is what the field starts with.
    """
    label = field.title or name.replace("_", " ").capitalize()
    common = {"label": label, "key": key, "help": field.description, "on_change": on_change, "args": args}
    options = _options(field)
    if not fits(field, value):
        st.session_state.setdefault(key, str(value))
        st.text_input(**common)
    elif options:
        st.session_state.setdefault(key, value)
        st.selectbox(options=options, format_func=lambda option: str(option), **common)
    elif field.annotation is bool:
        st.session_state.setdefault(key, value)
        st.toggle(**common)
    else:
        _number(field, value, key, common)


def read(field: FieldInfo, key: str) -> Any:
    """The value a widget holds, as the field's type where it fits."""
    value = st.session_state[key]
    if isinstance(value, str) and field.annotation in (int, float):
        try:
            return TypeAdapter(field.annotation).validate_python(value)
        except ValidationError:
            return value
    return value


def fits(field: FieldInfo, value: Any) -> bool:
    """Whether a value is one the field's widget can show."""
    options = _options(field)
    if options:
        return value in options
    if field.annotation is bool:
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    if field.annotation is int and not isinstance(value, int):
        return False
    low, high = _bounds(field)
    return low <= value <= high


def _number(field: FieldInfo, value: float, key: str, common: dict[str, Any]) -> None:
    low, high = _bounds(field)
    kind = field.annotation
    if common["on_change"]:
        st.session_state.setdefault(key, kind(value))
    else:
        common["value"] = kind(value)
    if kind is int:
        st.number_input(min_value=int(low), max_value=int(min(high, BIGGEST)), step=1, **common)
    else:
        step = 10.0 ** math.floor(math.log10(value)) if value > 0 else 0.01
        st.number_input(min_value=float(low), max_value=float(high), step=step, format="%g", **common)


def _options(field: FieldInfo) -> list[Any]:
    if get_origin(field.annotation) is Literal:
        return list(get_args(field.annotation))
    extra = field.json_schema_extra
    return list(extra.get("options", [])) if isinstance(extra, dict) else []


def _bounds(field: FieldInfo) -> tuple[float, float]:
    """Smallest and largest value allowed; for an open end the nearest value a form would use."""
    low, high = -BIGGEST, BIGGEST
    whole = field.annotation is int
    for rule in field.metadata:
        if isinstance(rule, at.Ge):
            low = rule.ge
        elif isinstance(rule, at.Gt):
            low = rule.gt + 1 if whole else rule.gt + 1e-12
        elif isinstance(rule, at.Le):
            high = rule.le
        elif isinstance(rule, at.Lt):
            high = rule.lt - 1 if whole else rule.lt - 1e-6
    return low, high


def defaults(cls: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every field's value: the given one, or the default."""
    return {name: given.get(name, field.default) for name, field in cls.model_fields.items()}
