"""The fields of one row of a table, to be set in the units of their columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
import torch

from explorer.probes.slices import DIGITS, Column, columns
from explorer.views import layer, page, state
from explorer.views.server import store
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.data import Dataset

SHOWN = 6
"""Fields on one page."""
STEPS = 40
"""About how many steps of a number's slider, or of its buttons, go from its lowest to its highest value."""
TYPED = 120
"""Screen pixels of a field that a number is typed into, beside its slider."""
NAMED = 4
"""Fields that are named in a warning."""

Row = Callable[[], np.ndarray]
"""Makes a changed row (D,), standardised; raises `DataError` if it cannot."""
Change = Callable[[Any], np.ndarray]
"""The same, from what a widget says."""


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        column: Which columns it is made of.
        low, high: Lowest and highest value in the data; of a category 0 and 1.
        switch: Whether a number is only ever 0 or 1.
    """

    column: Column
    low: float
    high: float
    switch: bool

    def plainly(self, value: float) -> float:
        """A value of it as one writes it."""
        return plainly(value, max(abs(self.low), abs(self.high), abs(value)))


def fields(view: View, row: np.ndarray, take: Callable[[Row], None]) -> None:
    """Draw the fields, page by page.

    Args:
        view: What is looked at.
        row: (D,) as it is, standardised.
        take: Hears of a change, from a callback.
    """
    every = _fields(view.run.id)
    form = _Form(view.dataset, torch.from_numpy(row), take)
    _warn(every, form.values)
    first, last = layer.window(len(every), "fields", f"fields-{view.run.id}", SHOWN)
    with st.container(key="fields"):
        for number in range(first, last):
            form.draw(number, every[number])


@st.cache_data(max_entries=64, show_spinner=False)
def _fields(run_id: str) -> tuple[Field, ...]:
    from explorer.data import dataset_of
    from explorer.data.made.rows import span

    dataset = dataset_of(store().get(run_id).spec)
    found = []
    for column in columns(dataset):
        index = column.indices[0]
        known = np.unique(dataset.train.inputs[:, index].numpy())
        ends = span(dataset, index)
        low, high = (plainly(end, max(map(abs, ends))) for end in ends)
        found.append(Field(column, low, high, len(known) == 2 and (low, high) == (0, 1)))
    return tuple(found)


@dataclass(frozen=True)
class _Form:
    dataset: Dataset
    row: torch.Tensor
    take: Callable[[Row], None]

    @property
    def values(self) -> np.ndarray:
        """(D,) in the units of the columns."""
        return self.dataset.unscaled(self.row[None])[0]

    def draw(self, number: int, field: Field) -> None:
        column, name = field.column, page.plain(field.column.name)
        if column.values:
            now = next((n for n, index in enumerate(column.indices) if self.values[index] > 0.5), -1)
            none = f"not {column.values[0]}" if len(column.values) == 1 else "none of these"
            self._choice(number, name, (*column.values, none), now % (len(column.values) + 1), self._category(column))
        elif field.switch:
            now = int(self.values[column.indices[0]] > 0.5)
            self._choice(number, name, ("no", "yes"), now, lambda chosen: self._with({column.indices[0]: chosen}))
        else:
            self._number(number, name, field)

    def _choice(self, number: int, name: str, words: Sequence[str], now: int, change: Change) -> None:
        key = _key(number, now)
        options = list(range(len(words)))
        st.selectbox(name, options, key=key, format_func=words.__getitem__, on_change=self._heard, args=(key, change))

    def _number(self, number: int, name: str, field: Field) -> None:
        index, gap = field.column.indices[0], field.column.missing
        missing = gap is not None and self.values[gap] > 0.5
        now, step = field.plainly(self.values[index]), _step(field)
        name = f"{name} (missing: the mean stands for it)" if missing else name

        def change(value: float) -> np.ndarray:
            return self._with({index: value} | ({} if gap is None else {gap: 0.0}))

        same = {"step": step, "format": "%.6g", "on_change": self._heard}
        help_ = f"{field.low:.6g} to {field.high:.6g} in these data. Beyond them it can be typed."
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"field-{number}"):
            low, high = (field.plainly(end) for end in (-_above(-field.low, step), _above(field.high, step)))
            key = _key(f"{number}-slider", min(max(now, low), high))
            st.slider(name, low, high, key=key, args=(key, change), help=help_, **same)
            key = _key(number, now)
            st.number_input(name, key=key, args=(key, change), label_visibility="collapsed", width=TYPED, **same)

    def _category(self, column: Column) -> Change:
        return lambda chosen: self._with({index: float(n == chosen) for n, index in enumerate(column.indices)})

    def _with(self, changes: dict[int, float]) -> np.ndarray:
        """The row with other values in some columns, in their own units."""
        from explorer.data.made.rows import with_value

        row = self.row
        for index, value in changes.items():
            row = torch.from_numpy(with_value(self.dataset, row, index, value))
        return row.numpy()

    def _heard(self, key: str, change: Change) -> None:
        if key.endswith(f"-{state.lens().revision}"):  # an outdated widget changes nothing
            value = st.session_state[key]
            self.take(lambda: change(value))


def _key(number: int | str, value: Any) -> str:
    """The key of a field's widget, which shows a value."""
    key = f"field-{number}-{state.lens().revision}"
    st.session_state[key] = value
    return key


def plainly(value: float, size: float) -> float:
    """A value without the digits that standardising in float32 added to values of such a size."""
    return round(float(value), DIGITS - 1 - math.floor(math.log10(size or 1.0))) + 0.0  # no negative zero


def _step(field: Field) -> float:
    """A round step: 1, 2 or 5 times a power of ten."""
    rough = (field.high - field.low) / STEPS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return power * next(times for times in (1, 2, 5, 10) if rough <= times * power)


def _above(value: float, step: float) -> float:
    """The first whole number of steps that is not below a value, but for rounding."""
    return math.ceil(round(value / step, DIGITS)) * step


def _warn(every: Sequence[Field], values: np.ndarray) -> None:
    """Say which numbers are beyond all that the data hold."""
    beyond = [
        f"{one.column.name} {value:.6g} (in these data {one.low:.6g} to {one.high:.6g})"
        for one in every
        if not one.column.values and not one.low <= (value := one.plainly(values[one.column.indices[0]])) <= one.high
    ]
    if beyond:
        more = f", and {len(beyond) - NAMED} more" if len(beyond) > NAMED else ""
        st.warning(
            page.plain(f"Beyond the data: {', '.join(beyond[:NAMED])}{more}. Its answer is a guess there."),
            icon=":material/warning:",
        )
