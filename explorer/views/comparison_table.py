"""The table of what differs between runs, and what each reached and cost."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from explorer.figures.compare import QUALITIES, SHARES
from explorer.runs.differences import title
from explorer.runs.values import said
from explorer.views import page, state
from explorer.views.several import Several

KEY = "compare-table"
TALL = 420
"""Most pixels the table takes; of more runs it scrolls."""


def table(seen: Several) -> None:
    """One row each: first what differs, then the outcome. A click on a row looks at its run."""
    names = [title(name) for name in seen.apart]
    if names:
        st.markdown(f"**What differs**: {page.plain(', '.join(names).lower())}. All else is the same.")
    elif len(seen.runs) > 1:
        st.markdown("**What differs**: nothing. These runs were made from the same model, data and settings.")
    else:
        st.markdown("This is one run. Choose another one above, and what differs between them is listed here.")
    shown = (
        pd.DataFrame({"Run": seen.names}) if not (seen.sweep and names) else pd.DataFrame(index=range(len(seen.ids)))
    )
    for name, label in zip(seen.apart, names, strict=True):
        shown[label if label not in shown else f"{label} ({name})"] = _column(seen.apart[name])
    reached, formats = _outcome(seen)
    shown = pd.concat([shown, reached], axis=1)
    st.dataframe(
        shown,
        key=KEY,
        hide_index=True,
        height=min(TALL, 37 + 35 * len(shown)),
        column_config=_forms(shown) | formats,
        placeholder="–",
        on_select=_look_at_row(seen.ids),
        selection_mode="single-row",
        alt=f"{len(shown)} runs, what differs between them, and what each reached and cost.",
    )


def _outcome(seen: Several) -> tuple[pd.DataFrame, dict[str, Any]]:
    metric = QUALITIES[seen.metric][0].lower() if seen.metric else ""
    number = st.column_config.NumberColumn
    percent = seen.metric in SHARES
    kind = "%.1f %%" if percent else "%.4g"
    columns = {
        f"Validation {metric}": ("quality", number(format=kind)),
        f"Test {metric}": ("test", number(format=kind)),
        "Validation loss": ("loss", number(format="%.4f")),
        "Parameters": ("parameters", number(format="localized")),
        "Multiply-adds": ("macs", number(format="localized")),
        "Seconds": ("seconds", number(format="%.1f")),
        "Memory (MB)": ("memory", number(format="%.1f")),
        "Energy (Wh, estimate)": ("energy", number(format="%.2g")),
        "Status": ("status", st.column_config.TextColumn()),
    }
    values = seen.table.reset_index(drop=True)
    values["memory"] /= 1e6
    if percent:
        values[["quality", "test"]] *= 100
    if not metric:  # nothing yet, or each run has another one
        columns = {label: column for label, column in columns.items() if column[0] not in ("quality", "test")}
    return (
        pd.DataFrame({label: values[name] for label, (name, _) in columns.items()}),
        {label: form for label, (_, form) in columns.items()},
    )


def _forms(shown: pd.DataFrame) -> dict[str, Any]:
    """How columns of settings are written: small numbers in full, long texts cut."""
    forms: dict[str, Any] = {"Layers": st.column_config.TextColumn(width="medium")}
    return forms | {name: st.column_config.NumberColumn(format="%.4g") for name in shown.select_dtypes("float")}


def _column(values: pd.Series) -> pd.Series:
    """Numbers stay numbers, so that they sort; anything else is put into words."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
    return values.infer_objects() if numbers else values.map(said)


def _look_at_row(ids: list[str]) -> Any:
    @page.calm
    def look() -> None:
        if rows := st.session_state[KEY]["selection"]["rows"]:
            state.look(run=ids[rows[0]])

    return look
