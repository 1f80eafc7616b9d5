"""Trials and the experiment on the page Train: what they found, in words, and the way on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.presets import vanishing
from explorer.runs.store import Run, RunStore, Status
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from tests.pages.conftest import drawn, healthy, open_page, texts
from tests.pages.test_train import newest, set_field, wait_for

ORDINARY = ("Continue", "Train longer", "Branch", "Change settings", "Look inside", "Ask why it answers so")


@pytest.fixture(scope="module")
def carry_out(store: RunStore) -> Callable[..., Run]:
    """Carry a run out in this process."""

    def carry_out(spec: RunSpec, **more: str) -> Run:
        with store.owners.hold() as owner:
            return execute(store, submit(store, spec, owner=owner, **more), owner)

    return carry_out


@pytest.fixture(scope="module")
def tests(carry_out: Callable[..., Run]) -> dict[str, Run]:
    """A run of each sort; the model is the draft's."""
    digits = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), family="cnn")
    narrow = ModelSpec.of({"kind": "flatten"}, {"kind": "output"})
    return {
        "found": carry_out(digits.model_copy(update={"purpose": "range test"})),
        "learned": carry_out(digits.model_copy(update={"purpose": "one batch"})),
        "stuck": carry_out(
            RunSpec(dataset="digits", model=narrow, train=TrainSpec(learning_rate=1e-9), purpose="one batch")
        ),
        "exploded": carry_out(
            RunSpec(
                dataset="diabetes",
                model=ModelSpec.of({"kind": "output"}),
                train=TrainSpec(learning_rate=1e6, optimizer="sgd"),
                purpose="one batch",
            )
        ),
    }


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("name", ["home", "runs", "look_inside"])
def test_other_pages_draw_a_trial_like_any_run(tests: dict[str, Run], name: str) -> None:
    healthy(open_page(name, run=tests["found"].id))


@pytest.mark.parametrize("which", ["found", "stuck"])
def test_a_trial_offers_nothing_that_makes_no_sense_for_it(tests: dict[str, Run], which: str) -> None:
    app = healthy(open_page("train", run=tests[which].id))
    assert not set(labels(app)) & set(ORDINARY)
    assert "A short test that ends by itself" in texts(app)
    assert "again" in [button.key for button in app.button]


def test_the_rate_that_was_found_is_taken_into_the_settings_and_trained_with(
    store: RunStore, tests: dict[str, Run]
) -> None:
    app = healthy(open_page("train", run=tests["found"].id))
    said = texts(app)
    assert "Suggested learning rate: 0.00" in said
    assert "rule of thumb" in said
    assert "four times its smallest" in said
    rate = float(said.split("Suggested learning rate: ")[1].split(".**")[0])

    app.button(key="use-learning-rate").click().run()
    assert app.number_input(key="train-learning_rate").value == rate
    assert app.button(key="use-learning-rate").disabled
    app.button(key="start-found").click().run()
    run = newest(store)
    assert (run.spec.train.learning_rate, run.spec.purpose) == (rate, "train")
    store.delete(run.id)


def test_a_rate_found_for_another_model_is_not_started_with_by_one_click(tests: dict[str, Run]) -> None:
    app = open_page("train", run=tests["found"].id)
    set_field(app, "optimizer", "sgd")
    app.button(key="use-learning-rate").click().run()
    assert "whose optimiser is not that of this test" in texts(app)
    assert "Start training" not in labels(app)


def test_the_verdicts_say_what_was_learned_and_what_to_check(tests: dict[str, Run]) -> None:
    learned = open_page("train", run=tests["learned"].id)
    assert f"Learned at step {tests['learned'].step}" in learned.success[0].value
    assert "64 examples" in learned.success[0].value

    stuck = open_page("train", run=tests["stuck"].id)
    assert not stuck.success
    for words in ("Not learned in 500 steps", "Learning rate.** 1e-09", "output1 gets the smallest gradient"):
        assert words in stuck.warning[0].value

    exploded = open_page("train", run=tests["exploded"].id)
    assert tests["exploded"].status is Status.DIVERGED
    assert "It is too large" in exploded.warning[0].value


@pytest.mark.parametrize(("key", "purpose"), [("start-range-test", "range test"), ("start-one-batch", "one batch")])
def test_a_trial_of_the_draft_is_one_click_and_ends_by_itself(store: RunStore, key: str, purpose: str) -> None:
    app = open_page("train")
    set_field(app, "batch_size", 16)
    app.button(key=key).click().run()
    run = wait_for(store, newest(store).id, Status.FINISHED)
    assert run.spec.purpose == purpose
    assert run.spec.train.batch_size == 16
    assert run.spec.family == "cnn"
    healthy(app.run())


def test_a_draft_that_cannot_work_cannot_be_tried(store: RunStore) -> None:
    app = open_page("build")
    app.button(key="start-empty").click().run()
    app.switch_page("../pages/train.py").run()
    assert app.button(key="start-range-test").disabled
    assert app.button(key="start-one-batch").disabled
    assert not app.button(key="start-vanishing").disabled


def test_one_click_starts_both_networks_and_shows_them_together(store: RunStore) -> None:
    app = open_page("train")
    app.button(key="start-vanishing").click().run()
    lstm, vanilla = store.list(2)
    for run in (lstm, vanilla):
        store.stop(run.id)
    assert vanilla.sweep == lstm.sweep != ""
    assert app.query_params["run"] in (vanilla.id, [vanilla.id])
    for run in (lstm, vanilla):
        wait_for(store, run.id, Status.STOPPED, Status.FINISHED)


def test_the_gradients_of_both_networks_are_drawn_beside_each_other(
    store: RunStore, carry_out: Callable[..., Run]
) -> None:
    short = {"epochs": 1, "batch_size": 700}
    runs = [
        carry_out(spec.model_copy(update={"train": TrainSpec(**short)}), sweep="both") for spec in vanishing().values()
    ]
    app = healthy(open_page("train", run=runs[0].id))
    said = texts(app)
    assert "Vanilla RNN:** at the first step" in said
    assert "It has vanished" in said
    assert "enough to learn from what stood there" in said.split("LSTM:**")[1]
    last = runs[0].step
    assert drawn(app, f"through-time-figure-{runs[0].id}")["name"] == f"Vanilla RNN, after step {last}"
    next(slider for slider in app.select_slider if slider.key.startswith("lens-step")).set_value(0).run()
    assert drawn(healthy(app), f"through-time-figure-{runs[0].id}")["name"] == "Vanilla RNN, after step 0"
    app.button(key=f"partner-{runs[1].id}").click().run()
    assert healthy(app).query_params["run"] in (runs[1].id, [runs[1].id])


def test_a_single_recurrent_run_draws_its_gradient_only_when_it_is_asked_to(train: Callable[..., Run]) -> None:
    run = train("rnn", epochs=1)
    app = healthy(open_page("train", run=run.id))
    assert "at the first step" not in texts(app)
    app.session_state[f"through-time-{run.id}"] = True
    assert "LSTM:** at the first step" in texts(healthy(app.run()))
    plain = healthy(open_page("train", run=train("mlp", epochs=1).id))
    assert "Gradient through time" not in [expander.label for expander in plain.expander]
