"""Comparing runs and starting sweeps, as on the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs import sweep as sweeps
from explorer.runs.execute import execute
from explorer.runs.store import Run, RunStore, Status
from explorer.runs.values import read_values
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from explorer.views import state
from tests.pages.conftest import drawn, healthy, open_page, texts
from tests.processes import wait_until


@pytest.fixture(scope="module")
def runs(train: Callable[..., Run]) -> list[Run]:
    """Two MLPs that differ in a learning rate."""
    return [train("mlp", epochs=2, learning_rate=rate) for rate in (0.001, 0.01)]


@pytest.fixture(scope="module")
def swept(store: RunStore, runs: list[Run]) -> Callable[..., str]:
    """Make a sweep, and train it in this process before anybody else does."""

    def swept(**typed: str) -> str:
        base = runs[0].spec.model_copy(update={"train": TrainSpec(epochs=1)})
        fields = sweeps.sweepable(base)
        settings = sweeps.grid([read_values(name, fields[name], text) for name, text in typed.items()])
        with store.owners.hold() as owner:
            sweep = f"abcd{len(store.list()):04x}"
            for run in sweeps.expand(base, settings).runs:
                kept = store.create(run.spec, run.title, run.steps, run.parameters, owner, macs=run.macs, sweep=sweep)
                execute(store, kept, owner)
        return sweep

    return swept


@pytest.fixture(scope="module")
def widths(swept: Callable[..., str]) -> str:
    return swept(width="4, 8, 16, 64")


def picture(app: AppTest, name: str) -> AppTest:
    return next(one for one in app.segmented_control if one.label == "Picture").set_value(name).run()


def choice(app: AppTest) -> list[str]:
    return list(app.multiselect[0].value)


def test_an_empty_server_says_where_to_go(store: RunStore) -> None:
    app = healthy(open_page("compare"))
    assert "Nothing to compare yet" in texts(app)
    app.button[0].click().run()
    assert app.header[0].value == "Train"


def test_one_run_is_shown_and_another_is_asked_for(runs: list[Run]) -> None:
    app = healthy(open_page("compare", compare=runs[0].id))
    assert choice(app) == [runs[0].id]
    assert "This is one run" in texts(app)


def test_runs_of_one_data_set_are_compared_at_first(runs: list[Run]) -> None:
    app = healthy(open_page("compare"))
    assert choice(app) == [run.id for run in runs]
    assert "compare" not in app.query_params
    assert "What differs: learning rate. All else is the same." in texts(app).replace("**", "")
    table = app.dataframe[0].value
    assert list(table["Learning rate"]) == [0.001, 0.01]
    assert list(table["Test accuracy"]) == pytest.approx([100 * run.test["accuracy"] for run in runs])
    assert list(table["Parameters"]) == [run.parameters for run in runs]


def test_the_best_is_named_by_validation_and_can_be_looked_at(runs: list[Run], store: RunStore) -> None:
    last = {run.id: store.epochs([run.id]).query("split == 'validation' and name == 'accuracy'") for run in runs}
    best = max(runs, key=lambda run: last[run.id]["value"].iloc[-1])
    app = healthy(open_page("compare", run=runs[0].id))
    assert f"Best on the validation examples: **{best.title}**" in texts(app)
    app.button(key="look-best").click().run()
    assert app.query_params["run"] == best.id


def test_a_choice_is_kept_and_in_the_link_and_junk_in_a_link_is_left_out(runs: list[Run]) -> None:
    first, second = (run.id for run in runs)
    app = healthy(open_page("compare", compare=f"{second},../../x,zzzzzzzz,{first}"))
    assert choice(app) == [first, second]
    app.multiselect[0].set_value([first]).run()
    assert app.query_params["compare"] == first
    app.switch_page("../pages/home.py").run()
    assert "compare" not in app.query_params
    app.switch_page("../pages/compare.py").run()
    assert choice(healthy(app)) == [first]
    app.multiselect[0].set_value([]).run()
    assert choice(healthy(app)) == []


def test_deleted_runs_leave_the_choice_with_one_line(
    runs: list[Run], store: RunStore, train: Callable[..., Run]
) -> None:
    gone = train("mlp", epochs=1)
    app = healthy(open_page("compare", run=runs[0].id, compare=f"{runs[0].id},{gone.id}"))
    store.delete(gone.id)
    app.run()
    assert [toast.value for toast in healthy(app).toast] == ["1 of the runs compared here is gone."]
    assert choice(app) == [runs[0].id]
    app = healthy(open_page("compare", run=runs[0].id, sweep="0123abcd"))
    assert "not here any more" in app.toast[0].value


def test_curves_and_costs_show_the_numbers_of_the_runs(runs: list[Run], store: RunStore) -> None:
    app = healthy(open_page("compare", compare=",".join(run.id for run in runs)))
    seen = store.epochs([runs[1].id]).query("split == 'validation' and name == 'accuracy'")
    first_drawn = drawn(app, "compare-curves")  # the last of the list lies below
    assert first_drawn["name"] == runs[1].title
    assert list(first_drawn["y"]) == pytest.approx(list(seen["value"]))
    for along in ("step", "seconds", "flops"):
        app.selectbox(key="compare-along").set_value(along).run()
        healthy(app)
    assert drawn(app, "compare-curves")["x"][-1] == 6 * runs[1].macs * runs[1].samples
    app.toggle(key="compare-train").set_value(True).run()
    assert "Thin dotted lines" in texts(healthy(app))
    picture(app, "cost")
    app.selectbox(key="compare-cost").set_value("energy").run()
    assert "an estimate, assuming 42.5 W; not measured" in texts(healthy(app))


def test_runs_of_different_data_are_not_ranked_and_it_is_said(runs: list[Run], train: Callable[..., Run]) -> None:
    other = train("mlp", "diabetes", epochs=1)
    app = healthy(open_page("compare", compare=f"{runs[0].id},{other.id}"))
    assert "no metric in common" in app.warning[0].value
    assert "Best on" not in texts(app)
    picture(app, "cost")
    healthy(app)


def test_a_sweep_of_one_number_is_a_scaling_curve_with_a_law_over_parameters(widths: str, store: RunStore) -> None:
    app = healthy(open_page("compare", sweep=widths))
    runs = store.of_sweep(widths)
    assert app.selectbox(key="compare-sweep-1").value == widths
    assert list(drawn(app, "compare-scaling")["x"]) == [4, 8, 16, 64]
    assert "power law" not in texts(app)
    next(one for one in app.segmented_control if "validation" in one.label).set_value("loss").run()
    app.selectbox(key="compare-size-width").set_value("Parameters").run()
    assert sorted(drawn(healthy(app), "compare-scaling")["x"]) == sorted(run.parameters for run in runs)
    assert "power law, n being parameters" in texts(app)
    assert app.query_params["sweep"] == widths
    for name in ("curves", "cost", "sweep"):
        healthy(picture(app, name))


def test_a_sweep_of_several_settings_has_parallel_coordinates(swept: Callable[..., str]) -> None:
    app = healthy(open_page("compare", sweep=swept(optimizer="adam, sgd", learning_rate="0.001, 0.01")))
    assert [chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("-compare-parallel")]
    assert list(app.dataframe[0].value.columns[:2]) == ["Optimiser", "Learning rate"]


def test_repeats_of_a_size_are_one_scaling_curve(swept: Callable[..., str]) -> None:
    app = healthy(open_page("compare", sweep=swept(examples="100, 200, 400, 800", seed="0, 1")))
    assert list(drawn(app, "compare-scaling")["x"]) == [100, 200, 400, 800]
    next(one for one in app.segmented_control if "validation" in one.label).set_value("loss").run()
    assert "power law, n being training examples" in texts(healthy(app))


# -- starting one -----------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, runs: list[Run]) -> AppTest:
    """The page Train with the form of a sweep open: a test cannot click a popover."""
    from explorer.views import sweep

    monkeypatch.setattr(sweep, "sweep_button", sweep._form)
    app = open_page("build")
    app.button(key="start-mlp").click().run()
    app.switch_page("../pages/train.py").run()
    next(number for number in app.number_input if number.key == "train-epochs").set_value(1).run()
    return healthy(app)


def typed(app: AppTest, number: int, text: str) -> AppTest:
    return app.text_input[number].set_value(text).run()


def test_a_sweep_is_put_together_started_and_compared(opened: AppTest, store: RunStore) -> None:
    typed(opened, 0, "0.001, 0.01")
    opened.button(key="sweep-add").click().run()
    opened.selectbox(key="sweep-field-1-1").set_value("width").run()
    typed(healthy(opened), 1, "8 to 128 in 3 steps")
    assert "Width: 8, 32, 128" in texts(opened)
    assert "6 runs, 120 training steps in all" in texts(opened)
    before = len(store.list())
    opened.button(key="sweep-start").click().run()
    assert healthy(opened).header[0].value == "Compare"
    made = store.of_sweep(opened.query_params["sweep"])
    assert len(made) == 6 == len(store.list()) - before
    assert made[0].title == "MLP on digits: learning rate 0.001, width 8"
    wait_until(lambda: all(run.status is Status.FINISHED for run in store.of_sweep(made[0].sweep)))
    opened.switch_page("../pages/compare.py").run()
    assert "Best on the validation examples" in texts(healthy(opened))
    assert not [button for button in opened.button if button.key == "stop-sweep"]


def test_layers_of_an_edited_model_are_offered_by_name(opened: AppTest) -> None:
    model = ModelSpec.of({"kind": "flatten"}, {"kind": "linear", "units": 12}, {"kind": "output"})
    opened.session_state["explorer"].draft = state.Draft(family="custom", model=model)
    opened.run()
    opened.selectbox(key="sweep-field-0-0").set_value("linear1.units").run()
    assert healthy(opened).text_input[0].value == "6, 12, 24"
    assert "linear1 units: 6, 12, 24" in texts(opened)
    assert opened.button(key="sweep-start").label == "Start 3 runs"


def test_what_cannot_work_is_said_before_anything_is_started(opened: AppTest, store: RunStore) -> None:
    before = len(store.list())
    typed(opened, 0, "fast")
    assert "'fast' is not a number" in texts(opened)
    assert not [button for button in opened.button if button.key == "sweep-start"]
    opened.selectbox(key="sweep-field-0-0").set_value("width").run()
    typed(opened, 0, "8, 4096, 8.0")
    opened.button(key="sweep-add").click().run()
    opened.selectbox(key="sweep-field-1-2").set_value("depth").run()
    typed(opened, 1, "1, 20")
    assert "1 cannot work and are left out" in opened.warning[0].value
    assert next(button for button in opened.button if button.key == "sweep-start").label == "Start 3 runs"
    assert len(store.list()) == before


def test_random_settings_are_counted_and_a_removed_one_is_forgotten(opened: AppTest) -> None:
    typed(opened, 0, "0.001 to 0.1")
    assert "How many values" in texts(opened)
    next(one for one in opened.segmented_control if one.label == "Take").set_value("At random").run()
    assert "from 0.001 to 0.1, log-uniform" in texts(healthy(opened))
    opened.number_input(key="sweep-count-0").set_value(5).run()
    assert opened.button(key="sweep-start").label == "Start 5 runs"
    opened.button(key="sweep-add").click().run()
    opened.button(key="sweep-drop-0-1").click().run()
    assert len(healthy(opened).text_input) == 1
    assert opened.selectbox(key="sweep-field-0-2").value == "width"


def test_a_whole_sweep_is_stopped_by_one_button(store: RunStore, runs: list[Run]) -> None:
    base = RunSpec(dataset="digits", model=runs[0].spec.model, family="mlp", train=TrainSpec(epochs=10_000))
    fields = sweeps.sweepable(base)
    settings = sweeps.grid([read_values("seed", fields["seed"], "0 to 5")])
    sweep = sweeps.start(store, sweeps.expand(base, settings))
    app = healthy(open_page("compare", sweep=sweep))
    app.button(key="stop-sweep").click().run()
    waiting = [run for run in store.of_sweep(sweep) if run.status is Status.QUEUED]
    assert not waiting
    wait_until(lambda: all(run.status is Status.STOPPED for run in store.of_sweep(sweep)))
    app.run()
    healthy(app)


def test_the_page_train_says_what_a_run_cost(runs: list[Run]) -> None:
    app = healthy(open_page("train", run=runs[1].id))
    said = texts(app)
    assert f"{runs[1].samples:,} examples seen" in said
    assert "an estimate, assuming 42.5 W for the CPU; not measured" in said
