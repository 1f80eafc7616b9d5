"""The slider of the kept steps, and playing them, without a browser: its clock is struck by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.runs.store import Run, RunStore
from explorer.views import travel
from tests.pages.conftest import drawn, healthy, open_page, texts

Strike = Callable[[AppTest], AppTest]


@pytest.fixture(scope="module")
def run(train: Callable[..., Run]) -> Run:
    return train("cnn", epochs=1)


@pytest.fixture
def steps(store: RunStore, run: Run) -> list[int]:
    return store.snapshots.steps(run.id)


@pytest.fixture
def strike(monkeypatch: pytest.MonkeyPatch) -> Strike:
    """Let it be time for the next step once, as a browser does."""
    due, real = [], travel._next

    def when_due(seen: Callable, earliest: float) -> None:
        if due:
            due.clear()
            real(seen, float("-inf"))

    monkeypatch.setattr(travel, "_next", when_due)

    def strike(app: AppTest) -> AppTest:
        due.append(True)
        return healthy(app.run())

    return strike


def play(app: AppTest) -> AppTest:
    return healthy(app.button(key="play-steps").click().run())


def label(app: AppTest) -> str:
    return app.button(key="play-steps").label


def step_shown(app: AppTest) -> int:
    slider = next(slider for slider in app.select_slider if slider.label == "Step")
    assert f"step {slider.value} of" in texts(app)
    return slider.value


def test_playing_shows_one_kept_step_after_the_other_and_stops_at_the_last(
    run: Run, steps: list[int], strike: Strike
) -> None:
    app = play(open_page("look_inside", run=run.id, step=str(steps[-3])))
    assert (label(app), step_shown(app)) == ("Pause", steps[-3])
    strike(app)
    assert (label(app), step_shown(app)) == ("Pause", steps[-2])
    assert app.query_params["step"] == str(steps[-3])  # what is played is no history of the browser
    strike(app)
    assert (label(app), step_shown(app)) == ("Play", steps[-1])
    assert "step" not in app.query_params
    strike(app)
    assert (label(app), step_shown(app)) == ("Play", steps[-1])


def test_playing_from_the_end_begins_at_the_first_step(run: Run, steps: list[int], strike: Strike) -> None:
    app = play(open_page("look_inside", run=run.id))
    assert step_shown(app) == steps[0]
    strike(app)
    assert step_shown(app) == steps[1]


def test_pause_and_the_slider_stop_it_at_once(run: Run, steps: list[int], strike: Strike) -> None:
    app = strike(play(open_page("look_inside", run=run.id, step="0")))
    play(app)
    assert (label(app), step_shown(app)) == ("Play", steps[1])
    strike(app)
    assert step_shown(app) == steps[1]
    play(app)
    next(slider for slider in app.select_slider if slider.label == "Step").set_value(steps[5]).run()
    assert (label(app), step_shown(app)) == ("Play", steps[5])
    strike(app)
    assert step_shown(app) == steps[5]


def test_leaving_the_page_stops_it(run: Run, steps: list[int], strike: Strike) -> None:
    app = strike(play(open_page("look_inside", run=run.id, step="0")))
    app.switch_page("../pages/attributions.py").run()
    assert (label(healthy(app)), step_shown(app)) == ("Play", steps[1])
    strike(app)
    assert step_shown(app) == steps[1]


def test_a_step_that_was_thinned_out_falls_to_the_nearest_and_playing_goes_on(
    train: Callable[..., Run], store: RunStore, strike: Strike
) -> None:
    run = train("mlp", epochs=1)
    steps = store.snapshots.steps(run.id)
    app = open_page("look_inside", run=run.id, step=str(steps[3]))
    assert step_shown(app) == steps[3]
    store.snapshots.drop(run.id, steps[3])
    nearest = min(store.snapshots.steps(run.id), key=lambda step: abs(step - steps[3]))
    assert step_shown(healthy(app.run())) == nearest
    play(app)
    for gone in (steps[4], steps[5]):
        store.snapshots.drop(run.id, gone)
    assert step_shown(strike(app)) == min(step for step in store.snapshots.steps(run.id) if step > nearest)


def test_a_browser_that_has_not_caught_up_does_not_stop_it(steps: list[int], run: Run) -> None:
    def script(run: str, before: int, now: int, late: int) -> None:
        import streamlit as st

        from explorer.views import state, travel, view

        if "begun" not in st.session_state:
            st.session_state["begun"] = True
            state.look(run=run, step=now)
            state.play(True)
            travel._keep(before=before)
            st.session_state["slider"] = late  # what the browser sends along with the time being up
            travel._moved("slider", state.lens().revision, now, 10**9)
            travel._next(lambda: view.resolve(view.current_run()), float("-inf"))
        travel.arrive("")
        st.write(f"{state.lens().step} {'playing' if state.playing() else 'stopped'}")

    def said(late: int) -> str:
        args = (run.id, steps[1], steps[2], late)
        return AppTest.from_function(script, args=args, default_timeout=30).run().markdown[0].value

    assert said(steps[1]) == f"{steps[2]} playing"  # the step before: an echo
    assert said(steps[2]) == f"{steps[3]} playing"
    assert said(steps[5]) == f"{steps[5]} stopped"  # moved by hand


def test_colours_keep_one_scale_while_steps_are_played(
    run: Run, steps: list[int], store: RunStore, strike: Strike
) -> None:
    app = play(open_page("look_inside", run=run.id, step="0"))
    one = drawn(app, "layers")
    other = drawn(strike(app), "layers-again")
    assert not np.array_equal(one["z"], other["z"], equal_nan=True)
    x = ex.load_dataset("digits").test.inputs[:1]
    places = sorted({quarter * (len(steps) - 1) // 4 for quarter in range(5)})
    strongest = max(
        np.abs(ex.feature_maps(ex.model_at(store, run.id, steps[place]), x, "conv1").values).max() for place in places
    )
    assert one["zmax"] == other["zmax"] == -one["zmin"] == pytest.approx(strongest, rel=1e-5)
    assert "One scale for all steps" in texts(app)
    next(slider for slider in app.select_slider if slider.label == "Step").set_value(0).run()
    assert "One scale for all steps" not in texts(app)
    values = drawn(app, "layers")
    assert values["zmax"] == pytest.approx(np.nanmax(np.abs(values["z"])))


def test_the_speed_is_remembered_when_the_page_is_left(run: Run) -> None:
    app = open_page("look_inside", run=run.id)
    app.selectbox(key="play-speed").select(4).run()
    app.switch_page("../pages/attributions.py").run()
    assert healthy(app).selectbox(key="play-speed").value == 4
