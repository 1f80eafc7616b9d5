"""CSV files: one row for each example."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from explorer.data.own.reading import EXAMPLES, NAME, Reading, check_count, check_size, of_classes, of_values
from explorer.errors import DataError

COLUMNS = 1000
CATEGORIES = 30
"""A column of more different texts than this is taken to be free text, names or dates."""
MANY = 20
"""A numeric target with more different values than this is taken to be a quantity."""


def read_csv(content: bytes) -> pd.DataFrame:
    """The rows of a CSV file; the first line names the columns. Commas, semicolons, tabs and bars may part them.

    Raises:
        DataError: It is not text, not a table, or too large.
    """
    check_size(content)
    if b"\0" in content:
        raise DataError("This is not a text file. Export the table as CSV (UTF-8).")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # what spreadsheets on Windows write
    try:
        separator = csv.Sniffer().sniff(text[:65536], ",;\t|").delimiter
    except csv.Error:
        separator = ","
    try:
        # Twice as many as are allowed, so that the message can say that there are too many.
        frame = pd.read_csv(io.StringIO(text), sep=separator, nrows=2 * EXAMPLES, low_memory=False)
    except (ValueError, OverflowError, csv.Error) as error:  # pandas' parser errors are ValueErrors
        reason = str(error).splitlines()[0][:200]
        raise DataError(f"The file is not a table that can be read ({reason}). Export it as CSV again.") from None
    frame.columns = [" ".join(str(name).split())[:NAME] for name in frame.columns]
    if not len(frame) or frame.shape[1] < 2:
        raise DataError(
            f"The table has {len(frame):,} rows and {frame.shape[1]} columns; it needs some rows below a first line "
            "that names at least two columns."
        )
    if frame.shape[1] > COLUMNS:
        raise DataError(f"The table has {frame.shape[1]:,} columns; at most {COLUMNS:,} are read. Leave some out.")
    if frame.columns.duplicated().any():
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"Two columns are called {twice!r}. Give each a name of its own.")
    if all(_is_number(name) for name in frame.columns):
        raise DataError("The first line holds only numbers; it should name the columns.")
    check_count(len(frame), 1)
    return frame


def columns(frame: pd.DataFrame) -> dict[str, str]:
    """What each column holds: ``number``, ``category`` or ``text``; a column of nothing is ``empty``."""
    return {name: _kind(frame[name]) for name in frame.columns}


def read_table(
    frame: pd.DataFrame,
    target: str,
    features: Sequence[str] | None = None,
    answer: Literal["auto", "class", "number"] = "auto",
) -> Reading:
    """Numbers and categories of each row, to tell one column from the others.

    A category becomes a column of zeros and ones for each of its values. Where a number is missing, the mean stands,
    and a column of its own says so.

    Args:
        frame: As from `read_csv`.
        target: The column to learn.
        features: The columns to learn it from; all others if None.
        answer: Whether the target is a class or a number; auto: a number if it has many values.

    Raises:
        DataError: No such column, nothing to learn from, or nothing to learn.
    """
    for name in (target, *(features or ())):
        if name not in frame.columns:
            raise DataError(f"There is no column {name!r}. The columns are: {', '.join(frame.columns[:20])}.")
    notes: list[str] = []
    coded: dict[str, np.ndarray] = {}
    for name in features if features is not None else frame.columns:
        if name != target:
            coded |= _coded(frame[name], notes)
    if not coded:
        raise DataError(f"No column is left to learn {target!r} from. Choose at least one with numbers or categories.")
    check_count(len(frame), len(coded))
    inputs = np.stack(list(coded.values()), axis=1).astype(np.float32)  # (N, columns)
    known = frame[target]
    if (answers(known) if answer == "auto" else answer) == "number":
        if not _is_numeric(known):
            raise DataError(f"{target!r} holds texts, not numbers. Let it be a class, or choose another column.")
        return of_values(inputs, known.to_numpy(dtype=np.float64, na_value=np.nan), target, tuple(coded), notes)
    return of_classes(inputs, labels(known), "vector", tuple(coded), notes)


def answers(target: pd.Series) -> Literal["class", "number"]:
    """Whether a column looks like classes or like a quantity."""
    return "number" if _is_numeric(target) and target.nunique() > MANY else "class"


def labels(column: pd.Series) -> list[str | None]:
    """Each value of a column as the name of a class; None where there is none."""
    return [None if missing else _said(value) for value, missing in zip(column, column.isna(), strict=True)]


def _said(value: object) -> str:
    whole = isinstance(value, float) and value.is_integer()  # one missing value makes a column of whole numbers floats
    return " ".join(str(int(value) if whole else value).split())


def _kind(column: pd.Series) -> str:
    if not column.notna().any():
        return "empty"
    if _is_numeric(column):
        return "number"
    return "category" if column.nunique() <= CATEGORIES else "text"


def _coded(column: pd.Series, notes: list[str]) -> dict[str, np.ndarray]:
    """The columns of numbers that a column becomes."""
    name, kind = str(column.name), _kind(column)
    if kind in ("empty", "text"):
        why = "it is empty" if kind == "empty" else f"it has {column.nunique():,} different texts"
        notes.append(f"Column {name} left out: {why}.")
        return {}
    if kind == "category":
        said = labels(column)
        values = sorted({value or "(missing)" for value in said})
        if len(values) == 2:  # one column says it all
            values = values[1:]
        elif len(values) == 1:
            notes.append(f"Column {name} left out: it is the same in every row.")
            return {}
        return {
            f"{name} = {value}"[:NAME]: np.array([(one or "(missing)") == value for one in said]) for value in values
        }
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    missing = np.isnan(numbers)
    if np.nanmin(numbers, initial=np.inf) >= np.nanmax(numbers, initial=-np.inf) and not missing.any():
        notes.append(f"Column {name} left out: it is the same in every row.")
        return {}
    if np.nanmax(np.abs(numbers), initial=0) > 1e30:
        raise DataError(f"Column {name} holds {np.nanmax(np.abs(numbers)):.3g}: too large to compute with.")
    if missing.any():
        notes.append(f"Column {name}: {missing.sum():,} of {len(numbers):,} are missing; the mean stands for them.")
        return {name: numbers, f"{name} is missing"[:NAME]: missing}
    return {name: numbers}


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
