"""Starting, watching and stopping runs, with the real engine behind the pages."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from streamlit.testing.v1 import AppTest

from explorer.data import load_dataset
from explorer.runs.controls import Verb
from explorer.runs.execute import submit
from explorer.runs.store import Run, RunStore, Status
from explorer.training import steps_per_epoch
from tests.pages.conftest import drawn, healthy, open_page, texts
from tests.processes import wait_until
from tests.runs.networks import LONG


def wait_for(store: RunStore, run_id: str, *statuses: Status, seconds: float = 60) -> Run:
    end = time.monotonic() + seconds
    while (run := store.get(run_id)).status not in statuses:
        assert time.monotonic() < end, f"still {run.status}"
        time.sleep(0.02)
    return run


def newest(store: RunStore) -> Run:
    return store.list(1)[0]


def set_field(app: AppTest, name: str, value: object) -> None:
    widget = next(w for w in (*app.number_input, *app.selectbox) if w.key == f"train-{name}")
    widget.set_value(value).run()


def test_one_click_on_home_trains_the_default_and_goes_to_it(store: RunStore) -> None:
    app = open_page("home")
    app.button(key="start-default").click().run()
    assert app.header[0].value == "Train"
    run = wait_for(store, newest(store).id, Status.FINISHED)
    assert run.test["accuracy"] >= 0.97
    app.switch_page("../pages/train.py").run()
    healthy(app)
    assert next(metric.label for metric in app.metric) == "Test accuracy"
    assert app.button(key="to-inside")


def test_start_uses_the_settings_and_a_double_click_starts_once(store: RunStore) -> None:
    before = len(store.list())
    app = open_page("train")
    set_field(app, "epochs", 3)
    set_field(app, "learning_rate", 0.005)
    set_field(app, "seed", 7)
    set_field(app, "optimizer", "sgd")
    set_field(app, "momentum", 0.5)
    for _ in range(2):
        app.button(key="start").click().run()
    assert len(store.list()) == before + 1
    train = wait_for(store, newest(store).id, Status.FINISHED).spec.train
    assert (train.epochs, train.learning_rate, train.seed, train.optimizer) == (3, 0.005, 7, "sgd")
    assert train.momentum == 0.5


def test_a_running_run_can_be_stopped_from_another_tab(store: RunStore) -> None:
    app = open_page("train")
    app.run()
    set_field(app, "epochs", 10_000)
    app.button(key="start").click().run()
    run_id = newest(store).id
    wait_for(store, run_id, Status.RUNNING)
    other = healthy(open_page("train", run=run_id))
    other.button(key=f"stop-{run_id}").click().run()
    run = wait_for(store, run_id, Status.STOPPED)
    assert "accuracy" in run.test
    app.run()
    healthy(app)
    assert not [button for button in app.button if button.key == f"stop-{run_id}"]


def test_two_tabs_pressing_start_at_once_make_two_runs(store: RunStore) -> None:
    before = len(store.list())
    tabs = [open_page("train"), open_page("train")]
    for app in tabs:
        set_field(app, "epochs", 1)
    for app in tabs:
        app.button(key="start").click().run()
    mine = store.list()[:2]
    assert len(store.list()) == before + 2
    for run in mine:
        wait_for(store, run.id, Status.FINISHED)


def test_a_run_deleted_while_it_is_watched_is_said_calmly(store: RunStore) -> None:
    app = open_page("home")
    app.button(key="start-default").click().run()
    run_id = newest(store).id
    store.delete(run_id)
    app.run()
    assert not app.exception


def test_the_settings_survive_leaving_the_page(store: RunStore) -> None:
    app = open_page("train")
    set_field(app, "epochs", 33)
    app.switch_page("../pages/build.py").run()
    app.switch_page("../pages/train.py").run()
    assert next(n for n in app.number_input if n.key == "train-epochs").value == 33


def test_changed_images_and_the_schedule_are_drawn_before_the_run_starts(store: RunStore) -> None:
    def shown(key: str) -> bool:
        return any(chart.proto.id.endswith(f"-{key}") for chart in app.get("plotly_chart"))

    digits = load_dataset("digits")
    app = healthy(open_page("train"))
    assert not shown("preview-images")
    assert not shown("preview-rate")

    set_field(app, "noise", 0.25)
    tiles = drawn(healthy(app), "preview-images")["z"]
    images = tiles[~np.isnan(tiles)]
    noise = np.sort(images) - np.sort(digits.train.inputs[:8].numpy().ravel())
    assert images.shape == (8 * 64,)
    assert np.abs(noise).mean() > 0.02
    set_field(app, "noise", 0.0)
    set_field(app, "erase", 1.0)
    tiles = drawn(healthy(app), "preview-images")["z"]
    assert (tiles[~np.isnan(tiles)] == 0).all(), "all of each image is blanked out"

    set_field(app, "schedule", "step")
    rate = drawn(healthy(app), "preview-rate")
    total = 20 * steps_per_epoch(len(digits.train), 64)
    assert (rate["x"][0], rate["x"][-1]) == (1, total)
    assert sorted(set(np.round(rate["y"], 8))) == [1e-5, 1e-4, 1e-3]
    set_field(app, "schedule", "plateau")
    assert not shown("preview-rate")
    assert "depends on the losses" in texts(healthy(app))


def test_a_draft_that_cannot_work_cannot_be_started(store: RunStore) -> None:
    app = open_page("build")
    app.button(key="start-empty").click().run()
    app.switch_page("../pages/train.py").run()
    assert app.button(key="start").disabled
    assert "no layers yet" in texts(app)


def test_a_run_is_paused_stepped_changed_and_played_from_the_page(store: RunStore) -> None:
    run = submit(store, LONG)
    store.ask(run.id, Verb.PAUSE)
    wait_for(store, run.id, Status.PAUSED)
    app = healthy(open_page("train", run=run.id))
    app.button(key=f"step-{run.id}").click().run()
    wait_until(lambda: store.get(run.id).step == 1)
    rate = app.number_input(key=f"change-{run.id}-0-learning_rate")
    rate.set_value(0.005)
    next(button for button in app.button if button.label == "Change").click().run()
    wait_until(lambda: store.get(run.id).spec.settings.learning_rate == 0.005)
    assert store.get(run.id).status is Status.PAUSED
    app.run()
    app.button(key=f"branch-{run.id}").click().run()
    made = newest(store)
    assert (made.spec.start, made.spec.train.learning_rate) == ((run.id, 1), 0.005)
    store.delete(made.id)
    app = healthy(open_page("train", run=run.id))
    app.button(key=f"play-{run.id}").click().run()
    wait_until(lambda: store.get(run.id).step > 5)
    store.ask(run.id, Verb.STOP)
    wait_for(store, run.id, Status.STOPPED)
    app.run()
    assert "After step 1: learning rate 0.005" in texts(healthy(app))
    assert app.button(key="again").label == "Run again, with its changes"
    stopped = store.get(run.id).step
    app.button(key=f"continue-{run.id}").click().run()
    wait_until(lambda: store.get(run.id).status is Status.RUNNING and store.get(run.id).step > stopped)
    store.delete(run.id)


def test_a_run_that_is_over_goes_on_and_branches_from_the_page(store: RunStore, train: Callable[..., Run]) -> None:
    run = train("mlp", epochs=2)
    app = healthy(open_page("train", run=run.id))
    app.number_input(key=f"longer-{run.id}").set_value(1).run()
    app.button(key=f"go-on-{run.id}").click().run()
    assert wait_for(store, run.id, Status.FINISHED).epoch == 3
    app = healthy(open_page("train", run=run.id))
    app.button(key=f"branch-{run.id}").click().run()
    made = newest(store)
    assert made.spec.start == (run.id, run.step // 2 * 3)
    assert wait_for(store, made.id, Status.FINISHED).epoch == 3
    healthy(open_page("train", run=made.id))


def test_a_run_that_diverged_offers_the_way_back(store: RunStore, train: Callable[..., Run]) -> None:
    run = train("mlp", epochs=2, optimizer="sgd", learning_rate=1e6)
    assert run.status is Status.DIVERGED
    app = open_page("train", run=run.id)
    assert "learning rate 1e+06" in texts(app)
    assert "such as 0.01." in texts(app)
    assert app.button(key="mend").label == "Go on from step 0 with learning rate 0.01"
    app.button(key="mend").click().run()
    made = newest(store)
    assert made.spec.start[0] == run.id
    assert made.spec.train.learning_rate < 1e6 / 2
    store.stop(made.id)


def test_the_curves_can_be_drawn_in_other_ways(store: RunStore, train: Callable[..., Run]) -> None:
    run = train("mlp", epochs=2)
    app = healthy(open_page("train", run=run.id))
    for x in ("epoch", "seconds"):
        control = next(one for one in app.segmented_control if one.key == "curves-look-x")
        control.set_value(x).run()
        healthy(app)
    app.slider(key="curves-look-smoothing").set_value(0.9).run()
    app.toggle(key="curves-look-log").set_value(True).run()
    healthy(app)
