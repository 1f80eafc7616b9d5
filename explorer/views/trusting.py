"""What the page *Trust* is made of: a table of methods and checks, worked out beside the server, and its cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import example, jobs, page, state, trust_cell, trust_words, twin
from explorer.views.options import Options
from explorer.views.server import store

if TYPE_CHECKING:
    from explorer.figures.marks import Column, Entry
    from explorer.trust.mark import Mark
    from explorer.trust.table import Cell, Wanted
    from explorer.views.view import View

EVERY = 1.5
"""Seconds between two looks at how far a table is."""
PATIENCE = 300.0
"""Seconds for which a table goes on while nobody looks: what is done is kept, and they may be on another page."""
LISTED = "listed"
CLICKED, LEFT = "trust-clicked", "trust-left"


@dataclass(frozen=True)
class Shown:
    """What is drawn.

    Attributes:
        wanted: Which table.
        sort: The check that rows are sorted by, or as they are listed.
        method, check: The cell that is open.
        title: Of the figure.
    """

    wanted: Wanted
    sort: str
    method: str
    check: str
    title: str


def trusting(view: View) -> dict[str, str]:
    """The whole page; returns what was chosen, for the URL."""
    example.not_here(view)
    trust_words.quality(view)
    options = Options(by="trust")
    shown = _choose(view, options)
    _table(shown)
    trust_cell.cell(shown.wanted, _marks(shown.wanted), shown.method, shown.check)
    twin.twin(view.run)
    return options.drawn


def usual(view: View) -> int:
    """Over how many examples a table is, unless another number is chosen."""
    from explorer.trust.table import USUAL

    return min(USUAL, len(view.dataset.split(view.split)))


def open_at(wanted: Wanted, method: str = "", check: str = "") -> None:
    """Leave another page for this table, with the cell of a method and a check open."""
    from explorer.trust.table import usual_methods

    options = Options(by="trust")
    options.choose("count", wanted.examples)
    options.choose("draw", wanted.seed)
    if not set(wanted.methods) <= set(usual_methods()):
        options.choose("every", True)
    if method:
        options.choose("method", method)
    if check:
        options.choose("check", check)
    st.switch_page(page.TRUST)


def _choose(view: View, options: Options) -> Shown:
    from explorer.attribution import METHODS
    from explorer.trust import CHECKS
    from explorer.trust.table import FEWEST, MOST, SEEDS, Wanted, usual_methods

    checks = trust_words.applying(view)
    titles = {name: CHECKS[name].title for name in checks}
    with st.container(horizontal=True, vertical_alignment="bottom", key="trust-choice"):
        check = options.one(
            "check", "Check", checks, words=titles.__getitem__, few=0, width=200, default="randomisation"
        )
        place = st.container(width=220)
        sort = options.one(
            "sort",
            "Sort by",
            [LISTED, *checks],
            words=lambda name: titles.get(name, "as listed"),
            few=0,
            width=200,
            help="The best method first.",
        )
        with st.popover("Which examples and methods", icon=":material/tune:"):
            size = len(view.dataset.split(view.split))
            count = options.number(
                "count", "Examples", FEWEST, min(MOST, size), usual(view), help="More take longer and say more."
            )
            seed = options.number("draw", "Drawn with seed", 0, SEEDS, help="Another one draws other examples.")
            every = options.switch("every", "All methods", help="Rather than eight; the slow ones take minutes.")
    methods = usual_methods(every)
    with place:
        words = {name: METHODS[name].title for name in methods}
        method = options.one("method", "Method", methods, words=words.__getitem__, few=0)
    wanted = Wanted(
        run=view.run.id,
        step=view.step,
        split=view.split,
        examples=count,
        seed=seed,
        methods=methods,
        checks=tuple(checks),
        twin=twin.finished(view.run),
    )
    title = f"{count} {view.split} examples, step {view.step}"
    return Shown(wanted, sort, method, check, title)


def _marks(wanted: Wanted) -> dict[Cell, Mark]:
    from explorer.trust.table import marks

    return marks(store(), wanted)


# -- working it out ---------------------------------------------------------------------------------------------------


def _table(shown: Shown) -> None:
    everybody, who = jobs.jobs(), _who()
    if everybody.goes_on(shown.wanted) and st.session_state.get(LEFT) != shown.wanted:
        _start(shown.wanted)  # others wait for it already: it is shared
    if everybody.look(who, shown.wanted):
        st.fragment(page.calm(_live), run_every=EVERY)(shown)
        return
    with st.container(key="trust-table"):
        found = _marks(shown.wanted)
        _begin(shown.wanted, found)
        _draw(shown, found)


def _live(shown: Shown) -> None:
    """The table while it is worked out."""
    how_far = jobs.jobs().look(_who(), shown.wanted)
    if how_far is None or st.session_state.pop(CLICKED, False):
        st.rerun()  # the whole page
    with st.container(key="trust-table"):
        found = _marks(shown.wanted)
        with st.container(horizontal=True, vertical_alignment="center", key="trust-progress"):
            if how_far.ahead:
                others = "another piece of work" if how_far.ahead == 1 else f"{how_far.ahead} other pieces of work"
                st.progress(0.0, f"Waiting: this server works on {others} first")
            else:
                said = f"{len(found)} of {len(shown.wanted.cells)} cells"
                st.progress(how_far.done, f"Working it out: {said}" if how_far.done else "Reading the model")
            st.button("Stop", key="trust-stop", icon=":material/stop:", on_click=_stop, args=(shown.wanted,))
        _draw(shown, found)


def _begin(wanted: Wanted, found: dict[Cell, Mark]) -> None:
    """The button that starts what is missing."""
    left = [cell for cell in wanted.cells if cell not in found or found[cell].broken]
    if why := jobs.jobs().failure(_who(), wanted):
        st.error(page.plain(why), icon=":material/error:")
    if not left:
        return
    label = "Go on" if found else "Check these explanations"
    with st.container(horizontal=True, vertical_alignment="center", key="trust-begin"):
        st.button(
            label, key="trust-start", icon=":material/play_arrow:", type="primary", on_click=_start, args=(wanted,)
        )
        words = f"{len(left)} of {len(wanted.cells)} cells are not worked out yet."
        if jobs.jobs().goes_on(wanted):
            words += " It goes on, since others wait for it, too."
        st.caption(f"{words} You may leave meanwhile: what is done is kept with the run.", width="stretch")


def _who() -> str:
    return f"{state.session()}-trust"


def _start(wanted: Wanted) -> None:
    from explorer.trust.apart import work_out_apart

    st.session_state.pop(LEFT, None)
    jobs.jobs().ask(_who(), wanted, work_out_apart(store().home, wanted), PATIENCE)


def _stop(wanted: Wanted) -> None:
    st.session_state[LEFT] = wanted
    jobs.jobs().leave(_who())


# -- drawing it -------------------------------------------------------------------------------------------------------


def _draw(shown: Shown, found: dict[Cell, Mark]) -> None:
    from explorer.attribution import METHODS
    from explorer.figures.marks import table

    wanted = shown.wanted
    idle = trust_words.idle(wanted, found)
    columns = [_column(name) for name in wanted.checks if name not in idle]
    rows = _sorted(shown, found)
    named = [(name, METHODS[name].title) for name in rows]

    def figure(chosen: list[Column], across: int) -> None:
        entries = [[_entry(wanted, found, row, column.name) for column in chosen] for row in rows]
        drawn = table(named, chosen, entries, shown.title, page.dark(), across)
        page.choose(drawn, f"marks-{across}", _clicked)  # unchanged by opening a cell: it stays as it is

    if columns:
        with st.container(key="marks-wide"):
            figure(columns, 7)
        with st.container(key="marks-narrow"):
            mine = [column for column in columns if column.name == shown.check]
            figure(mine or columns[:1], 1)
    trust_words.legend(wanted, found)
    trust_words.doubts(wanted, found)
    trust_words.missing(wanted, found, idle)


def _column(name: str) -> Column:
    from explorer.figures.marks import Column
    from explorer.trust import CHECKS

    check = CHECKS[name]
    return Column(name, check.title, check.better, check.span)


def _entry(wanted: Wanted, found: dict[Cell, Mark], method: str, check: str) -> Entry:
    from explorer.figures.marks import Entry

    mark = found.get((method, check))
    if mark is None:
        return Entry("waiting", words="Not worked out yet.")
    control = mark.control[1] if mark.control and mark.score is not None else None
    return Entry(mark.state, mark.score, control, mark.verdict or mark.reason)


def _sorted(shown: Shown, found: dict[Cell, Mark]) -> list[str]:
    from explorer.trust import CHECKS

    if shown.sort == LISTED:
        return list(shown.wanted.methods)
    sign = -1 if CHECKS[shown.sort].better == "higher" else 1

    def place(method: str) -> tuple[bool, float]:
        mark = found.get((method, shown.sort))
        missing = mark is None or mark.score is None
        return missing, 0.0 if missing else sign * mark.score

    return sorted(shown.wanted.methods, key=place)


def _clicked(points: list[dict]) -> None:
    method, check = points[0]["customdata"][:2]
    options = Options(by="trust")
    options.choose("method", method)
    options.choose("check", check)
    st.session_state[CLICKED] = True
