"""What the lens points at, looked up: the run, its kept steps, the example; and the sidebar that moves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.errors import DataError
from explorer.runs.run import Run, Status
from explorer.views import page, results, state, travel
from explorer.views.server import store

if TYPE_CHECKING:
    import torch

    from explorer.data import Dataset
    from explorer.data.made import Example
    from explorer.models import Planned

LISTED = 50
"""Runs offered in the sidebar: the latest ones."""

SAMPLED = 5
"""Steps that one scale for all of them is made from."""

SPREAD = 4
"""Steps shown side by side, unless another number is chosen."""

ANSWER = -1
"""Stands for "whatever the model answers" among the numbers of classes."""

ICONS = {
    Status.QUEUED: ("schedule", "grey"),
    Status.RUNNING: ("play_circle", "blue"),
    Status.PAUSED: ("pause_circle", "blue"),
    Status.FINISHED: ("check_circle", "green"),
    Status.STOPPED: ("stop_circle", "orange"),
    Status.DIVERGED: ("trending_up", "red"),
    Status.FAILED: ("error", "red"),
    Status.INTERRUPTED: ("power_off", "orange"),
}
"""Icon and colour of each status."""


@dataclass(frozen=True)
class View:
    """What is looked at, complete and within bounds.

    Attributes:
        example: Number of the example of the split.
        target: Class that is explained, or None for the model's answer.
        made: Code of a changed copy of it that can be used, or empty for none.
        original: Whether it is the example itself that is looked into, although there is a changed copy.
        notes: What the lens asks for and is not here, in words.
        many: How many steps are shown side by side.
    """

    run: Run
    steps: list[int]
    step: int
    dataset: Dataset
    split: str
    example: int
    target: int | None
    made: str = ""
    original: bool = False
    notes: tuple[str, ...] = ()
    many: int = SPREAD

    @property
    def shown(self) -> Example:
        """What is looked into: the number of the example, or the code of its changed copy."""
        return self.made if self.made and not self.original else self.example

    @property
    def changed(self) -> bool:
        """Whether that is a changed copy: it has no right answer."""
        return isinstance(self.shown, str)

    @property
    def place(self) -> tuple[str, int, str, Example]:
        """Run, step, split and example or changed copy: what cached results are found by."""
        return self.run.id, self.step, self.split, self.shown

    @property
    def sampled(self) -> tuple[int, ...]:
        """A few of the kept steps, evenly, the first and the last among them."""
        return self._evenly(SAMPLED)

    @property
    def spread(self) -> tuple[int, ...]:
        """The same for steps that are shown side by side."""
        return self._evenly(self.many)

    @property
    def begins(self) -> str:
        """What the weights at step 0 are, in words."""
        if self.run.spec.start is None:
            return "before training"
        other, step = self.run.spec.start
        return f"as it was branched off from step {step} of run {other}"

    def _evenly(self, count: int) -> tuple[int, ...]:
        places = range(count)
        return tuple(sorted({self.steps[n * (len(self.steps) - 1) // (count - 1)] for n in places}))

    @property
    def input(self) -> torch.Tensor:
        """The example, or its changed copy, (1, …)."""
        from explorer.data.made import example_of

        return example_of(self.dataset, self.split, self.shown)

    @property
    def layers(self) -> dict[str, Planned]:
        """The layers of the model by name, in order."""
        from explorer.models import plan

        return {layer.name: layer for layer in plan(self.run.spec.model, self.dataset).layers}

    @property
    def truth(self) -> int | None:
        """Number of the example's class; None of a changed copy."""
        return None if self.changed else int(self.dataset.split(self.split).targets[self.example])

    @property
    def length(self) -> int:
        """How many tokens the example has without padding; only of texts."""
        return int((self.input != 0).sum())

    @property
    def written(self) -> list[int]:
        """Tokens that a decoder reads, with padding: of the right translation or, for a changed copy, of the model's;
        only of translations.
        """
        return results.given(self.run.id, self.split, self.shown, self.step)[1][0].tolist()

    @property
    def said(self) -> str:
        """The right answer in words; empty of a changed copy."""
        if self.changed:
            return ""
        return self.dataset.answer(self.dataset.split(self.split).targets[self.example])


def current_run() -> Run | None:
    """The run that is looked at: the chosen one, or else the newest."""
    chosen = state.lens().run
    found = store().find(chosen) if chosen else None
    gone = found is None and chosen
    found = found or next(iter(store().list(1)), None)
    if (now := found.id if found else "") != chosen:
        state.look(run=now)
    if gone:
        state.miss(chosen)
    return found


def not_here() -> None:
    """Say that the run that was looked for is not here, if so."""
    run = current_run()
    if gone := state.missed():
        instead = "the newest one is shown" if run else "there is no other one either"
        st.warning(page.plain(f"Run {gone} is not here any more; {instead}."), icon=":material/link_off:")


def resolve(run: Run | None) -> View | None:
    """The whole view of a run, or None if there is none or it has no weights yet."""
    if run is None or run.spec is None or not (steps := store().snapshots.steps(run.id)):
        return None
    from explorer.data import dataset_of

    wanted, dataset = state.lens(), dataset_of(run.spec)
    notes: list[str] = []
    step = steps[-1] if wanted.step is None else min(steps, key=lambda kept: abs(kept - wanted.step))
    if wanted.step not in (None, step):
        notes.append(f"Weights of step {wanted.step} are not kept; the nearest kept step, {step}, is shown.")
    last = len(dataset.split(wanted.split)) - 1
    example = min(wanted.example, last)
    if example != wanted.example:
        notes.append(f"There is no {wanted.split} example {wanted.example}; the last one, {last}, is shown.")
    target = wanted.target
    if target is not None and target >= len(dataset.classes):
        here = f"they are numbered 0 to {len(dataset.classes) - 1}" if dataset.classes else "there are none here"
        notes.append(f"There is no class {target} to explain ({here}); the answer is explained.")
        target = None
    made = _usable(dataset, wanted, notes)
    return View(run, steps, step, dataset, wanted.split, example, target, made, wanted.original, tuple(notes))


def _usable(dataset: Dataset, wanted: state.Lens, notes: list[str]) -> str:
    """The code of the changed copy; empty, and said, if it is none of this data set."""
    from explorer.data.made import example_of

    try:
        if wanted.made:
            example_of(dataset, wanted.split, wanted.made)
    except DataError as error:
        notes.append(f"{error} The example itself is shown.")
        return ""
    return wanted.made


def sidebar(looking: bool, travelling: bool = False) -> None:
    """The lens in the sidebar: the run on every page; step, example and class on the pages that look into one.

    Args:
        looking: Whether the page looks into an example.
        travelling: Whether it shows the run at a step.
    """
    run = current_run()
    if run is None:
        return
    st.subheader("What you look at", anchor=False)
    runs = store().titles(LISTED)
    runs.setdefault(run.id, run.title)
    # The browser sends back the words of a choice: two runs of one name must differ in them.
    titles = Counter(runs.values())
    words = {key: title if titles[title] == 1 else f"{title} ({key})" for key, title in runs.items()}
    _choice("Run", "run", list(runs), run.id, words.__getitem__)
    # Only now: where the run cannot be resolved, its data were removed say, another can still be chosen.
    view = resolve(run) if looking or travelling else None
    if view is None:
        return
    if len(view.steps) > 1:
        travel.controls(view)
    if not looking:
        return
    _choice("Examples from", "split", list(state.SPLITS), view.split, lambda split: f"{split} split")
    last = len(view.dataset.split(view.split)) - 1
    st.number_input(
        f"Example (0 to {last})",
        0,
        last,
        key=_key("example", view.example),
        on_change=move,
        args=(state.lens().revision, "example"),
        help="Test examples were never trained on.",
    )
    if view.made:
        st.caption(f"Shown is {'the example itself' if view.original else 'the copy that you changed'}.")
    classes = view.dataset.classes
    if not classes:
        return
    options = [ANSWER, *range(len(classes))]
    chosen = ANSWER if view.target is None else view.target
    _choice("Class to explain", "target", options, chosen, lambda n: "the answer" if n == ANSWER else classes[n])


def _choice(label: str, name: str, options: list[Any], value: Any, words: Callable[[Any], str]) -> None:
    key = _key(name, value)
    st.selectbox(label, options, key=key, format_func=words, on_change=move, args=(state.lens().revision, name))


def _key(name: str, value: Any) -> str:
    """The key of a lens widget, which shows a value."""
    key = f"lens-{name}-{state.lens().revision}"
    st.session_state[key] = value
    return key


def move(revision: int, name: str, key: str = "") -> None:
    """Take over what a lens widget says."""
    key = key or f"lens-{name}-{revision}"
    if key in st.session_state:
        value = st.session_state[key]
        state.look_by(revision, **{name: None if value == ANSWER else value})


def badge(run: Run) -> None:
    """The status of a run, as icon, word and colour."""
    icon, colour = ICONS[run.status]
    st.badge(run.status.value, icon=f":material/{icon}:", color=colour)
