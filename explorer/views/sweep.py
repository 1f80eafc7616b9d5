"""Starting a sweep: which settings vary, their values, and what comes of them."""

from __future__ import annotations

import streamlit as st
from pydantic.fields import FieldInfo

from explorer.errors import ExplorerError
from explorer.runs import sweep as sweeps
from explorer.runs.values import Values, options, read_values, said
from explorer.specs import RunSpec
from explorer.views import page, state, sweep_draft, training
from explorer.views.server import settings, store
from explorer.views.sweep_draft import GRID, RANDOM, Draft

MOST_FIELDS = 6
NAMED = 5
"""Most runs that cannot work which are named."""


def sweep_button(base: RunSpec) -> None:
    """A button that opens the form; what is inside is worked out only while it is open.

    Args:
        base: The run that the sweep varies.
    """
    with st.popover(
        "Sweep", icon=":material/library_add:", key="sweep-open", on_change="rerun", width="content"
    ) as more:
        if more.open:
            _form(base)


def _form(base: RunSpec) -> None:
    st.caption("Many runs at once that differ in what you choose here. All else is as set on this page.")
    fields, draft = sweeps.sweepable(base), sweep_draft.current()
    rows = [(name, text) for name, text in draft.rows if name in fields]
    if len(rows) < len(draft.rows):  # another family has other parameters
        draft = sweep_draft.keep(rows=tuple(rows), revision=draft.revision + 1)
    for number, (name, text) in enumerate(draft.rows):
        _row(fields, base, draft, number, name, text)
    if len(draft.rows) < min(MOST_FIELDS, len(fields)):
        st.button(
            "Vary another setting",
            icon=":material/add:",
            key="sweep-add",
            on_click=sweep_draft.add,
            args=(fields, base),
        )
    _how(draft)
    try:
        values = [read_values(name, fields[name], text) for name, text in draft.rows]
        taken = sweeps.drawn(values, draft.count, draft.seed) if draft.random else sweeps.grid(values)
        made = sweeps.expand(base, taken)
    except ExplorerError as error:
        st.error(page.plain(str(error)), icon=":material/edit:")
        return
    _start(fields, made, values, draft)


def _row(fields: dict[str, FieldInfo], base: RunSpec, draft: Draft, number: int, name: str, text: str) -> None:
    taken = {other for other, _ in draft.rows} - {name}
    offered = [field for field in fields if field not in taken]
    where = f"{number}-{draft.revision}"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"sweep-row-{number}"):
        st.selectbox(
            "Setting",
            offered,
            index=offered.index(name),
            key=f"sweep-field-{where}",
            format_func=lambda field: _title(field, fields[field]),
            help=fields[name].description,
            on_change=sweep_draft.set_field,
            args=(fields, base, number, draft.revision),
            width=170,
        )
        st.text_input(
            "Values",
            text,
            max_chars=200,
            key=f"sweep-values-{where}",
            placeholder=", ".join(options(fields[name])) or "16, 32, 64 or 16 to 128 in 4 steps",
            help="A list such as 0.001, 0.01 or a range such as 16 to 128 in 4 steps. Ranges over a factor of eight or "
            "more have equal ratios; add the word linear or log to choose.",
            on_change=sweep_draft.set_values,
            args=(number, draft.revision),
            width="stretch",
        )
        if len(draft.rows) > 1:
            st.button(
                "",
                icon=":material/close:",
                key=f"sweep-drop-{where}",
                help="Remove",
                on_click=sweep_draft.drop,
                args=(number,),
            )


def _how(draft: Draft) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="sweep-how"):
        st.segmented_control(
            "Take",
            [GRID, RANDOM],
            default=RANDOM if draft.random else GRID,
            required=True,
            key=f"sweep-random-{draft.revision}",
            help="At random: lists give each value as often; ranges are drawn evenly, those of equal ratios "
            "log-uniformly. With many settings it finds good ones sooner (Bergstra and Bengio, 2012).",
            on_change=sweep_draft.set_to,
            args=("random", draft.revision),
        )
        if draft.random:
            _number("Runs", "count", draft, 1, sweeps.MOST_RUNS)
            _number("Seed", "seed", draft, 0, 2**31 - 1)


def _number(label: str, name: str, draft: Draft, low: int, high: int) -> None:
    key = f"sweep-{name}-{draft.revision}"
    value, args = getattr(draft, name), (name, draft.revision)
    st.number_input(label, low, high, value, key=key, on_change=sweep_draft.set_to, args=args, width=120)


def _start(fields: dict[str, FieldInfo], made: sweeps.Sweep, values: list[Values], draft: Draft) -> None:
    count = len(made.runs)
    st.caption(
        "  \n".join(
            f"{page.plain(_title(one.name, fields[one.name]))}: {page.plain(_words(one, draft.random))}"
            for one in values
        )
    )
    if made.refused:
        named = [f"- {page.plain(words)}: {page.plain(reason)}" for words, reason in made.refused[:NAMED]]
        more = len(made.refused) - NAMED
        rest = [f"- and {more} more"] if more > 0 else []
        st.warning("\n".join([f"{len(made.refused)} cannot work and are left out:", *named, *rest]))
    elif draft.random and count < draft.count:
        st.caption(f"There are only {count} different ones.")
    workers = settings().workers
    st.caption(
        f"{count} {'run' if count == 1 else 'runs'}, {made.steps:,} training steps in all, up to {workers} at once. "
        "Other people's runs take turns with them."
    )
    label = f"Start {count} {'run' if count == 1 else 'runs'}"
    if st.button(label, type="primary", icon=":material/play_arrow:", key="sweep-start"):
        _queue(made)
        st.switch_page(page.COMPARE)


def _queue(made: sweeps.Sweep) -> None:
    """Queue them and compare them; a double click does it once."""
    if training.once(made):
        state.compare(state.compared().runs, sweeps.start(store(), made, state.session()))


def _words(values: Values, random: bool) -> str:
    if random and values.ends:
        low, high = (said(end) for end in values.ends)
        return f"from {low} to {high}, {'log-uniform' if values.ratios else 'uniform'}"
    return ", ".join(said(value) for value in values.values)


def _title(name: str, field: FieldInfo) -> str:
    return field.title or name.replace("_", " ").capitalize()
