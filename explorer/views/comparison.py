"""Several runs side by side: pictures of what they reached and what they cost, and a table of what differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.figures import compare as figures
from explorer.runs.cost import flops_until
from explorer.runs.differences import cautions
from explorer.runs.outcomes import better
from explorer.runs.run import Run
from explorer.views import compared, comparison_table, page, results, state, sweep_result, watchers
from explorer.views.several import Several, gather

EVERY = 2.0
"""Seconds between two redraws while any of the runs goes on."""
NAMED = 3
"""Most runs that are named for having nothing to draw."""
PICTURES = {"sweep": "Settings and result", "curves": "Curves", "cost": "Cost and quality"}
ALONG = {"epoch": "Epochs", "step": "Steps", "seconds": "Seconds", "flops": "Operations"}
COSTS = {"parameters": "Parameters", "macs": "Multiply-adds", "flops": "Operations", "seconds": "Seconds"}
COSTS |= {"memory": "Memory", "energy": "Energy (estimate)"}


def comparison(runs: list[Run]) -> None:
    """Show runs side by side and, while any goes on, keep showing them; polling ends with the last."""
    going = any(not run.status.over for run in runs)
    watchers.follow(_panel, going, len(runs), state.lens().revision, every=EVERY)


def _panel(going: bool, count: int, revision: int) -> None:
    runs = compared.current()
    if len(runs) != count or state.lens().revision != revision:
        st.rerun()  # the whole page, once more: some were deleted, or another run was clicked
    if going and all(run.status.over for run in runs):
        watchers.whole_page()
    sweep = state.compared().sweep
    seen = gather(runs, bool(sweep))
    if sweep:
        sweep_result.progress(sweep, runs)
    for caution in cautions(seen.runs, list(seen.table["metric"])):
        st.warning(page.plain(caution), icon=":material/balance:")
    _best(seen)
    row = st.container(horizontal=True, vertical_alignment="bottom", key="compare-choices")
    pictures = [name for name in PICTURES if name != "sweep" or sweep_result.fits(seen)]
    known = {name: figures.QUALITIES[name][0] for name in ("loss", seen.metric) if name}
    with row:
        picture = one_of("Picture", "picture", {name: PICTURES[name] for name in pictures})
        quality = one_of("On the validation examples", "quality", known, len(known) - 1)
    {"curves": _curves, "cost": _cost, "sweep": sweep_result.picture}[picture](seen, quality, row)
    comparison_table.table(seen)


def one_of(label: str, name: str, words: dict[str, str], usual: int = 0) -> str:
    """One of a few, kept for the session."""
    return st.segmented_control(
        label,
        list(words),
        default=list(words)[usual],
        required=True,
        key=f"compare-{name}-{'-'.join(words)}",  # where other choices are offered, another widget
        format_func=words.__getitem__,
        persist_state="session",
    )


def _best(seen: Several) -> None:
    if len(seen.best) < 2:
        return
    run_id = seen.best[0]
    row = seen.table.loc[run_id]
    title, text, _ = results.WORDS[row["metric"]]
    so_far = "" if all(run.status.over for run in seen.runs) else " so far"
    tested = f" ({text(row['test'])} on the test examples)" if pd.notna(row["test"]) else ""
    words, button = st.columns([5, 1], vertical_alignment="center")
    with words:
        st.markdown(
            f":material/trophy: Best{so_far} on the validation examples: **{page.plain(seen.name(run_id))}**, "
            f"{title} {text(row['quality'])}{tested}.",
            help="Chosen by the validation examples, so that the test examples remain a fair test of it. "
            "Small leads may be luck: repeat with other seeds.",
        )
    with button:
        looked = state.lens().run == run_id
        st.button(
            "Look at it",
            key="look-best",
            icon=":material/visibility:",
            disabled=looked,
            help="The other pages show this run." if looked else "Show this run on the other pages.",
            on_click=_look,
            args=(run_id,),
        )


def _look(run_id: str) -> None:
    state.look(run=run_id)


def _curves(seen: Several, quality: str, row: DeltaGenerator) -> None:
    with row:
        along = st.selectbox(
            "Along the bottom",
            list(ALONG),
            key="compare-along",
            format_func=ALONG.__getitem__,
            width=150,
            persist_state="session",
        )
        train = st.toggle("Training, too", key="compare-train", persist_state="session")
        log = st.toggle("Logarithmic", key="compare-log", persist_state="session") if quality == "loss" else False
    mine = seen.epochs[seen.epochs["name"] == quality]
    parts = dict(iter(mine.groupby(["run", "split"])))
    lines = []
    for run, name in zip(seen.runs, seen.short, strict=True):
        x, y = _points(run, parts.get((run.id, "validation")), along)
        lines.append(figures.Line(name, x, y, *_points(run, parts.get((run.id, "train")) if train else None, along)))
    page.show(figures.curves(lines, quality, along, page.dark(), log, seen.called), key="compare-curves")
    said = ["Thin dotted lines are the training examples."] if train else []
    if missing := [name for name, line in zip(seen.names, lines, strict=True) if not len(line.y)]:
        names = "; ".join(missing[:NAMED]) + (f"; {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        said.append(f"Nothing to draw of those that ended no epoch: {page.plain(names)}.")
    if said:
        st.caption(" ".join(said))


def _points(run: Run, rows: pd.DataFrame | None, along: str) -> tuple[np.ndarray, np.ndarray]:
    if rows is None:
        return np.empty(0), np.empty(0)
    x = flops_until(run, rows["step"].to_numpy()) if along == "flops" else rows[along].to_numpy(float)
    return x, rows["value"].to_numpy(float)


def _cost(seen: Several, quality: str, row: DeltaGenerator) -> None:
    differ = [name for name in COSTS if seen.table[name].nunique() > 1]
    with row:
        cost = st.selectbox(
            "Cost",
            list(COSTS),
            index=list(COSTS).index(next(iter(differ), "parameters")),
            key="compare-cost",
            format_func=COSTS.__getitem__,
            width=190,
            persist_state="session",
        )
    values = seen.table[cost].to_numpy() / (1e6 if cost == "memory" else 1)
    reached = seen.table["quality" if quality == seen.metric else "loss"].to_numpy()
    figure = figures.cost_against_quality(
        seen.short, seen.ids, values, reached, (cost, quality), better(quality), state.lens().run, page.dark()
    )
    page.choose(figure, "compare-scatter", _look_at_point)
    said = "Click a point to look at its run on the other pages. No other run beats those on the dotted line in both."
    if cost == "energy":
        watts = sorted(set(seen.table["watts"]))
        said += f" Energy is an estimate, assuming {' or '.join(f'{value:g}' for value in watts)} W; not measured."
    st.caption(said)


def _look_at_point(points: list[dict[str, Any]]) -> None:
    if chosen := points[0].get("customdata"):
        state.look(run=chosen[0])
