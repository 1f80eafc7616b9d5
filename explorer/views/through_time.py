"""Gradient through time of a recurrent run, beside that of its partner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer.figures.through_time import VANISHED, Line, through_time
from explorer.runs.run import Run
from explorer.views import page, results, state, watchers
from explorer.views.server import store

KINDS = {"rnn": "Vanilla RNN", "lstm": "LSTM", "gru": "GRU"}
EVERY = 1.0
"""Seconds between two redraws while only a partner goes on."""
EXAMPLES = 32
"""Test examples over which the norms are averaged."""
PARTNERS = 3
"""Most other runs drawn beside the one that is looked at."""
MOST_SAID = 4
"""Most layers of which it is said in words, too."""
MOST_WORK = 2e9
"""Most multiply-adds of one look; a page should not wait for longer."""


def kinds(run: Run) -> list[str]:
    """The kinds of recurrent layers in a run's model."""
    found = [layer.kind for layer in state.stacked(run.spec.model) if layer.kind in KINDS] if run.spec else []
    return list(dict.fromkeys(found))


def partners(run: Run) -> list[Run]:
    """Runs made together with this one, on the same data, whose recurrent layers are of other kinds."""
    others = [other for other in store().of_sweep(run.sweep) if other.id != run.id and kinds(other)]
    fitting = [other for other in others if other.spec.dataset == run.spec.dataset and kinds(other) != kinds(run)]
    return fitting[:PARTNERS]


def panel(run: Run, beside: Sequence[Run] = ()) -> None:
    """For runs with recurrent layers, what is drawn once somebody opens it; open at once where it has `partners`."""
    if not kinds(run):
        return
    # This run may be over, and nothing polls for it any more, while a partner goes on.
    if run.status.over and any(not one.status.over for one in beside):
        watchers.follow(_waiting, True, run, beside, every=EVERY)
    else:
        _panel(run, beside)


def _waiting(_again: bool, run: Run, beside: Sequence[Run]) -> None:
    now = [found for one in beside if (found := store().find(one.id))]
    if all(one.status.over for one in now):
        watchers.whole_page()
    _panel(run, now)


def _panel(run: Run, beside: Sequence[Run]) -> None:
    with st.expander(
        "Gradient through time",
        icon=":material/blur_on:",
        key=f"through-time-{run.id}",
        expanded=bool(beside),
        on_change="rerun",
    ) as more:
        if more.open:
            page.calm(_draw)(run, beside)


def _draw(run: Run, beside: Sequence[Run]) -> None:
    st.caption(
        "How strongly the loss depends on each hidden state, from the first step that is read to the last. What "
        "reaches the first steps is all that can be learned from them."
    )
    steps = store().snapshots.steps(run.id)
    if not steps:
        st.caption("No weights are kept yet.")
        return
    wanted = state.lens().step if run.status.over else None  # the sidebar has the steps of a run that is over
    step = steps[-1] if wanted is None else min(steps, key=lambda kept: abs(kept - wanted))
    lines, said = [], []
    for number, one in enumerate(sorted((run, *beside), key=lambda one: one.created)):  # a run keeps its colour
        kept = store().snapshots.steps(one.id)
        if not kept:
            continue
        at = min(kept, key=lambda other: abs(other - step))
        name = _name(one)
        found = gradient(one.id, at)
        for layer, shares, norms in found:
            called = f"{name}, {layer}" if len(found) > 1 else name
            lines.append(Line(f"{called}, after step {at}", shares, norms, number))
            said.append(_said(called, float(shares[0]), _test(one)))
    page.show(through_time(lines, page.dark()), key=f"through-time-figure-{run.id}")
    with st.container(horizontal=True, key="partners"):
        for one in beside:
            if st.button(f"Switch to: {_name(one)}", key=f"partner-{one.id}", icon=":material/swap_horiz:"):
                state.look(run=one.id)
                st.rerun()
    st.markdown("  \n".join(said[:MOST_SAID]))
    st.caption(
        f"Mean over {examples(run)} test examples. Each line is a share of its own largest value, so that a small "
        "loss is not taken for a vanished gradient. It can mislead: a gradient that arrives need not be of use, the "
        "answer may not depend on the first steps at all, and an LSTM whose forget gates begin half open (forget bias "
        "0) loses its gradient as fast as a vanilla RNN."
    )


def _said(name: str, left: float, test: str) -> str:
    said = f"**{page.plain(name)}:** at the first step {left:.1g} of the largest gradient is left"
    if left < VANISHED:
        return f"{said}. It has vanished: what stood there can hardly be learned.{test}"
    return f"{said}, enough to learn from what stood there.{test}"


def _test(run: Run) -> str:
    """The metric of a run that is over on the test split, in words."""
    name = results.metric(run)
    if name not in run.test:
        return ""
    title, text, _ = results.WORDS[name]
    return f" Test {title}: {text(run.test[name])}."


def _name(run: Run) -> str:
    return " and ".join(KINDS[kind] for kind in kinds(run))


def examples(run: Run) -> int:
    """Over how many examples the mean is taken: fewer of a model that takes long."""
    return max(1, min(EXAMPLES, int(MOST_WORK // (3 * max(1, run.macs)))))  # backwards costs about twice as much


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def gradient(
    run_id: str, step: int, split: str = "test", example: int | None = None
) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Layer, shares and norms of each recurrent layer of a run's model at a step: of one example, or the mean over the
    first `examples` of a split.
    """
    from explorer.data import dataset_of
    from explorer.probes import through_time as probe
    from explorer.training import task_of

    run = store().get(run_id)
    dataset = dataset_of(run.spec)
    part, rows = dataset.split(split), slice(examples(run)) if example is None else slice(example, example + 1)
    found = probe(results.rebuilt(run_id, step), part.inputs[rows], part.targets[rows], task_of(dataset))
    return [(one.layer, one.shares, one.norms) for one in found]
