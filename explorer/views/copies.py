"""An example beside its changed copy: what differs, both answers, and which of the two is looked into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np
import streamlit as st

from explorer.figures.examples import series
from explorer.figures.images import enlarged
from explorer.figures.quality import short
from explorer.figures.shades import shades
from explorer.views import example, page, results, state
from explorer.views.view import View

COPY, ORIGINAL = "the copy", "the original"
SIDE = 80
"""Width of a small picture in screen pixels."""
CLASSES = 4
"""Classes whose probabilities are written: the two answers, and those that changed most."""
FIELDS = 8
"""Fields of a table that are named; of the rest it is said how many they are."""


def copies(view: View, drawing: bool) -> None:
    """Draw both.

    Args:
        view: What is looked at; it has a changed copy.
        drawing: Whether the copy is on the page already, to be drawn on.
    """
    original, copy = replace(view, original=True), replace(view, original=False)
    with st.container(key="copies"):
        _answers(original, copy)
        if drawing:
            with st.container(horizontal=True):
                _picture(original)
                _change(original, copy)
        else:
            _DIFFERENCES[view.dataset.modality](original, copy)
        _switch(view)


def _switch(view: View) -> None:
    revision = state.lens().revision
    key = f"look-into-{revision}"
    st.session_state[key] = ORIGINAL if view.original else COPY
    st.segmented_control(
        "Look into", [COPY, ORIGINAL], key=key, required=True, on_change=_switched, args=(revision, key)
    )


def _switched(revision: int, key: str) -> None:
    state.look_by(revision, original=st.session_state[key] == ORIGINAL)


# -- what differs -----------------------------------------------------------------------------------------------------


def _images(original: View, copy: View) -> None:
    with st.container(horizontal=True):
        _picture(original)
        _picture(copy)
        _change(original, copy)


def _picture(view: View) -> None:
    words = f"Copy: {example.MADE}" if view.changed else f"Original: truly {view.said}"
    st.image(enlarged(view.input[0].numpy()), caption=page.plain(words), width=SIDE, alt=f"{words}.")


def _change(original: View, copy: View) -> None:
    """What was added to an image: the mean over its colours, on a scale of its own."""
    added = (copy.input - original.input)[0].mean(dim=0).numpy()  # (H, W)
    most = float(np.abs(added).max())
    colours = np.moveaxis(shades(added, most, dark=page.dark()), 2, 0) / 255
    words = f"Change: warm brighter, cool darker, at most {most:.2g}" if most else "Change: none"
    st.image(enlarged(colours), caption=words, width=SIDE, alt=f"{words}.")


def _series(original: View, copy: View) -> None:
    both = np.concatenate([original.input[0].numpy(), copy.input[0].numpy()])
    channels = len(both) // 2
    names = [f"{which}{f' {n}' if channels > 1 else ''}" for which in ("original", "copy") for n in range(channels)]
    figure = series(both, "Original and copy", "The series and its changed copy.", page.dark(), 220, names)
    page.show(figure, key="copies-series")


def _texts(original: View, copy: View) -> None:
    texts = [_pieces(view) for view in (original, copy)]
    marks = marked(*texts)
    gap = "" if by_letter(original) else " "
    for words, pieces, changed in zip((f"Original, {original.said}", "Copy"), texts, marks, strict=True):
        with st.container(border=True):
            st.caption(page.plain(words))
            st.markdown(highlighted(pieces, changed, gap))


def by_letter(view: View) -> bool:
    """Whether texts are read letter by letter."""
    from explorer.data import by_character

    return by_character(view.dataset.vocabulary)


def _pieces(view: View) -> list[str]:
    """Words or letters; of a copy as they were typed, also those that are unknown."""
    if view.changed:
        from explorer.data.made.texts import text_of

        text = text_of(view.dataset, view.made)
        return list(text) if by_letter(view) else text.split()
    return [view.dataset.vocabulary[token] for token in view.input[0, : view.length].tolist()]


def marked(one: Sequence[str], other: Sequence[str]) -> tuple[list[bool], list[bool]]:
    """Which pieces of two texts are not in the other at the same place among what they share."""
    changed = [True] * len(one), [True] * len(other)
    for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        for n in range(block.size):
            changed[0][block.a + n] = changed[1][block.b + n] = False
    return changed


def highlighted(pieces: Sequence[str], changed: Sequence[bool], gap: str) -> str:
    """A text as markdown, its changed pieces on a coloured ground."""
    parts: list[tuple[bool, list[str]]] = []
    for piece, new in zip(pieces, changed, strict=True):
        if not parts or parts[-1][0] != new:
            parts.append((new, []))
        parts[-1][1].append(piece)
    runs = [(new, page.plain(gap.join(run))) for new, run in parts]
    return gap.join(f":blue-background[{text}]" if new else text for new, text in runs) or "nothing"


def _fields(original: View, copy: View) -> None:
    dataset = original.dataset
    before, after = (dataset.unscaled(view.input)[0] for view in (original, copy))
    changed = np.flatnonzero((original.input != copy.input)[0].numpy())
    lines = [
        f"- {page.plain(dataset.features[n])}: {before[n]:.4g} → **{after[n]:.4g}**".replace("-0 ", "0 ")
        for n in changed[:FIELDS]
    ]
    if len(changed) > FIELDS:
        lines.append(f"- and {len(changed) - FIELDS} more")
    st.markdown("What you changed:\n" + "\n".join(lines))


_DIFFERENCES = {"image": _images, "series": _series, "tokens": _texts, "vector": _fields}


# -- the answers ------------------------------------------------------------------------------------------------------


def _answers(original: View, copy: View) -> None:
    dataset = original.dataset
    if dataset.task == "translation":
        for words, view in (("Of the original it writes", original), ("Of the copy", copy)):
            st.markdown(f"{words}: **{page.plain(results.translation(*view.place)) or 'nothing'}**")
    elif dataset.classes:
        st.markdown(_table(original, copy))
    else:
        mean, spread = dataset.scale
        before, after = (mean + spread * results.output(*view.place) for view in (original, copy))
        st.markdown(
            f"It answers **{before:.4g}** to the original and **{after:.4g}** to the copy: {after - before:+.4g} "
            f"{page.plain(dataset.unit)}."
        )


def _table(original: View, copy: View) -> str:
    """Both answers, and how the probabilities changed, as a table in markdown."""
    classes = original.dataset.classes
    before, after = (results.prediction(*view.place) for view in (original, copy))
    said = (
        f"It answers **{page.plain(classes[before.answer])}** to the original and "
        f"**{page.plain(classes[after.answer])}** to the copy."
    )
    return f"{said}\n\n{shares(classes, before.probabilities, after.probabilities, ('original', 'copy'))}"


def shares(classes: Sequence[str], before: np.ndarray, after: np.ndarray, heads: tuple[str, str]) -> str:
    """Probabilities (classes,) of two inputs, of the classes worth telling, as a table in markdown."""
    lines = [f"| | {heads[0]} | {heads[1]} |", "|---|---:|---:|"]
    lines += [f"| {_name(classes[n])} | {share(before[n])} | {share(after[n])} |" for n in told(before, after)]
    return "\n".join(lines)


def told(before: np.ndarray, after: np.ndarray, most: int = CLASSES) -> list[int]:
    """Classes whose probabilities (classes,) are worth telling, in order: both answers, and what changed most."""
    answers = dict.fromkeys([int(before.argmax()), int(after.argmax())])
    moved = np.argsort(-np.abs(after - before), kind="stable").tolist()
    return sorted(list(dict.fromkeys([*answers, *moved]))[:most])


def _name(name: str) -> str:
    return page.plain(short(name))


def share(value: float) -> str:
    """A probability as a percentage that never rounds up to certainty."""
    return f"{min(value, 0.999):.1%}"
