"""The transport of one run: play, pause, step, slow motion, changes; and what to do with it once it is over."""

from __future__ import annotations

import streamlit as st

from explorer.runs.controls import Verb
from explorer.runs.run import Run, Status
from explorer.specs import Change, TrainSpec
from explorer.views import form, page, results, state
from explorer.views.server import store
from explorer.views.view import badge

SPEEDS = {
    0: "Full speed",
    30: "30 steps a second",
    10: "10 steps a second",
    3: "3 steps a second",
    1: "1 step a second",
}
NOTES = {
    "range test": "A short test that ends by itself. It finds a learning rate, not a model to use.",
    "one batch": "A short test that ends by itself. It asks whether the model can learn at all.",
}
"""What a run is that does not make a model to use."""


def transport(run: Run) -> list[Verb]:
    """Title and status of a run, and, until it is over, the buttons that drive it.

    Returns:
        What was asked of it and not taken yet, as the buttons show it.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="run-head"):
        st.subheader(page.plain(run.title), anchor=False, width="content")
        badge(run)
        if run.spec and run.spec.purpose in NOTES:
            st.caption(NOTES[run.spec.purpose], width="content")
    if run.status.over:
        return []
    asked = store().asked(run.id)
    with st.container(horizontal=True, vertical_alignment="center", key="transport"):
        if run.status is Status.PAUSED:
            _button(run, Verb.PLAY, "Play", "play_arrow", primary=True)
            _button(run, Verb.STEP, "One batch", "skip_next", help="Train on one batch, then pause again.")
            if run.spec and run.spec.purpose == "train":
                _button(
                    run, Verb.EPOCH, "One epoch", "fast_forward", help="Train to the end of an epoch, then pause again."
                )
        else:
            _button(run, Verb.PAUSE, "Pausing" if Verb.PAUSE in asked else "Pause", "pause", Verb.PAUSE in asked)
        _button(run, Verb.STOP, "Stopping" if Verb.STOP in asked else "Stop", "stop", Verb.STOP in asked)
        if run.spec:
            _speed(run)
            if run.spec.purpose == "train":
                with st.popover("Change settings", icon=":material/tune:", width="content"):
                    _changes(run)
                if run.status is Status.PAUSED:  # while it goes on, its kept steps become more under one's hands
                    _branches(run, store().snapshots.steps(run.id))
    return asked


def _button(
    run: Run, verb: Verb, label: str, icon: str, disabled: bool = False, primary: bool = False, help: str | None = None
) -> None:
    st.button(
        label,
        key=f"{verb}-{run.id}",
        icon=f":material/{icon}:",
        disabled=disabled,
        type="primary" if primary else "secondary",
        help=help,
        on_click=page.calm(store().ask),
        args=(run.id, verb),
    )


def _speed(run: Run) -> None:
    key = f"speed-{run.id}"
    st.session_state.setdefault(key, run.speed if run.speed in SPEEDS else 0)
    st.selectbox(
        "Speed",
        list(SPEEDS),
        key=key,
        format_func=SPEEDS.__getitem__,
        label_visibility="collapsed",
        on_change=_set_speed,
        args=(run.id, key),
        width=190,
    )


@page.calm
def _set_speed(run_id: str, key: str) -> None:
    store().ask(run_id, Verb.SPEED, st.session_state[key])


def _changes(run: Run) -> None:
    """Settings that may be changed while a run goes on; each change is marked on its curves."""
    st.caption("From the next batch on. The curves show where, and the record of the run keeps it.")
    now = run.settings
    with st.form(key=f"change-{run.id}", border=False):
        for name, field in Change.model_fields.items():
            key = _change_key(run, name)
            shown = TrainSpec.model_fields.get(name)
            if shown:
                form.field_widget(name, shown, getattr(now, name), key, None)
            elif _has_dropout(run):
                st.number_input(
                    "Dropout of all layers",
                    min_value=0.0,
                    max_value=0.95,
                    value=None,
                    step=0.05,
                    key=key,
                    placeholder="as it is",
                    help=field.description,
                )
        st.form_submit_button("Change", type="primary", on_click=_apply, args=(run,))


def _change_key(run: Run, name: str) -> str:
    return (
        f"change-{run.id}-{len(run.spec.changes)}-{name}"  # after a change the fields start anew, with what is so now
    )


def _has_dropout(run: Run) -> bool:
    return any("dropout" in layer.kind or layer.params.get("dropout") for layer in state.stacked(run.spec.model))


@page.calm
def _apply(run: Run) -> None:
    from explorer.runs.execute import change

    now, values = run.settings, {}
    for name in Change.model_fields:
        value = st.session_state.get(_change_key(run, name))
        if value is not None and value != getattr(now, name, None):
            values[name] = value
    if not values:
        st.toast("Nothing was changed.")
        return
    change(store(), run, Change(**values))
    st.toast("It changes with the next batch.", icon=":material/check:")


# -- once it is over --------------------------------------------------------------------------------------------------


def onward(run: Run) -> None:
    """What can be done with a run that is over: look inside, go on, branch, repeat."""
    steps = store().snapshots.steps(run.id)
    if run.status is Status.DIVERGED and steps:
        from explorer.runs.replay import last_good
        from explorer.training.loop import suggest_rate

        step, rate = last_good(store(), run), suggest_rate(run.settings.learning_rate)
        label = f"Go on from step {step} with learning rate {rate:g}"
        if st.button(label, type="primary", icon=":material/healing:", key="mend"):
            _branch(run, step, run.settings.model_copy(update={"learning_rate": rate}))
    with st.container(horizontal=True, key="onward"):
        if steps:
            if st.button("See where it fails", type="primary", icon=":material/fact_check:", key="to-evaluate"):
                st.switch_page(page.EVALUATE)
            if st.button("Look inside", type="primary", icon=":material/grid_view:", key="to-inside"):
                st.switch_page(page.INSIDE)
            if st.button("Ask why it answers so", type="primary", icon=":material/psychology_alt:", key="to-why"):
                st.switch_page(page.ATTRIBUTIONS)
        if run.status is Status.DIVERGED or not store().snapshots.has_state(run.id):
            pass
        elif run.step < run.total_steps and run.status is not Status.FINISHED:  # not one that stopped early by itself
            if st.button(
                "Continue", icon=":material/play_arrow:", key=f"continue-{run.id}", help="Go on exactly where it was."
            ):
                store().resume(run.id)
                st.rerun()
        else:
            with st.popover("Train longer", icon=":material/add:", width="content"):
                _longer(run)
        _branches(run, steps)
        label = "Run again, with its changes" if run.spec.changes else "Run again"
        if st.button(label, icon=":material/replay:", key="again", help="The same model and settings, as a new run."):
            from explorer.views import training

            training.start(run.spec.model_copy(update={"start": None}))
            st.rerun()


def _longer(run: Run) -> None:
    from explorer.runs.execute import more

    st.caption("The same run goes on exactly where it was, optimiser and all.")
    epochs = st.number_input("More epochs", 1, 1000, 10, key=f"longer-{run.id}")
    if run.epoch + epochs > TrainSpec.model_fields["epochs"].metadata[-1].le:
        st.caption("That is more than a run may have.")
    elif st.button("Go on", type="primary", key=f"go-on-{run.id}", icon=":material/play_arrow:"):
        more(store(), run, int(epochs))
        st.rerun()


def _branches(run: Run, steps: list[int]) -> None:
    if steps:
        with st.popover("Branch", icon=":material/call_split:", width="content"):
            _from_step(run, steps)


def _from_step(run: Run, steps: list[int]) -> None:
    st.caption("A new run that starts with the weights of a kept step.")
    step = steps[0]
    if len(steps) > 1:
        step = st.select_slider("Step", steps, value=steps[-1], key=f"branch-step-{run.id}")
    now = run.settings
    rate = st.number_input(
        "Learning rate",
        1e-12,
        1e12,
        now.learning_rate,
        format="%g",
        step=now.learning_rate / 2,
        key=_change_key(run, "branch-rate"),
    )
    epochs = st.number_input("Epochs", 1, 10_000, now.epochs, key=_change_key(run, "branch-epochs"))
    if st.button("Start the branch", type="primary", key=f"branch-{run.id}", icon=":material/call_split:"):
        _branch(run, step, now.model_copy(update={"learning_rate": rate, "epochs": int(epochs)}))


def _branch(run: Run, step: int, train: TrainSpec) -> None:
    from explorer.runs.execute import branch

    state.look(run=branch(store(), run, step, train, state.session()).id)
    st.rerun()


def record(run: Run) -> None:
    """What a run was made from and what was changed on the way."""
    from explorer.views import training

    with st.expander("What this run is made from"):
        what = page.plain(run.spec.called(results.data_title(run.spec.dataset)))
        said = training.summary(run.spec.train)
        if run.spec.purpose == "range test":  # its learning rate and its epochs are its own
            said = f"{run.spec.train.optimizer}, batches of {run.spec.train.batch_size}, seed {run.spec.train.seed}"
        st.markdown(f"{what}: {said}; trained on {run.device or 'nothing yet'}.")
        if run.spec.start:
            st.markdown(f"It began with the weights of run `{run.spec.start[0]}` at step {run.spec.start[1]}.")
        for step, values in run.spec.changes:
            st.markdown(f"- After step {step}: {results.said(values)}")
        st.code(run.spec.model_dump_json(indent=2), language="json", height=240)
