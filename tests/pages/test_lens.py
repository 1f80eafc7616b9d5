"""The example that is looked at: picked from lists, changed, undone, and the same again for whoever opens the link."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.data import Dataset, load_dataset
from explorer.data.made import images, rows, series, texts
from explorer.models import translate
from explorer.probes import answers
from explorer.runs.store import Run, RunStore
from explorer.views import copies, opened
from tests.pages.conftest import drawn, healthy, open_page, read
from tests.pages.conftest import texts as prose

pytestmark = pytest.mark.usefixtures("idle")
RUNS = {
    "digits": "cnn",
    "evidence_words": "attention",
    "iris": "mlp",
    "diabetes": "mlp",
    "arrests": "mlp",
    "mnist1d": "rnn",
    "phrases": "seq2seq_rnn",
}


@pytest.fixture(scope="module")
def runs(store: RunStore, train: Callable[..., Run]) -> dict[str, Run]:
    return {dataset: train(family, dataset, epochs=1, examples=320) for dataset, family in RUNS.items()}


def model(store: RunStore, run: Run) -> torch.nn.Module:
    return ex.model_at(store, run.id, store.snapshots.steps(run.id)[-1])


def changing(app: AppTest) -> AppTest:
    """Open what changes the example."""
    return next(toggle for toggle in app.toggle if toggle.label == "Change it").set_value(True).run()


def button(app: AppTest, key: str):  # noqa: ANN201
    return app.button(key=key).click()


def link(app: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}


def table(app: AppTest) -> dict[str, tuple[str, str]]:
    """What the table of original and copy says of each class."""
    found = re.findall(r"^\| (.+?) \| (\S+%) \| (\S+%) \|$", prose(app), re.MULTILINE)
    return {name: (before, after) for name, before, after in found}


# -- picking ----------------------------------------------------------------------------------------------------------


def listed(app: AppTest) -> list[int]:
    """Numbers of the examples in the dialog."""
    return [int(one.key.rsplit("-", 1)[1]) for one in app.button if str(one.key).startswith(("tile-", "row-"))]


def picking(app: AppTest, order: str, cls: int | None = None) -> AppTest:
    """Open the dialog and choose in it; a test must open it anew, since it is a fragment."""
    app = button(app, "pick-example").run()
    next(control for control in app.segmented_control if control.label == "First").set_value(order)
    if cls is not None:
        next(box for box in app.selectbox if box.label == "Of class").set_value(cls)
    return healthy(button(app, "pick-example").run())


@pytest.mark.parametrize("page", ["look_inside", "attributions"])
def test_examples_are_listed_by_class_the_worst_or_the_least_sure_first(
    runs: dict[str, Run], store: RunStore, page: str
) -> None:
    run, dataset = runs["digits"], load_dataset("digits")
    found = answers(model(store, run), dataset)
    app = open_page(page, run=run.id)
    assert listed(picking(app, "In order", 3)) == np.flatnonzero(found.truth == 3)[: opened.TILES].tolist()
    assert listed(picking(app, "Worst", -1)) == np.argsort(-found.loss, kind="stable")[: opened.TILES].tolist()
    sure = found.probabilities.max(axis=1)
    assert listed(picking(app, "Unsure", -1)) == np.argsort(sure, kind="stable")[: opened.TILES].tolist()
    threes = [row for row in np.argsort(-found.loss, kind="stable") if found.truth[row] == 3]
    app = picking(app, "Worst", 3)
    assert listed(app) == threes[: opened.TILES]
    next(one for one in app.button if str(one.key).endswith(f"-test-{threes[1]}")).click().run()
    assert link(healthy(app))["example"] == str(threes[1])


def test_a_shuffle_shows_every_example_once_and_another_one_differs(runs: dict[str, Run]) -> None:
    app = picking(open_page("look_inside", run=runs["iris"].id), "Random")
    first = listed(app)
    assert len(first) == len(set(first)) == opened.ROWS
    button(app, "pick-shuffle")
    assert listed(button(app, "pick-example").run()) != first


def test_translations_and_values_have_their_worst_too(runs: dict[str, Run], store: RunStore) -> None:
    found = answers(model(store, runs["diabetes"]), load_dataset("diabetes"))
    app = picking(open_page("look_inside", run=runs["diabetes"].id), "Worst")
    assert listed(app) == np.argsort(-found.loss, kind="stable")[: opened.ROWS].tolist()
    app = picking(open_page("look_inside", run=runs["phrases"].id), "Worst")
    assert len(listed(app)) == opened.ROWS


# -- changing ---------------------------------------------------------------------------------------------------------


def test_a_drawing_in_a_link_gives_the_same_answer_and_the_same_view_in_another_session(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, dataset = runs["digits"], load_dataset("digits")
    x = torch.zeros(1, 1, 8, 8)
    x[0, 0, :, 3:5] = 1
    made = images.code_of(dataset, x[0].numpy())
    place = {"run": run.id, "example": "5", "made": made}
    shown = ex.predict(model(store, run), x).probabilities
    app = healthy(open_page("attributions", **place))
    np.testing.assert_allclose(drawn(app, "probabilities")["x"], shown, atol=1e-6)
    assert "made by you" in prose(app)
    assert all("true" not in str(name) for name in drawn(app, "probabilities")["y"])
    app = healthy(open_page("look_inside", **place))
    maps = drawn(app, "layers")["z"]
    expected = ex.feature_maps(model(store, run), x, "conv1").values
    np.testing.assert_allclose(sorted(maps[~np.isnan(maps)]), sorted(expected.ravel()), atol=1e-5)
    assert link(app)["made"] == made
    original = ex.predict(model(store, run), dataset.test.inputs[5:6]).probabilities
    rows_told = copies.told(original, shown)
    assert table(app) == {str(n): (f"{original[n]:.1%}", f"{min(shown[n], 0.999):.1%}") for n in rows_told}


def test_the_views_show_the_copy_or_the_original_as_one_likes_and_the_link_says_which(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, dataset = runs["digits"], load_dataset("digits")
    made = images.code_of(dataset, np.zeros((1, 8, 8), np.float32))
    app = open_page("look_inside", run=run.id, example="5", made=made)
    assert "The picture is empty" in prose(app)
    next(one for one in app.segmented_control if one.label == "Look into").set_value(copies.ORIGINAL).run()
    assert link(healthy(app))["shown"] == "original"
    again = healthy(open_page("look_inside", **link(app)))
    expected = ex.feature_maps(model(store, run), dataset.test.inputs[5:6], "conv1").values
    for one in (app, again):
        maps = drawn(one, "layers")["z"]
        np.testing.assert_allclose(sorted(maps[~np.isnan(maps)]), sorted(expected.ravel()), atol=1e-5)
        assert f"truly **{dataset.answer(dataset.test.targets[5])}**" in prose(one)


def test_a_typed_text_is_answered_at_once_and_unknown_words_are_named(runs: dict[str, Run], store: RunStore) -> None:
    run, dataset = runs["evidence_words"], load_dataset("evidence_words")
    app = changing(open_page("look_inside", run=run.id))
    app.text_area[0].set_value("The storm and zyx piano").run()
    assert "Not in the vocabulary, so read as unknown: and, zyx." in prose(healthy(app))
    x = texts.read(dataset, "the storm and zyx piano").tokens
    shown = ex.predict(model(store, run), x).probabilities
    assert {name: after for name, (_, after) in table(app).items()} == {
        dataset.classes[n]: f"{min(shown[n], 0.999):.1%}" for n in range(4)
    }
    assert table(healthy(open_page("look_inside", **link(app)))) == table(app)


def test_typing_the_original_again_leaves_no_copy(runs: dict[str, Run]) -> None:
    app = changing(open_page("look_inside", run=runs["evidence_words"].id))
    before = app.text_area[0].value
    app.text_area[0].set_value("snow").run()
    assert "made" in link(app)
    app.text_area[0].set_value(before.upper()).run()
    assert "made" not in link(healthy(app))


def test_nothing_that_was_made_is_lost_by_a_wrong_click(runs: dict[str, Run]) -> None:
    app = changing(open_page("look_inside", run=runs["evidence_words"].id, example="2"))
    app.text_area[0].set_value("snow").run()
    snow = link(app)["made"]
    app.text_area[0].set_value("snow today").run()
    today = link(app)["made"]
    button(app, "undo-change").run()
    assert link(app)["made"] == snow
    button(app, "redo-change").run()
    assert link(app)["made"] == today
    button(app, "drop-copy").run()
    assert "made" not in link(app)
    button(app, "undo-change").run()
    assert link(app)["made"] == today
    button(app, "Next-example").run()
    assert (link(app)["example"], "made" in link(app)) == ("3", False)
    button(app, "undo-change").run()
    assert (link(healthy(app))["example"], link(app)["made"]) == ("2", today)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "The text is empty"), ("bread " * 10_000, "Only the first 16 words and signs are read")],
)
def test_a_text_that_cannot_be_read_whole_is_one_clear_line(runs: dict[str, Run], text: str, said: str) -> None:
    app = changing(open_page("look_inside", run=runs["evidence_words"].id))
    app.text_area[0].set_value("snow").run()
    app.text_area[0].set_value(text).run()
    assert [said in warning.value for warning in healthy(app).warning] == [True]
    assert app.text_area[0].value == ("snow" if not text else " ".join(["bread"] * 16))
    app.text_area[0].set_value("snow today").run()
    assert not app.warning


def test_the_source_of_a_translation_can_be_typed_and_every_layer_shows_what_the_model_writes(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, dataset = runs["phrases"], load_dataset("phrases")
    app = changing(open_page("look_inside", run=run.id))
    app.text_area[0].set_value("new file").run()
    x = texts.read(dataset, "new file").tokens
    written = translate(model(store, run).eval(), x, dataset.target_shape.size[0])
    assert f"Of the copy: **{dataset.answer(written[0]) or 'nothing'}**" in prose(healthy(app))
    for layer in [option for option in app.segmented_control(key="option-layer-0").options if "decoder" in option]:
        healthy(open_page("look_inside", **link(app), layer=layer))
    healthy(open_page("attributions", **link(app)))


def field(app: AppTest, label: str):  # noqa: ANN201
    return next(one for one in (*app.number_input, *app.selectbox) if one.label.replace("\\", "") == label)


def test_fields_of_a_table_are_set_in_their_own_units(runs: dict[str, Run], store: RunStore) -> None:
    run, dataset = runs["iris"], load_dataset("iris")
    app = changing(open_page("look_inside", run=run.id, example="4"))
    field(app, "petal length (cm)").set_value(1.5).run()
    field(app, "petal width (cm)").set_value(0.2).run()
    values = dataset.unscaled(dataset.test.inputs[4:5])[0]
    values[2:] = 1.5, 0.2
    mean, spread = np.array(dataset.feature_scales).T
    x = torch.from_numpy(((values - mean) / spread).astype(np.float32))[None]
    shown = ex.predict(model(store, run), x).probabilities
    assert {name: after for name, (_, after) in table(healthy(app)).items()} == {
        dataset.classes[n]: f"{min(shown[n], 0.999):.1%}" for n in range(3)
    }
    assert "petal length (cm): 5" in prose(app)
    assert table(open_page("look_inside", **link(app))) == table(app)


def test_a_field_is_moved_by_its_slider_over_the_range_of_the_data_and_follows_what_is_typed(
    runs: dict[str, Run],
) -> None:
    app = changing(open_page("look_inside", run=runs["iris"].id, example="4"))

    def slider():  # noqa: ANN202
        return next(one for one in healthy(app).slider if one.label.replace("\\", "") == "petal length (cm)")

    assert (slider().min, slider().max, slider().step) == (1.0, 7.0, 0.2)  # they are 1 to 6.9
    slider().set_value(1.4).run()
    assert (slider().value, field(app, "petal length (cm)").value) == (1.4, 1.4)
    assert link(app)["made"]
    field(app, "petal length (cm)").set_value(9.25).run()
    app.run()
    assert (slider().value, field(app, "petal length (cm)").value) == (7.0, 9.25)  # its end is not taken for a value


def test_a_field_beyond_the_data_is_said_and_one_far_from_all_data_is_not_taken(runs: dict[str, Run]) -> None:
    app = changing(open_page("look_inside", run=runs["iris"].id, example="4"))
    field(app, "petal length (cm)").set_value(60.0).run()
    assert "petal length (cm) 60 (in these data 1 to 6.9)" in read(healthy(app).warning[0].value)
    made = link(app)["made"]
    field(app, "petal length (cm)").set_value(1e12).run()
    assert any("standard deviations from the mean" in warning.value for warning in healthy(app).warning)
    assert link(app)["made"] == made
    assert field(app, "petal length (cm)").value == 60.0


def test_a_yes_or_no_of_a_table_is_chosen_by_its_name_and_a_value_is_told_in_its_unit(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, dataset = runs["arrests"], load_dataset("arrests")
    app = changing(open_page("look_inside", run=run.id))
    before = dataset.unscaled(dataset.test.inputs[:1])[0]
    field(app, "black").set_value(int(before[0] < 0.5)).run()
    after = dataset.unscaled(rows.row_of(dataset, link(healthy(app))["made"]))[0]
    np.testing.assert_allclose(after, [1 - before[0], *before[1:]], atol=1e-4)

    run, dataset = runs["diabetes"], load_dataset("diabetes")
    app = changing(open_page("look_inside", run=run.id))
    field(app, "body mass index").set_value(40.0).run()
    x = rows.row_of(dataset, link(healthy(app))["made"])
    mean, spread = dataset.scale
    outputs = [float(model(store, run).eval()(one).detach()) * spread + mean for one in (dataset.test.inputs[:1], x)]
    assert f"It answers **{outputs[0]:.4g}** to the original and **{outputs[1]:.4g}** to the copy" in prose(app)


def test_a_series_is_changed_by_sliders_that_stand_where_the_link_says(runs: dict[str, Run], store: RunStore) -> None:
    run, dataset = runs["mnist1d"], load_dataset("mnist1d")
    app = changing(open_page("look_inside", run=run.id, example="4"))
    next(one for one in app.slider if one.label == "Shift by steps").set_value(-3).run()
    next(one for one in app.slider if one.label == "Noise").set_value(0.5).run()
    recipe = series.Recipe(row=int(dataset.test.rows[4]), shift=-3, noise=0.5)
    x = torch.from_numpy(series.changed(dataset.test.inputs[4].numpy(), recipe))[None]
    shown = ex.predict(model(store, run), x).probabilities
    again = healthy(open_page("look_inside", **link(healthy(app))))
    for name, (_, after) in table(again).items():
        assert after == f"{min(shown[dataset.classes.index(name)], 0.999):.1%}"
    assert {one.label: one.value for one in again.slider}["Shift by steps"] == -3


def test_a_made_example_stays_when_another_run_of_its_data_is_looked_at(
    runs: dict[str, Run], train: Callable[..., Run], store: RunStore
) -> None:
    other, dataset = train("mlp", epochs=1), load_dataset("digits")
    made = images.code_of(dataset, np.eye(8, dtype=np.float32)[None])
    app = open_page("attributions", run=runs["digits"].id, made=made)
    next(box for box in app.selectbox if box.label == "Run").select(other.id).run()
    shown = ex.predict(model(store, other), torch.eye(8)[None, None]).probabilities
    np.testing.assert_allclose(drawn(healthy(app), "probabilities")["x"], shown, atol=1e-6)
    next(box for box in app.selectbox if box.label == "Run").select(runs["iris"].id).run()
    assert "another data set" in healthy(app).warning[0].value
    next(box for box in app.selectbox if box.label == "Run").select(other.id).run()
    np.testing.assert_allclose(drawn(healthy(app), "probabilities")["x"], shown, atol=1e-6)


def test_the_microscope_shows_a_made_example_without_a_truth(runs: dict[str, Run]) -> None:
    for name, made in (("digits", np.eye(8, dtype=np.float32)[None]), ("diabetes", np.ones(10, np.float32))):
        code = (images if name == "digits" else rows).code_of(load_dataset(name), made)
        app = open_page("train", run=runs[name].id, made=code)
        app.toggle(key="microscope-open-toggle").set_value(True).run()
        assert "changed by you" in prose(healthy(app))


# -- what a link may say ----------------------------------------------------------------------------------------------


def code(dataset: Dataset) -> str:
    return images.code_of(dataset, np.eye(8, dtype=np.float32)[None])


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"example": "999999"}, "There is no test example 999999; the last one, 268, is shown."),
        ({"step": "7000"}, "Weights of step 7000 are not kept; the nearest kept step, "),
        ({"target": "12"}, "There is no class 12 to explain (they are numbered 0 to 9); the answer is explained."),
        ({"made": "cut"}, "The changed example in the link was cut or changed. The example itself is shown."),
        ({"made": "abcdeNpjZGBg"}, "The changed example in the link was cut or changed."),
        ({"made": "A" * 100_000}, "The changed example in the link was cut or changed."),
    ],
)
@pytest.mark.parametrize("page", ["look_inside", "attributions", "evaluate"])
def test_what_a_link_asks_for_and_is_not_here_is_one_clear_line_and_the_page_is_whole(
    runs: dict[str, Run], page: str, place: dict[str, str], said: str
) -> None:
    app = healthy(open_page(page, run=runs["digits"].id, **place))
    assert [read(line).startswith(said) for line in not_here(app)] == [True]
    assert app.get("plotly_chart")
    box = next(one for one in app.number_input if one.label.startswith("Example (0 to"))
    box.set_value(1).run()
    gone = {"example", "made"} & set(place)  # the step and the class stay as they were asked for
    assert len(not_here(healthy(app))) == (0 if gone else 1)


def not_here(app) -> list[str]:  # noqa: ANN001
    """What is said of a link that asks for what is not here."""
    return [warning.value for warning in app.warning if warning.icon == ":material/link_off:"]


def test_a_link_whose_run_was_deleted_or_whose_words_are_none_says_so(runs: dict[str, Run]) -> None:
    app = healthy(open_page("look_inside", run="00000000", example="-3", step="soon", split="best"))
    said = [read(toast.value) for toast in app.toast]
    assert read(app.warning[0].value) == "Run 00000000 is not here any more; the newest one is shown."
    assert [any(f"The link's {name}" in one for one in said) for name in ("example", "step", "split")] == [True] * 3


def test_a_made_example_of_other_data_is_said(runs: dict[str, Run]) -> None:
    app = healthy(open_page("look_inside", run=runs["iris"].id, made=code(load_dataset("digits"))))
    assert "of another data set than this run" in app.warning[0].value
    button(app, "drop-copy").run()
    assert not healthy(app).warning
    assert "made" not in link(app)
