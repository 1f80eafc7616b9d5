"""A change that a search made to an input: what it looks like, and keeping it as the made example of the lens."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.errors import DataError, ExplorerError
from explorer.figures import flips as figures
from explorer.figures.examples import bars
from explorer.views import changing, page, results
from explorer.views.copies import by_letter, highlighted, share
from explorer.views.view import View

STILL = 1e-6
"""A value that changed less than this did not change."""
COLUMNS = 12
"""Columns of a table that are drawn: those that changed most."""


def changed(view: View, after: np.ndarray, answers: tuple[str, str], key: str) -> None:
    """Draw the input, what was changed, and the result.

    Args:
        view: What is looked at.
        after: (*shape) the changed input.
        answers: What the model answers before and after.
        key: Of its figure.
    """
    before = view.input[0].numpy()
    _DRAWN[view.dataset.modality](view, before, after, answers, key)


def _image(view: View, before: np.ndarray, after: np.ndarray, answers: tuple[str, str], key: str) -> None:
    labels = [f"<b>{name}</b><br>{said}" for name, said in zip(("input", "result"), answers, strict=True)]
    figure = figures.images(
        before,
        after,
        [labels[0], f"<b>change</b><br>{'own scale' if len(before) == 1 else 'mean of colours'}", labels[1]],
        "Input, change and result",
        f"The input, answered {answers[0]}; what was added; and the result, answered {answers[1]}.",
        page.dark(),
    )
    page.show(figure, key=f"{key}-image")


def _series(view: View, before: np.ndarray, after: np.ndarray, answers: tuple[str, str], key: str) -> None:
    alt = f"The series, answered {answers[0]}; the changed one, answered {answers[1]}; and what was added."
    page.show(figures.series(before, after, "Input, result and change", alt, page.dark()), key=f"{key}-series")


def _row(view: View, before: np.ndarray, after: np.ndarray, answers: tuple[str, str], key: str) -> None:
    import torch

    change = after - before
    order = [n for n in np.argsort(-np.abs(change), kind="stable") if abs(change[n]) > STILL][:COLUMNS]
    if not order:
        st.markdown("Nothing is changed.")
        return
    values = view.dataset.unscaled(torch.from_numpy(np.stack([before, after])))
    labels = [f"{view.dataset.features[n]}: {values[0, n]:.4g} → {values[1, n]:.4g}" for n in order]
    labels = [label.replace("-0 ", "0 ") for label in labels]
    alt = "; ".join(labels)
    title = "What was changed" if len(order) < COLUMNS else f"The {len(order)} largest changes"
    figure = bars(change[order], labels, title, "change in standard deviations", alt, page.dark())
    page.show(figure, key=f"{key}-row")


def _text(view: View, before: np.ndarray, after: np.ndarray, answers: tuple[str, str], key: str) -> None:
    vocabulary, length = view.dataset.vocabulary, view.length
    gap = "" if by_letter(view) else " "
    for words, tokens, answer in zip(("Input", "Result"), (before, after), answers, strict=True):
        with st.container(border=True):
            st.caption(page.plain(f"{words}: {answer}"))
            pieces = [vocabulary[token] for token in tokens[:length]]
            st.markdown(highlighted(pieces, (before != after)[:length].tolist(), gap))


_DRAWN = {"image": _image, "series": _series, "vector": _row, "tokens": _text}


# -- keeping it -------------------------------------------------------------------------------------------------------


def keep(view: View, after: np.ndarray, answer: int | None, key: str) -> None:
    """Offer to make the changed input the made example, so that all views look at it; and say what is answered to it
    as it is kept, which may be less exact.

    Args:
        view: What is looked at.
        after: (*shape) the changed input.
        answer: What the model answers to it, if that is to be kept; None if nothing flipped.
        key: Of the button.
    """
    try:
        code = code_of(view, after)
        kept = results.prediction(view.run.id, view.step, view.split, code)
    except ExplorerError as error:
        st.caption(page.plain(f"It cannot be kept as a made example: {error}"))
        return
    said = page.plain(f"{view.dataset.classes[kept.answer]}, {share(kept.probabilities[kept.answer])}")
    st.button(
        "Keep as made example",
        key=f"keep-{key}",
        icon=":material/bookmark_add:",
        on_click=changing.take,
        args=(view, lambda: code),
        kwargs={"steady": False},
        help="It becomes the changed copy of the example, which every page then looks at.",
    )
    if answer is not None and kept.answer != answer:
        st.warning(
            f"As it is kept, in whole shades, it answers {said}: the flip is lost. Let the new answer lead by more.",
            icon=":material/blur_on:",
        )
    else:
        st.caption(f"As it is kept, it answers {said}.")


def code_of(view: View, after: np.ndarray) -> str:
    """The code of a changed input.

    Raises:
        DataError: No code can hold it.
    """
    import torch

    from explorer.data.made import images, rows, series, texts

    dataset = view.dataset
    if dataset.modality == "image":
        return images.code_of(dataset, _outward(view.input[0].numpy(), after, images.FINE), fine=True)
    if dataset.modality == "vector":
        return rows.code_of(dataset, after)
    if dataset.modality == "series":
        return series.code_of_values(dataset, after)
    code = texts.code_of(dataset, dataset.text(torch.from_numpy(after)))
    if not np.array_equal(results.input_of(view.run.id, view.split, code)[0].numpy(), after):
        raise DataError("typed as a text, these words are read as others.")
    return code


def _outward(before: np.ndarray, after: np.ndarray, steps: int) -> np.ndarray:
    """An image of so many steps of brightness, each changed value rounded away from what it was before: a change that
    leads just over a boundary would else often fall back.
    """
    scaled = np.where(after > before, np.ceil(after * steps), np.floor(after * steps))
    return np.where(np.abs(after - before) > STILL, scaled / steps, after).clip(0, 1)
