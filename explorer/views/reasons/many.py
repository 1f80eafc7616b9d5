"""One method over several examples of a split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from explorer.attribution import METHODS, Attribution, Target
from explorer.figures.shades import side
from explorer.views import page, picking, results
from explorer.views.options import Options
from explorer.views.reasons import asked as asking
from explorer.views.reasons import choices, saving, together, trusted
from explorer.views.reasons.asked import CHUNK, RIGHT, WROTE, Asked, positions
from explorer.views.reasons.choices import NOBODY
from explorer.views.reasons.saving import Look, Several
from explorer.views.reasons.together import Together
from explorer.views.view import View

SHOWN = 12
"""Examples seen at once."""
IN_ROW, TALL = 4, 130
"""Images in a row, and how many screen pixels each is high at most."""
PARTS = results.KEPT // 2
"""Most parts that examples are explained in, so that all of them are kept."""
ANSWER, TRUTH = "answer", "truth"
ANY = "any"


@dataclass(frozen=True)
class Each:
    """Which class is explained of each of several examples.

    Attributes:
        which: `ANSWER`, `TRUTH`, or the number of a class.
        against: The same of the class it is compared with; `NOBODY` for none.
        said: What is explained, in words.
        text, at: Of translations: which text, and which of its tokens.
    """

    which: str | int
    against: str | int
    said: str
    text: str = ""
    at: int = 0


def each(view: View, options: Options) -> Each:
    """Choose it."""
    if view.dataset.task == "translation":
        return _token(view, options)
    names = view.dataset.classes
    if not names:
        return Each(0, NOBODY, view.dataset.unit or "this value")
    known = {ANSWER: "its answer", TRUTH: "its true class"} | dict(enumerate(names))
    which = options.one("each", "Why, of each", list(known), words=known.__getitem__, few=0, width=150)
    words = {NOBODY: "any other"} | known
    against = options.one(
        "against",
        "Rather than",
        list(words),
        words=words.__getitem__,
        few=0,
        width=150,
        help="With a second class, the difference of the two scores is explained: why this and not that?",
    )
    return Each(which, against, known[which] + ("" if against == NOBODY else f" rather than {known[against]}"))


def _token(view: View, options: Options) -> Each:
    words = {WROTE: "of what it writes", RIGHT: "of the right translation"}
    text = options.one("text", "Of each", list(words), words=words.__getitem__, few=0, width=230)
    number = options.number(
        "nth",
        "Why its token number",
        1,
        view.dataset.target_shape.size[0],
        width=180,
        help="Translations that end before it are left out.",
    )
    return Each(0, NOBODY, f"token {number} {words[text]}", text, number - 1)


def targets(view: View, rows: np.ndarray, aim: Each) -> tuple[Target, ...]:
    """What is explained of each of these examples; where both classes are one, its own score."""
    if not view.dataset.classes:
        return (0,) * len(rows)

    def numbers(which: str | int) -> list[int]:
        if isinstance(which, int):
            return [which] * len(rows)
        found = results.answers(view.run.id, view.step, view.split)
        return (found.predicted if which == ANSWER else found.truth)[rows].astype(int).tolist()

    first = numbers(aim.which)
    if aim.against == NOBODY:
        return tuple(first)
    return tuple(one if one == other else (one, other) for one, other in zip(first, numbers(aim.against), strict=True))


def alike(found: Sequence[Attribution], aim: Each) -> str:
    """Of how many examples both classes are one, in words; empty if of none."""
    count = sum(not isinstance(one.target, tuple) for one in found) if aim.against != NOBODY else 0
    return f" Of {count} both are the same class: only its own score is explained." if count else ""


def all_of(view: View, rows: np.ndarray, aim: Each, asked: Asked) -> Iterator[list[Attribution | str]]:
    """What a method says of each of these examples, a few at a time; progress is shown meanwhile.

    Between them a click on anything stops it; what was found is kept.
    """
    aims, bar = targets(view, rows, aim), st.empty()
    asked = replace(asked, text=aim.text, at=aim.at)
    size = max(CHUNK, -(-len(rows) // PARTS))
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        yield asking.explain_rows(view.run.id, view.step, view.split, tuple(rows[part].tolist()), aims[part], asked)
        done = min(first + size, len(rows))
        bar.progress(done / len(rows), text=f"{done:,} of {len(rows):,} examples explained. Any click stops it.")
    bar.empty()


def many(view: View, options: Options) -> None:
    """Choose a method and some examples; see them all on one scale."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="question"):
        name = choices.method(view, options, inner=False)
        aim = each(view, options)
        rows, label = _examples(view, options, aim)
        choices.refused(view)
    sign, opacity = choices.sides(view, options)
    asked = choices.settings(view, options, [name])
    if not len(rows):
        st.info(f"The {view.split} split has no example of this class.", icon=":material/info:")
        return
    found = [one for part in all_of(view, rows, aim, asked) for one in part]
    good = [n for n, one in enumerate(found) if isinstance(one, Attribution)]
    if not good:
        st.info(page.plain(str(found[0])), icon=":material/info:")
        return
    title = f"Why {aim.said}? {METHODS[name].title}"
    values = [side(positions(found[n].values, view.dataset.modality), sign) for n in good]
    labels = [label(int(rows[n])) for n in good]
    inputs = view.dataset.split(view.split).inputs[rows[good]]
    shown = Together(inputs, values, labels, "example", sign, opacity, IN_ROW, TALL)
    alt = f"{title}: {len(good)} examples."
    together.draw(view.dataset, shown, title, alt, "many", saving.called(view, "many"))
    st.caption(
        f"{METHODS[name].reading(view.dataset.modality, asked.words(view.dataset))} {len(good)} examples of the "
        f"{view.split} split, all on one scale: {max(np.abs(one).max() for one in values):.3g} is the strongest colour."
        + (f" {len(rows) - len(good)} could not be explained." if len(good) < len(rows) else "")
        + alike([found[n] for n in good], aim)
    )
    trusted.beside_one(view, name)
    kept = Several("example", rows[good].tolist(), labels, inputs, [found[n] for n in good], title, same=True)
    saving.several(view, kept, Look(sign, opacity), f"{name}-many")


def _examples(view: View, options: Options, aim: Each) -> tuple[np.ndarray, picking.Label]:
    """Choose which examples; returns their numbers, and what is written on each."""
    dataset = view.dataset
    orders = [picking.ORDER, picking.WORST, *([picking.UNSURE] if dataset.classes else []), picking.RANDOM]
    order = options.one("order", "Examples", orders, few=0, width=130)
    cls = picking.ANY
    if dataset.classes:
        chosen = options.one(
            "ofclass",
            "Of class",
            [ANY, *range(len(dataset.classes))],
            words=lambda number: number if number == ANY else dataset.classes[number],
            few=0,
            width=130,
        )
        cls = picking.ANY if chosen == ANY else chosen
    rows, _ = picking.ranked(view, order, cls, 0)
    return rows[:SHOWN], lambda row: _label(view, row, aim)


def _label(view: View, row: int, aim: Each) -> str:
    """What is written on an example: its number, and what is true, with what was answered if that is wrong; of a
    translation the token that is explained.
    """
    dataset = view.dataset
    if dataset.task == "translation":
        _, tokens = asking.read(view.run.id, view.step, view.split, row, aim.text)
        return f"{row}: {dataset.target_vocabulary[tokens[aim.at]]}"
    found = results.answers(view.run.id, view.step, view.split)
    if not dataset.classes:
        return f"{row}: {found.truth[row]:.4g} → {found.predicted[row]:.4g}"
    truth, said = (dataset.classes[int(values[row])] for values in (found.truth, found.predicted))
    return f"{row}: {truth}" + ("" if truth == said else f" → {said}")
