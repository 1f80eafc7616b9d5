"""The page Evaluate says what the library says, opens examples, and follows the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.data import own
from explorer.runs.cross_validation import PREFIX, cross_validate
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore, Status
from tests.pages.conftest import drawn, healthy, open_page, read, texts

LINEAR = ex.ModelSpec.of({"kind": "output"})


@pytest.fixture(scope="module")
def carry_out(store: RunStore) -> Callable[..., Run]:
    """Train a small model in this process."""

    def carry_out(dataset: str, model: ex.ModelSpec = LINEAR, examples: int | None = None, epochs: int = 1) -> Run:
        spec = ex.RunSpec(dataset=dataset, model=model, train=ex.TrainSpec(epochs=epochs), examples=examples)
        with store.owners.hold() as owner:
            return execute(store, submit(store, spec, owner=owner), owner)

    return carry_out


@pytest.fixture(scope="module")
def digits_run(carry_out: Callable[..., Run]) -> Run:
    return carry_out("digits", ex.ModelSpec.of({"kind": "flatten"}, {"kind": "output"}), epochs=3)


def metric(app: AppTest, label: str) -> str:
    return next(shown.value for shown in app.metric if shown.label == label)


def part(app: AppTest, name: str) -> AppTest:
    control = next(c for c in app.segmented_control if (c.key or "").startswith("part-"))
    return healthy(control.set_value(name).run())


def examples(app: AppTest) -> list[str]:
    """Keys of the buttons that open examples, in order."""
    return [button.key for button in app.button if (button.key or "").startswith(("tile-", "row-"))]


# -- classes ----------------------------------------------------------------------------------------------------------


def test_the_numbers_are_those_of_the_library(digits_run: Run, store: RunStore) -> None:
    step = store.snapshots.steps(digits_run.id)[2]
    model, digits = ex.model_at(store, digits_run.id, step), ex.load_dataset("digits")
    wanted = ex.evaluate(model, digits, "validation")
    app = healthy(open_page("evaluate", run=digits_run.id, step=str(step), split="validation"))

    assert metric(app, "Accuracy") == f"{wanted['accuracy']:.1%}"
    assert metric(app, "Loss") == f"{wanted['loss']:.3f}"
    right = round(wanted["accuracy"] * len(digits.validation))
    assert f"Of {len(digits.validation)} examples {right} are right" in texts(app)
    cells = drawn(app, f"confusion-{digits_run.id}-validation-0")["customdata"]
    assert sum(count for truth, answer, count in cells if truth == answer) == right


def test_examples_of_a_cell_are_listed_and_one_of_them_becomes_the_lens(digits_run: Run, store: RunStore) -> None:
    model, digits = ex.model_at(store, digits_run.id, digits_run.step), ex.load_dataset("digits")
    answer = model(digits.test.inputs).argmax(1)
    cell = next((t, a) for t, a in zip(digits.test.targets.tolist(), answer.tolist(), strict=True) if t != a)
    rows = [row for row, t in enumerate(digits.test.targets.tolist()) if (t, int(answer[row])) == cell]
    app = healthy(open_page("evaluate", run=digits_run.id))
    next(box for box in app.selectbox if box.label == "Show").set_value(cell).run()

    assert sorted(int(key.split("-")[-1]) for key in examples(healthy(app))) == rows
    app.button(key=examples(app)[-1]).click().run()
    healthy(app)
    chosen = int(examples(app)[-1].split("-")[-1])
    assert app.query_params["example"] == str(chosen)
    assert app.query_params["split"] == "test"
    sure = ex.predict(model, digits.test.inputs[chosen : chosen + 1]).probabilities
    np.testing.assert_allclose(drawn(app, "opened-probabilities")["x"], sure, atol=1e-6)
    assert {"look_inside", "attributions"} <= {link.proto.page for link in app.get("page_link")}
    app.switch_page("../pages/attributions.py").run()
    assert f"Test example **{chosen}**" in texts(healthy(app))


def test_the_worst_mistakes_come_first(digits_run: Run, store: RunStore) -> None:
    from explorer.probes import answers

    found = answers(ex.model_at(store, digits_run.id, digits_run.step), ex.load_dataset("digits"))
    worst = np.argsort(-found.loss)
    wanted = [row for row in worst.tolist() if found.wrong[row]][:12]
    app = healthy(open_page("evaluate", run=digits_run.id))

    assert [int(key.split("-")[-1]) for key in examples(app)] == wanted
    label = app.button(key=examples(app)[0]).label
    assert f"{found.truth[wanted[0]]} → {found.predicted[wanted[0]]}" in label
    assert label.startswith(f"![Example {wanted[0]}:](data:image/png;base64,")


def test_classes_and_calibration_are_shown(digits_run: Run, store: RunStore) -> None:
    from explorer.probes import answers, quality

    found = answers(ex.model_at(store, digits_run.id, digits_run.step), ex.load_dataset("digits"))
    app = part(open_page("evaluate", run=digits_run.id), "By class")
    shown = app.dataframe[0].value
    assert shown["class"].tolist() == [*map(str, range(10)), *quality.AVERAGES]
    assert metric(app, "F1") == f"{shown['F1'].iloc[-2]:.3f}"
    part(app, "Calibration")
    error = quality.calibration_error(quality.calibration(found.probabilities.max(1), ~found.wrong))
    assert f"**{100 * error:.1f} percentage points** (expected calibration error)" in texts(app)


def test_two_classes_have_curves_and_groups(carry_out: Callable[..., Run], store: RunStore) -> None:
    from explorer.probes import answers

    run = carry_out("arrests")
    arrests = ex.load_dataset("arrests")
    found = answers(ex.model_at(store, run.id, run.step), arrests)
    app = part(open_page("evaluate", run=run.id), "Thresholds")
    pairs = found.probabilities[found.truth == 1, 1][:, None] > found.probabilities[found.truth == 0, 1]
    assert f"in {pairs.mean():.1%} of all pairs" in texts(app)
    app.segmented_control(key=f"look-for-{run.id}").set_value(0).run()
    assert f"in {pairs.mean():.1%} of all pairs" in texts(healthy(app)), "the area is the same for the other class"

    part(app, "Groups")
    male = arrests.unscaled(arrests.test.inputs)[:, 1] > 0.5
    app.selectbox(key="slice-by-arrests").set_value("male").run()
    table = healthy(app).dataframe[0].value.set_index("group")
    assert table.loc["yes", "examples"] == male.sum()
    assert table.loc["yes", "Error rate"] == pytest.approx(100 * found.wrong[male].mean())
    assert table.loc["no", "Selection rate"] == pytest.approx(100 * (found.predicted[~male] == 1).mean())
    app.selectbox(key="slice-by-arrests").set_value("police records found").run()
    app.segmented_control(key="slice-rate-binary").set_value("false negative").run()
    table = healthy(app).dataframe[0].value.set_index("group")
    assert table["judged"].tolist() == ["", "", "", "", "", "too few for this rate", "too small to judge"]


# -- values and translations ------------------------------------------------------------------------------------------


def test_a_regression_is_shown_in_units_of_its_data(carry_out: Callable[..., Run], store: RunStore) -> None:
    run = carry_out("diabetes")
    app = healthy(open_page("evaluate", run=run.id))
    assert metric(app, "Mean error") == f"{run.test['mae']:.4g}"
    assert metric(app, "R²") == f"{run.test['r2']:.2f}"
    assert "points of disease progression" in texts(app)
    truth = drawn(app, "residuals")
    diabetes = ex.load_dataset("diabetes")
    mean, spread = diabetes.scale
    off = truth["x"] - truth["y"]  # answered less what it is too high by: the truth
    np.testing.assert_allclose(off, mean + spread * diabetes.test.targets.numpy(), rtol=1e-5)
    part(app, "Worst answers")
    app.button(key=examples(app)[0]).click().run()
    worst = int(examples(healthy(app))[0].split("-")[-1])
    assert worst == int(np.abs(truth["y"]).argmax())
    assert metric(app, "The truth") == diabetes.answer(diabetes.test.targets[worst])
    part(app, "Groups")
    assert app.dataframe[0].value["examples"].sum() == len(diabetes.test)


def test_translations_stand_beside_the_right_ones(carry_out: Callable[..., Run]) -> None:
    dates = ex.load_dataset("dates")
    run = carry_out("dates", ex.preset("seq2seq_rnn", dates, width=16), examples=64)
    app = healthy(open_page("evaluate", run=run.id))

    assert metric(app, "Token accuracy") == f"{run.test['token_accuracy']:.1%}"
    assert metric(app, "Exact match") == f"{run.test['exact_match']:.1%}"
    assert metric(app, "BLEU") == f"{run.test['bleu']:.1f}"
    first = int(examples(app)[0].split("-")[-1])
    assert app.button(key=examples(app)[0]).label == "Wrong"
    assert f"right: {dates.answer(dates.test.targets[first])}" in texts(app)
    app.button(key=examples(app)[0]).click().run()
    assert f"Right is: **{dates.answer(dates.test.targets[first])}**" in texts(healthy(app))
    app.segmented_control(key="translations-shown").set_value("Right").run()
    healthy(app)


# -- nothing to show --------------------------------------------------------------------------------------------------


def test_a_run_that_has_not_begun_and_one_whose_data_are_gone_are_said_calmly(
    carry_out: Callable[..., Run], store: RunStore
) -> None:
    with store.owners.hold() as owner:  # held, so that nobody begins it
        run = submit(store, ex.RunSpec(dataset="iris", model=LINEAR), owner=owner)
        assert "no weights yet" in texts(healthy(open_page("evaluate", run=run.id)))
        store.end(run.id, Status.STOPPED)
    random = np.random.default_rng(0)
    reading = own.read_table(
        own.read_csv(
            b"a,b,y\n" + b"".join(b"%.3f,%.3f,%d\n" % (*random.random(2), random.integers(2)) for _ in range(80))
        ),
        "y",
    )
    name = own.keep(reading, "Gone soon", store.home)
    run = carry_out(name)
    part(open_page("evaluate", run=run.id), "Groups")
    own.forget(name)
    app = open_page("evaluate", run=run.id)
    assert not app.exception
    assert any("was removed" in read(error.value) for error in app.error)


# -- cross-validation -------------------------------------------------------------------------------------------------


def test_folds_are_shown_together_whichever_of_them_is_looked_at(store: RunStore) -> None:
    spec = ex.RunSpec(dataset="iris", model=LINEAR, train=ex.TrainSpec(epochs=2))
    with store.owners.hold() as owner:
        sweep, runs = PREFIX + "0123abcd", []
        for fold in range(3):
            one = spec.model_copy(update={"fold": (fold, 3)})
            runs.append(submit(store, one, f"iris, fold {fold + 1} of 3", owner=owner, sweep=sweep))
        assert "0 of 3 folds are over" in {
            bar.text for bar in healthy(open_page("evaluate", run=runs[0].id)).get("progress")
        }
        for run in runs[:2]:
            execute(store, run, owner)
        store.end(runs[2].id, Status.FAILED, "The worker died.")
    app = healthy(open_page("evaluate", run=runs[1].id))

    table = app.dataframe[0].value
    values = table["accuracy"].tolist()[:2]
    assert table["in the mean"].tolist() == ["yes", "yes", "no"]
    assert table["shown below"].tolist() == ["", "this one", ""]
    assert metric(app, "Validation accuracy") == f"{np.mean(values):.1%} ± {np.std(values, ddof=1):.1%}"
    assert "Fold 3 does not count: failed. The worker died." in texts(app)
    assert "over the 2 that finished" in texts(app)
    assert drawn(app, "fold-strip-accuracy")["x"] == values
    assert metric(app, "Accuracy"), "the fold itself is shown, too"
    assert "fold 3 of 3 of a cross-validation" in texts(open_page("train", run=runs[2].id))


def test_one_click_cross_validates_the_draft_with_the_settings(store: RunStore) -> None:
    app = open_page("train")
    next(box for box in app.number_input if box.key == "train-epochs").set_value(2).run()
    app.slider(key="cross-validate-folds").set_value(3).run()
    assert app.button(key="cross-validate").label == "Start 3 runs"
    before = len(store.list())
    for _ in range(2):
        app.button(key="cross-validate").click().run()
        if app.header[0].value == "Evaluate":
            break
    runs = store.list(3)[::-1]
    assert len(store.list()) == before + 3
    assert [run.spec.fold for run in runs] == [(0, 3), (1, 3), (2, 3)]
    assert all(run.spec.train.epochs == 2 and run.sweep == runs[0].sweep for run in runs)
    assert app.header[0].value == "Evaluate"
    assert "Cross-validation in 3 folds" in [heading.value for heading in app.subheader]
    for run in runs:
        store.stop(run.id)


def test_a_cross_validation_that_cannot_work_is_said_and_starts_nothing(store: RunStore) -> None:
    before = len(store.list())
    with pytest.raises(ex.ExplorerError, match="no layers"):
        cross_validate(store, ex.RunSpec(dataset="digits", model=ex.ModelSpec()), 3)
    app = open_page("build")
    app.button(key="start-empty").click().run()
    app.switch_page("../pages/train.py").run()
    assert not app.exception
    assert len(store.list()) == before
