"""Settings of the next run, and starting it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from explorer.specs import ModelSpec, RunSpec, TrainSpec
from explorer.views import form, page, previews, results, state
from explorer.views.server import compute, store

if TYPE_CHECKING:
    from explorer.data import Dataset

DOUBLE_CLICK_SECONDS = 1.0
SGD_ONLY = ("momentum", "nesterov")
PREVIEWS = {"Schedule": previews.schedule, "Changed images": previews.changed_images}
"""What is drawn below the settings of a group."""


def settings_form(dataset: Dataset) -> None:
    """The training settings, one widget for each field of `TrainSpec`; the less common ones open by group."""
    groups: dict[str, list[str]] = {}
    for name, field in TrainSpec.model_fields.items():
        groups.setdefault((field.json_schema_extra or {}).get("group", ""), []).append(name)
    sgd, images = state.training().optimizer == "sgd", dataset.modality == "image"
    _fields([name for name in groups.pop("") if sgd or name not in SGD_ONLY])
    for column, (group, names) in zip(st.columns(len(groups)), groups.items(), strict=True):
        with (
            column,
            st.popover(_described(group, names), width="stretch", disabled=group == "Changed images" and not images),
        ):
            _fields(names, 1)
            if group in PREVIEWS:
                PREVIEWS[group](dataset, state.training())


def _described(group: str, names: list[str]) -> str:
    """A group, and how many of its settings are not as they usually are."""
    set_apart = sum(getattr(state.training(), name) != TrainSpec.model_fields[name].default for name in names)
    return f"{group} ({set_apart} set)" if set_apart else group


def _fields(names: list[str], columns: int = 4) -> None:
    current = state.training()
    for start in range(0, len(names), columns):
        for column, name in zip(st.columns(columns), names[start : start + columns], strict=False):
            field, key = TrainSpec.model_fields[name], f"train-{name}"
            st.session_state[key] = getattr(current, name)
            with column:
                form.field_widget(name, field, getattr(current, name), key, _set, name, key)


def _set(name: str, key: str) -> None:
    if key in st.session_state:
        state.set_training(state.training().model_copy(update={name: st.session_state[key]}))


def summary(spec: TrainSpec) -> str:
    """The settings in one line."""
    return (
        f"{spec.optimizer}, learning rate {spec.learning_rate:g}, batches of {spec.batch_size}, "
        f"{spec.epochs} epochs, seed {spec.seed}"
    )


def start_default() -> None:
    """Start what a newcomer sees first: a CNN on digits."""
    from explorer.data import load_dataset
    from explorer.models import preset

    start(RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), family="cnn"))


def start_draft() -> None:
    """Start the model that is being built, with the current settings."""
    start(draft_run())


def draft_run() -> RunSpec:
    """The run that the model being built makes with the current settings."""
    draft = state.draft()
    family = state.family_of(draft.model, draft.dataset)
    return RunSpec(dataset=draft.dataset, model=draft.model, train=state.training(), family=family)


def start(spec: RunSpec) -> None:
    """Queue a run and look at it; a double click starts it once."""
    from explorer.runs.execute import submit

    if once(spec):
        state.look(run=submit(store(), spec, session=state.session()).id)


def once(what: object) -> bool:
    """Whether to start something now, with an engine that trains: a double click asks twice, and starts it once."""
    last = st.session_state.get("started")
    if last and last[0] == what and time.monotonic() - last[1] < DOUBLE_CLICK_SECONDS:
        return False
    st.session_state["started"] = (what, time.monotonic())
    compute()
    return True


def start_button(label: str, key: str, problem: bool = False) -> None:
    """Start the draft and go to the page that shows it learn."""
    if st.button(label, key=key, type="primary", icon=":material/play_arrow:", disabled=problem):
        start_draft()
        st.switch_page(page.TRAIN)


def dataset_of(draft: state.Draft) -> Dataset:
    """The data set of the draft."""
    from explorer.data import load_dataset

    return load_dataset(draft.dataset)


def draft_line(model: ModelSpec, dataset: str) -> str:
    """The draft in one line."""
    family = state.family_of(model, dataset)
    return RunSpec(dataset=dataset, model=model, family=family).called(results.data_title(dataset))
