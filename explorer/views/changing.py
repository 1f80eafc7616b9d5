"""Changing a copy of the example: drawn on, uploaded, typed, or set by hand; the answer follows each change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer.errors import ExplorerError
from explorer.views import drawing, fields, page, state
from explorer.views.view import View

OPEN, SAID = "changing-open", "changing-said"
FILES = ("png", "jpg", "jpeg")
MEGABYTES = 10


def is_open(view: View) -> bool:
    """Whether the example is being changed: it is once there is a copy, unless that was closed."""
    return st.session_state.get(OPEN, bool(view.made))


def first(view: View) -> bool:
    """Draw what stands above the answer, if the example is being changed: the picture to draw on, the text to type.

    Returns:
        Whether that is a picture of the copy.
    """
    modality = view.dataset.modality
    drawable = modality == "image" and view.dataset.shape.size[0] == 1
    if is_open(view):
        if drawable:
            _pad(view)
        elif modality == "tokens":
            _text(view)
    return is_open(view) and drawable


def changing(view: View) -> None:
    """Open it, take changes back, and all else that changes this kind of data."""
    revision = state.lens().revision
    key = f"{OPEN}-{revision}"
    st.session_state[key] = is_open(view)
    st.toggle("Change it", key=key, on_change=_open, args=(key,), help=_HELP[view.dataset.modality])
    _history()
    place, text = st.session_state.get(SAID, (None, ""))
    if place == (view.run.id, view.split, view.example):
        st.warning(page.plain(text), icon=":material/error:")
    if is_open(view) and (draw := _TOOLS.get(view.dataset.modality)):
        draw(view)


def _history() -> None:
    """Undo, redo, and back to the original, which can be undone, too."""
    (back, again), made = state.changes_kept(), state.lens().made  # also one that cannot be used can be left
    if not (back or again or made):
        return
    with st.container(horizontal=True, gap="small", key="changes"):
        st.button("Undo", key="undo-change", on_click=state.take_back, disabled=not back)
        st.button("Redo", key="redo-change", on_click=state.do_again, disabled=not again)
        if made:
            st.button(
                "Back to the original", key="drop-copy", on_click=state.look, kwargs={"made": "", "original": False}
            )


_HELP = {
    "image": "Draw on a copy of it, or upload another image: the answer follows.",
    "series": "Shift, scale, blur with noise or erase a copy of it: the answer follows.",
    "tokens": "Change the words of a copy of it, or type your own: the answer follows.",
    "vector": "Set the fields of a copy of it: the answer follows.",
}


def _open(key: str) -> None:
    if key.endswith(f"-{state.lens().revision}"):  # an outdated widget changes nothing
        st.session_state[OPEN] = st.session_state[key]


def take(view: View, make: Callable[[], str], note: str = "", steady: bool = True) -> None:
    """Take over a change, from a callback. If it cannot be made, say why, and keep the copy as it was.

    Args:
        view: What was looked at.
        make: Makes the code of the copy; raises `ExplorerError` if it cannot.
        note: What is to be said though it can.
        steady: Whether the widgets stay in place.
    """
    st.session_state.pop(SAID, None)
    try:
        code = make()
        made = "" if _alike(view, code) else code
    except ExplorerError as error:
        note = str(error)
    else:
        change = {"made": made, "original": False}
        state.look_by(state.lens().revision, **change) if steady else state.look(**change)
    if note:
        st.session_state[SAID] = ((view.run.id, view.split, view.example), note)


def _alike(view: View, code: str) -> bool:
    """Whether a copy is the original again."""
    from explorer.data.made import example_of

    dataset = view.dataset
    return bool((example_of(dataset, view.split, code) == example_of(dataset, view.split, view.example)).all())


def _current(view: View) -> np.ndarray:
    """The copy or, before there is one, the original, (*shape)."""
    from explorer.data.made import example_of

    return example_of(view.dataset, view.split, view.made or view.example)[0].numpy()


# -- images -----------------------------------------------------------------------------------------------------------


def _pad(view: View) -> None:
    """The copy, to be drawn on."""
    from explorer.data.made import images

    def drawn(image: np.ndarray) -> None:
        take(view, lambda: images.code_of(view.dataset, image))

    of = f"{view.dataset.name}-{view.split}-{view.example}"
    drawing.pad(_current(view), images.paper(view.dataset), of, drawn)


def _image(view: View) -> None:
    from explorer.data.made import images

    if view.made and images.empty(_current(view)):
        st.info("The picture is empty: what a model answers to nothing tells little. Draw something.")
    with st.container(horizontal=True, gap="small"):
        with st.popover("Upload"):
            key = f"upload-{state.lens().revision}"
            st.file_uploader(
                "An image, PNG or JPEG",
                FILES,
                key=key,
                max_upload_size=MEGABYTES,
                on_change=_uploaded,
                args=(view, key),
            )
            st.caption(f"Its middle is brought to the data's {view.dataset.shape} pixels.")
        st.button(
            "Invert",
            key="invert-image",
            on_click=_invert,
            args=(view,),
            help="Dark becomes bright: for pictures of dark ink, where the data are bright on dark.",
        )


def _uploaded(view: View, key: str) -> None:
    from explorer.data.made import images

    file = st.session_state.get(key)
    if file is not None:
        take(view, lambda: images.code_of(view.dataset, images.uploaded(view.dataset, file.getvalue())), steady=False)


def _invert(view: View) -> None:
    from explorer.data.made import images

    take(view, lambda: images.code_of(view.dataset, 1 - _current(view)))


# -- texts ------------------------------------------------------------------------------------------------------------


def _text(view: View) -> None:
    from explorer.data.made import texts

    dataset = view.dataset
    found = texts.read(dataset, texts.text_of(dataset, view.made) if view.made else dataset.text(view.input[0]))
    revision = state.lens().revision
    key = f"change-text-{revision}"
    st.session_state[key] = found.said
    st.text_area("Text", key=key, on_change=_typed, args=(view, revision, key), height=120)
    if found.unknown:
        words = ", ".join(found.unknown[:8]) + (", …" if len(found.unknown) > 8 else "")
        st.info(f"Not in the vocabulary, so read as unknown: {page.plain(words)}.")


def _typed(view: View, revision: int, key: str) -> None:
    from explorer.data import by_character
    from explorer.data.made import texts

    if revision != state.lens().revision:
        return
    typed, note = st.session_state[key], ""
    try:
        if texts.read(view.dataset, typed).cut:
            what = "letters" if by_character(view.dataset.vocabulary) else "words and signs"
            note = f"Only the first {view.dataset.shape.size[0]} {what} are read: no text of these data is longer."
    except ExplorerError:
        pass  # said when the code is made
    take(view, lambda: texts.code_of(view.dataset, typed), note)


# -- series -----------------------------------------------------------------------------------------------------------


def _series(view: View) -> None:
    from explorer.data.made.series import Recipe, recipe_of, values_of

    dataset, length = view.dataset, view.dataset.shape.size[1]
    row = int(dataset.split(view.split).rows[view.example])
    by_value = bool(view.made) and values_of(dataset, view.made) is not None
    if by_value:
        st.info("Single values of it were changed. What is set here changes the original instead.")
    recipe = recipe_of(dataset, view.made) if view.made and not by_value else Recipe(row=row)
    for name, label, low, high, step in (
        ("shift", "Shift by steps", -length, length, 1),
        ("scale", "Times", -3.0, 3.0, 0.1),
        ("lift", "Plus", -3.0, 3.0, 0.1),
        ("noise", "Noise", 0.0, 3.0, 0.1),
        ("erased", "Set to the mean, from step to step", 0, length, 1),
    ):
        revision = state.lens().revision
        key = f"change-{name}-{revision}"
        st.session_state[key] = getattr(recipe, name)
        st.slider(
            label,
            low,
            high,
            step=step,
            key=key,
            on_change=_set_series,
            args=(view, revision, recipe, name, key),
            help=Recipe.model_fields[name].description,
        )
    if recipe.noise:
        st.button("Other noise", key="other-noise", on_click=_other_noise, args=(view, recipe))


def _set_series(view: View, revision: int, recipe: object, name: str, key: str) -> None:
    from explorer.data.made import series

    if revision == state.lens().revision:
        changed = recipe.model_copy(update={name: st.session_state[key]})
        take(view, lambda: series.code_of(view.dataset, changed))


def _other_noise(view: View, recipe: object) -> None:
    from explorer.data.made import series

    changed = recipe.model_copy(update={"seed": (recipe.seed + 1) % 1000})
    take(view, lambda: series.code_of(view.dataset, changed))


# -- tables -----------------------------------------------------------------------------------------------------------


def _row(view: View) -> None:
    fields.fields(view, _current(view), lambda row: take(view, lambda: _code_of_row(view, row())))


def _code_of_row(view: View, row: np.ndarray) -> str:
    from explorer.data.made import rows

    return rows.code_of(view.dataset, row)


_TOOLS = {"image": _image, "series": _series, "vector": _row}
