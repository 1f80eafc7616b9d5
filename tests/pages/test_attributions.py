"""The page *Attributions*: what it shows is what the library says, in every part, for every family."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape as html_escape
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import explorer as ex
from explorer.attribution.compared import baseline
from explorer.attribution.table import as_table
from explorer.attribution.whole import by_place, by_word
from explorer.data.made import example_of
from explorer.data.made import texts as texts_made
from explorer.data.made.images import code_of
from explorer.figures.mosaic import gaps, grid
from explorer.figures.shades import shades, side
from explorer.figures.words import joined, words
from explorer.models.translator import translate
from explorer.probes.activations import TwoClasses
from explorer.runs.store import Run, RunStore
from explorer.trust.table import Wanted, marks, work_out
from explorer.views import view as views
from explorer.views.reasons import OF_TRANSLATIONS, PARTS, saving
from explorer.views.reasons.asked import Asked, explained, read
from tests.pages.conftest import array, drawn, healthy, open_page, texts
from tests.pages.conftest import read as plainly

pytestmark = pytest.mark.usefixtures("idle")
FAMILIES = {
    "cnn": "digits",
    "mlp": "breast_cancer",
    "rnn": "mnist1d",
    "attention": "evidence_words",
    "seq2seq_transformer": "phrases",
}


@pytest.fixture(scope="module")
def runs(store: RunStore, train: Callable[..., Run]) -> dict[str, Run]:
    found = {family: train(family, dataset, epochs=1) for family, dataset in FAMILIES.items()}
    return found | {"regression": train("mlp", "diabetes", epochs=1)}


@pytest.fixture
def view(runs: dict[str, Run], store: RunStore) -> Callable[..., views.View]:
    def view(family: str, **more: object) -> views.View:
        run = runs[family]
        steps = store.snapshots.steps(run.id)
        dataset = ex.load_dataset(run.spec.dataset)
        return replace(views.View(run, steps, steps[-1], dataset, "test", 0, None), **more)

    return view


def model_of(store: RunStore, run: Run) -> torch.nn.Module:
    model = ex.model_at(store, run.id, store.snapshots.steps(run.id)[-1])
    return TwoClasses(model) if ex.load_dataset(run.spec.dataset).task == "binary" else model


def traces(app: AppTest, key: str) -> list[dict]:
    """All traces of the figure with this key."""
    spec = next(chart.proto.spec for chart in app.get("plotly_chart") if chart.proto.id.endswith(f"-{key}"))
    return [{name: array(value) for name, value in trace.items()} for trace in json.loads(spec)["data"]]


def written(app: AppTest) -> str:
    """All HTML of a page."""
    return "\n".join(element.proto.body for element in app.get("html"))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_part_draws_every_family(runs: dict[str, Run], family: str) -> None:
    parts = OF_TRANSLATIONS if family.startswith("seq2seq") else PARTS
    for part in parts:
        few = {"count": "20"} if part == "whole" else {}
        app = healthy(open_page("attributions", run=runs[family].id, part=part, **few))
        assert app.segmented_control(key="option-part-0").options == [title for title, _ in parts.values()]
        if part == "flips" and parts is OF_TRANSLATIONS:
            assert "The answer is a translation: what flips" in app.info[0].value
            continue
        assert app.get("plotly_chart") or "aria-label" in written(app)
        assert not app.info
        if part in ("one", "beside", "many", "training"):
            assert {"Values (CSV)", "Picture (SVG)"} <= {button.proto.label for button in app.get("download_button")}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_method_that_applies_says_what_the_library_says_and_the_others_say_why_not(
    runs: dict[str, Run], store: RunStore, family: str
) -> None:
    run, step = runs[family], store.snapshots.steps(runs[family].id)[-1]
    app = healthy(open_page("attributions", run=run.id, part="one"))
    menu = "\n".join(app.selectbox(key="option-method-0").options)
    dataset, model = ex.load_dataset(run.spec.dataset), model_of(store, run)
    x, more, text = dataset.test.inputs[:1], {}, ""
    target = 1
    if dataset.task == "translation":
        text = "right"
        before, tokens = read(run.id, step, "test", 0, text)
        target, more = tokens[2], {"written": before, "at": 2}
    for method in ex.METHODS.values():
        if method.title not in menu:
            assert f"**{method.title}**: " in texts(app)
            continue
        asked = Asked(method.name, target=target, text=text, at=2, references=3)
        found = explained(run.id, step, "test", 0, asked)
        others = {} if method.compares() != "references" else {"references": _some(dataset, 3)}
        wanted = ex.attribute(method.name, model, x, target, **more, **others)
        np.testing.assert_allclose(found.values, wanted.values, atol=1e-5)


def _some(dataset: ex.Dataset, count: int) -> torch.Tensor:
    order = torch.randperm(len(dataset.train), generator=torch.Generator().manual_seed(0))
    return dataset.train.inputs[order[:count]]


def test_an_image_is_covered_by_what_the_method_says_with_the_parameters_of_the_link(
    runs: dict[str, Run], store: RunStore
) -> None:
    place = {"example": "5", "target": "4", "part": "one", "method": "integrated_gradients", "psteps": "7"}
    app = healthy(open_page("attributions", run=runs["cnn"].id, **place, baseline="mean", against="9"))
    data = ex.load_dataset("digits")
    wanted = ex.attribute(
        "integrated_gradients",
        model_of(store, runs["cnn"]),
        data.test.inputs[5:6],
        (4, 9),
        baseline=data.train.inputs.mean(0, keepdim=True),
        steps=7,
    )
    image, over = traces(app, "why")
    np.testing.assert_allclose(over["z"], wanted.values.sum(0), atol=1e-5)
    np.testing.assert_allclose(np.array(image["z"])[..., 0] / 255, data.test.inputs[5, 0], atol=1e-4)
    assert over["zmax"] == pytest.approx(np.abs(wanted.values.sum(0)).max(), rel=1e-5)
    said = plainly(texts(app))
    assert "the mean of the train split" in said
    assert f"{wanted.error:.2g}" in said
    assert {"psteps": "7", "baseline": "mean", "against": "9"}.items() <= dict(app.query_params).items()


@pytest.mark.parametrize(
    ("sign", "expected"), [("for", [0.0, 2.0]), ("against", [-3.0, 0.0]), ("strength", [3.0, 2.0])]
)
def test_one_side_of_the_values_or_their_strength_can_be_shown(sign: str, expected: list[float]) -> None:
    assert side(np.array([-3.0, 2.0]), sign).tolist() == expected


def test_words_carry_their_numbers_and_markup_in_them_is_only_text() -> None:
    html = words(["<b>", "fine"], np.array([0.25, -1.0]), "a <test>")
    assert "<b>" not in html.replace("<br>", "")
    assert "&lt;b&gt;" in html
    assert "+0.25" in html
    assert "-1" in html
    assert "a &lt;test&gt;" in html


def test_a_text_shows_the_value_of_every_word(runs: dict[str, Run], store: RunStore) -> None:
    app = healthy(open_page("attributions", run=runs["attention"].id, method="input_x_gradient"))
    data = ex.load_dataset("evidence_words")
    model, x = model_of(store, runs["attention"]), data.test.inputs[:1]
    answer = ex.predict(model, x).answer
    values = ex.attribute("input_x_gradient", model, x, answer).values
    for token, value in zip(x[0].tolist(), values.tolist(), strict=True):
        if token:
            assert f'title="{data.vocabulary[token]}: {value:+.2g}"' in written(app)


def test_the_map_has_a_row_for_each_produced_token(runs: dict[str, Run], store: RunStore) -> None:
    run = runs["seq2seq_transformer"]
    app = healthy(open_page("attributions", run=run.id, part="map", method="input_x_gradient"))
    data, model = ex.load_dataset("phrases"), model_of(store, run)
    x = data.test.inputs[:1]
    model.eval()
    tokens = [token for token in translate(model, x, data.target_shape.size[0])[0].tolist() if token]
    before = torch.zeros(1, data.target_shape.size[0], dtype=torch.long)
    before[0] = torch.tensor([2, *tokens][: before.shape[1]] + [0] * (before.shape[1] - len(tokens) - 1))
    shown = traces(app, "across")[0]
    length = int((x != 0).sum())
    assert np.array(shown["customdata"]).shape[:2] == (len(tokens), length)
    for at, token in enumerate(tokens):
        wanted = ex.attribute("input_x_gradient", model, x, token, written=before, at=at).values[:length]
        np.testing.assert_allclose([cell[2] for cell in shown["customdata"][at]], wanted, atol=1e-5)


def test_the_whole_split_is_the_mean_absolute_value_of_the_examples_it_says(
    runs: dict[str, Run], store: RunStore
) -> None:
    run = runs["mlp"]
    app = healthy(open_page("attributions", run=run.id, part="whole", method="input_x_gradient", count="20"))
    data, model = ex.load_dataset("breast_cancer"), model_of(store, run)
    rows = np.sort(np.random.default_rng(0).permutation(len(data.test))[:20])
    values = []
    for row in rows:
        x = data.test.inputs[row : row + 1]
        values.append(ex.attribute("input_x_gradient", model, x, ex.predict(model, x).answer).values)
    shown = drawn(app, "whole")
    np.testing.assert_allclose(shown["x"], np.sort(np.abs(values).mean(0))[::-1], rtol=1e-4)
    assert f"20 of the {len(data.test)} test examples" in texts(app)


def test_of_translations_one_of_their_tokens_is_explained_over_many_examples_and_by_source_word(
    runs: dict[str, Run], store: RunStore
) -> None:
    run = runs["seq2seq_transformer"]
    data, model = ex.load_dataset("phrases"), model_of(store, run)
    place = {"run": run.id, "method": "input_x_gradient", "text": "right", "nth": "3"}
    app = healthy(open_page("attributions", part="whole", count="20", **place))
    texts_of, values = [], []
    for row in np.sort(np.random.default_rng(0).permutation(len(data.test))[:20]).tolist():
        wanted = data.test.targets[row]
        if int((wanted != 0).sum()) - 1 < 3:  # it ends before
            continue
        x, before = data.test.inputs[row : row + 1], wanted[None, :-1]
        before = torch.where(torch.arange(before.shape[1]) < 3, before, 0)
        values.append(ex.attribute("input_x_gradient", model, x, int(wanted[3]), written=before, at=2).values)
        texts_of.append([data.vocabulary[token] for token in x[0].tolist() if token])
    table = by_word(texts_of, values).head(30).sort_values("strength", ascending=False)
    np.testing.assert_allclose(drawn(app, "whole")["x"], table["strength"], rtol=1e-3)
    assert "explained is, of each, token 3 of the right translation" in texts(app)

    app = healthy(open_page("attributions", part="many", **place))
    assert f"0: {data.target_vocabulary[int(data.test.targets[0, 3])]}" in texts(app)
    app = healthy(open_page("attributions", part="many", **(place | {"nth": str(data.target_shape.size[0])})))
    assert "Choose an earlier one" in app.info[0].value


def test_the_whole_split_by_squares_is_the_mean_size_of_what_they_add_up_to(
    runs: dict[str, Run], store: RunStore
) -> None:
    data, model = ex.load_dataset("digits"), model_of(store, runs["cnn"])
    place = {"part": "whole", "method": "input_x_gradient", "count": str(len(data.validation)), "split": "validation"}
    app = healthy(open_page("attributions", run=runs["cnn"].id, side="4", each="truth", **place))
    assert f"{len(data.validation)} of the {len(data.validation)} validation examples" in texts(app)
    total = np.zeros((2, 2))
    for x, target in zip(data.validation.inputs[:, None], data.validation.targets.tolist(), strict=True):
        values = ex.attribute("input_x_gradient", model, x, target).values[0]
        total += np.abs([[values[:4, :4].sum(), values[:4, 4:].sum()], [values[4:, :4].sum(), values[4:, 4:].sum()]])
    shown = traces(app, "whole")[1]["z"]
    np.testing.assert_allclose(shown, (total / len(data.validation)).repeat(4, 0).repeat(4, 1), rtol=1e-4)


def test_a_region_at_the_end_is_as_long_as_what_is_left() -> None:
    values = [np.array([1.0, -2.0, 3.0]), np.array([1.0, 1.0, -1.0])]
    assert by_place(values, 2).tolist() == [1.5, 2.0]
    assert by_place(values).tolist() == [1.0, 1.5, 2.0]


def test_of_a_changed_source_it_is_said_why_nothing_is_followed_over_the_training(runs: dict[str, Run]) -> None:
    source = texts_made.code_of(ex.load_dataset("phrases"), "Delete the file")
    app = healthy(open_page("attributions", run=runs["seq2seq_transformer"].id, part="training", made=source))
    assert "a changed source has none" in app.info[0].value


def test_many_examples_are_on_one_scale(runs: dict[str, Run], store: RunStore) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, part="many", method="saliency", each="truth"))
    data, model = ex.load_dataset("digits"), model_of(store, runs["cnn"])
    values = [
        ex.attribute("saliency", model, data.test.inputs[row : row + 1], int(data.test.targets[row])).values.sum(0)
        for row in range(12)
    ]
    shown = traces(app, "many")[1]
    np.testing.assert_allclose(np.sort(shown["z"][~np.isnan(shown["z"])]), np.sort(np.ravel(values)), atol=1e-5)
    assert shown["zmax"] == pytest.approx(np.abs(values).max(), rel=1e-5)


def test_many_examples_and_a_split_can_be_asked_why_the_answer_and_not_the_true_class(
    runs: dict[str, Run], store: RunStore
) -> None:
    data, model = ex.load_dataset("digits"), model_of(store, runs["cnn"]).eval()
    answers, truth = model(data.test.inputs).argmax(1), data.test.targets
    worst = {"part": "many", "method": "saliency", "order": "Worst", "each": "answer", "against": "truth"}
    app = healthy(open_page("attributions", run=runs["cnn"].id, **worst))
    loss = torch.nn.functional.cross_entropy(model(data.test.inputs), truth, reduction="none")
    rows = loss.argsort(descending=True)[:12].tolist()
    pairs = [(int(answers[row]), int(truth[row])) for row in rows]
    assert all(one != other for one, other in pairs)
    values = [
        ex.attribute("saliency", model, data.test.inputs[row : row + 1], pair).values.sum(0)
        for row, pair in zip(rows, pairs, strict=True)
    ]
    shown = traces(app, "many")[1]["z"]
    np.testing.assert_allclose(np.sort(shown[~np.isnan(shown)]), np.sort(np.ravel(values)), atol=1e-5)
    assert "Why its answer rather than its true class?" in json.loads(app.get("plotly_chart")[-1].proto.spec)["layout"][
        "title"
    ]["text"].replace("<br>", " ")

    app = healthy(
        open_page(
            "attributions", run=runs["cnn"].id, part="whole", method="saliency", count="20", each="3", against="answer"
        )
    )
    rows = np.sort(np.random.default_rng(0).permutation(len(data.test))[:20]).tolist()
    targets = [3 if int(answers[row]) == 3 else (3, int(answers[row])) for row in rows]
    values = [
        ex.attribute("saliency", model, data.test.inputs[row : row + 1], target).values.sum(0)
        for row, target in zip(rows, targets, strict=True)
    ]
    np.testing.assert_allclose(traces(app, "whole")[1]["z"], np.abs(values).mean(0), atol=1e-5)
    assert f"Of {targets.count(3)} both are the same class" in texts(app)


def test_over_training_each_step_is_explained_by_its_own_weights(runs: dict[str, Run], store: RunStore) -> None:
    run = runs["regression"]
    steps = store.snapshots.steps(run.id)
    app = healthy(open_page("attributions", run=run.id, part="training", method="saliency"))
    shown, x = traces(app, "training")[0], ex.load_dataset("diabetes").test.inputs[:1]
    first, last = (
        ex.attribute("saliency", ex.model_at(store, run.id, step), x, 0).values for step in (steps[0], steps[-1])
    )
    np.testing.assert_allclose(shown["z"][:, 0], first, atol=1e-5)
    np.testing.assert_allclose(shown["z"][:, -1], last, atol=1e-5)


def test_bad_options_in_a_link_are_said_and_the_page_goes_on(runs: dict[str, Run]) -> None:
    bad = {"method": "magic", "part": "../etc", "against": "99", "psteps": "-5", "baseline": "blurred", "opacity": "12"}
    app = healthy(open_page("attributions", run=runs["cnn"].id, **bad))
    said = " ".join(plainly(warning.value) for warning in app.warning)
    for value in ("magic", "../etc", "99", "-5", "12"):
        assert value in said
    assert app.get("plotly_chart")
    app = healthy(open_page("attributions", run=runs["cnn"].id, part="beside", methods="saliency,<b>"))
    assert any("<b>" in plainly(warning.value) for warning in app.warning)
    assert app.multiselect(key="option-methods-0").value == ["saliency"]


def test_a_unit_that_is_not_there_is_one_line(runs: dict[str, Run]) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, method="neuron_gradient", punit="60000"))
    assert "has units 0 to" in texts(app)


def test_a_method_of_a_layer_names_it_and_draws_its_values(runs: dict[str, Run], store: RunStore) -> None:
    place = {"method": "layer_gradient_x_activation", "within": "conv1"}
    app = healthy(open_page("attributions", run=runs["cnn"].id, **place))
    x = ex.load_dataset("digits").test.inputs[:1]
    model = model_of(store, runs["cnn"])
    answer = ex.predict(model, x).answer
    wanted = ex.attribute("layer_gradient_x_activation", model, x, answer, layer="conv1").values
    shown = drawn(app, "why")["z"]
    np.testing.assert_allclose(np.sort(shown[~np.isnan(shown)]), np.sort(wanted.ravel()), atol=1e-5)


def test_zeros_everywhere_are_said_and_not_drawn(runs: dict[str, Run]) -> None:
    app = healthy(
        open_page("attributions", run=runs["cnn"].id, split="train", example="0", baseline="example", compared="0")
    )
    assert "gives zero for every pixel" in texts(app)
    assert not [chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("-why")]


def test_a_model_no_better_than_a_guess_and_a_wrong_answer_are_said_first(
    runs: dict[str, Run], store: RunStore
) -> None:
    data, model = ex.load_dataset("digits"), ex.model_at(store, runs["cnn"].id, 0)
    model.eval()
    wrong = int((model(data.test.inputs).argmax(1) != data.test.targets).nonzero()[0])
    app = healthy(open_page("attributions", run=runs["cnn"].id, step="0", example=str(wrong)))
    assert "no better than a guess" in app.warning[0].value
    assert "The answer is wrong" in app.warning[0].value


def test_a_changed_example_is_explained_as_any_other(runs: dict[str, Run], store: RunStore) -> None:
    data = ex.load_dataset("digits")
    image = data.test.inputs[0].numpy().copy()
    image[..., :4] = 0
    code = code_of(data, image)
    app = healthy(open_page("attributions", run=runs["cnn"].id, made=code, method="saliency"))
    model, x = model_of(store, runs["cnn"]), example_of(data, "test", code)
    wanted = ex.attribute("saliency", model, x, ex.predict(model, x).answer).values.sum(0)
    np.testing.assert_allclose(traces(app, "why")[1]["z"], wanted, atol=1e-5)
    assert "The answer is wrong" not in " ".join(warning.value for warning in app.warning)


# -- how far to trust it ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checked(runs: dict[str, Run], store: RunStore) -> Wanted:
    """Three methods of the CNN checked in three ways over three examples; and one of them in one way over four."""
    run = runs["cnn"]
    wanted = Wanted(
        run=run.id,
        step=store.snapshots.steps(run.id)[-1],
        examples=3,
        seed=5,
        methods=("saliency", "guided_backprop", "random"),
        checks=("randomisation", "deletion", "sensitivity"),
    )
    list(work_out(store, wanted))
    begun = {"examples": 4, "methods": ("guided_backprop",), "checks": ("deletion",)}
    list(work_out(store, wanted.model_copy(update=begun)))
    return wanted


def test_beside_a_method_stands_what_its_checks_found_and_the_way_to_them(
    runs: dict[str, Run], store: RunStore, checked: Wanted
) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, method="guided_backprop"))
    said = texts(app)
    found = marks(store, checked)
    for check in checked.checks:
        mark, control = found["guided_backprop", check], ""
        if mark.control:
            control = f" · {mark.control[0]} {mark.control[1]:.2f}"
        word = " doubtful" if mark.doubtful else ""
        arrow = "↑" if ex.CHECKS[check].better == "higher" else "↓"
        assert f"{ex.CHECKS[check].title}{word} {mark.score:.2f} {arrow}{control}]" in said
    assert found["guided_backprop", "randomisation"].doubtful
    assert f"**Random weights**: {found['guided_backprop', 'randomisation'].verdict}" in said
    assert f"Checked at step {checked.step} over 3 test examples" in said
    app.button(key="trust").click().run()
    assert "Trust" in [head.value for head in healthy(app).header]
    assert [field.value for field in app.number_input if field.label == "Examples"] == [3]
    assert "**Guided backpropagation: Random weights**" in texts(app)
    assert f"{found['guided_backprop', 'randomisation'].score:.3f}" in [metric.value for metric in app.metric]


def test_what_was_not_checked_of_these_weights_or_looks_inside_says_so(runs: dict[str, Run], checked: Wanted) -> None:
    run = runs["cnn"].id
    for place in (
        {"method": "occlusion"},
        {"method": "saliency", "step": "0"},
        {"method": "saliency", "split": "train"},
    ):
        app = healthy(open_page("attributions", run=run, **place))
        assert "How far to trust it is not worked out yet for the weights of step" in texts(app)
        assert app.button(key="trust")
    assert "none applies" in texts(healthy(open_page("attributions", run=run, method="layer_conductance")))


def test_side_by_side_says_of_each_method_how_many_of_its_checks_held(
    runs: dict[str, Run], store: RunStore, checked: Wanted
) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, part="beside", methods="saliency,guided_backprop,lrp"))
    found, said = marks(store, checked), texts(app)
    for method in ("saliency", "guided_backprop"):
        held = sum(not found[method, check].doubtful for check in checked.checks)
        assert f"Trust: {held} of 3 checks held" in next(
            line for line in said.splitlines() if line.startswith(f"**{ex.METHODS[method].title}** ·")
        )
    title = ex.METHODS["lrp"].title
    assert "Trust: not worked out yet" in next(line for line in said.splitlines() if line.startswith(f"**{title}** ·"))


def test_beside_a_method_stand_the_same_controls_as_the_library_draws(runs: dict[str, Run], store: RunStore) -> None:
    app = healthy(open_page("attributions", run=runs["cnn"].id, method="saliency"))
    x = ex.load_dataset("digits").test.inputs[:1]
    shown = traces(app, "controls")[0]
    wanted = np.stack(
        [ex.attribute(name, model_of(store, runs["cnn"]), x, 0).values[0] for name in ("random", "sobel")]
    )
    np.testing.assert_allclose(
        np.sort(shown["customdata"][~np.isnan(shown["customdata"])]), np.sort(wanted.ravel()), atol=1e-5
    )
    app = open_page("attributions", run=runs["cnn"].id, method="random")
    assert not [chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("-controls")]


# -- what is taken along ----------------------------------------------------------------------------------------------


def test_the_csv_holds_every_value_and_the_input_there(store: RunStore, runs: dict[str, Run]) -> None:
    data, model = ex.load_dataset("digits"), model_of(store, runs["cnn"])
    x = data.test.inputs[:1]
    found = ex.attribute("saliency", model, x, 3)
    table = pd.read_csv(io.StringIO(as_table(data, x, found).to_csv(index=False)))
    assert list(table) == ["channel", "row", "column", "input", "value"]
    row = table[(table["row"] == 2) & (table["column"] == 5)].iloc[0]
    assert row["value"] == pytest.approx(float(found.values[0, 2, 5]), rel=1e-5)
    assert row["input"] == pytest.approx(float(x[0, 0, 2, 5]), rel=1e-5)


@pytest.mark.parametrize("family", [*FAMILIES, "regression"])
def test_the_values_of_several_are_one_table_and_one_picture(view: Callable[..., views.View], family: str) -> None:
    seen = view(family)
    text = "right" if family.startswith("seq2seq") else ""
    names = ["saliency", "input_x_gradient"]
    found = [explained(*seen.place, Asked(name, target=0, text=text)) for name in names]
    shown = saving.Several("method", names, ["A", "B"], seen.input.expand(2, *seen.input.shape[1:]), found, "t", True)
    table = pd.read_csv(io.StringIO(shown.table(seen.dataset).to_csv(index=False)))
    for name, one in zip(names, found, strict=True):
        part = table[table["method"] == name]
        np.testing.assert_allclose(part["value"], as_table(seen.dataset, seen.input, one)["value"], rtol=1e-5)
    assert ("explained" in table) == bool(seen.dataset.classes)
    root = ElementTree.fromstring(shown.picture(seen, saving.Look()))
    assert [node.get("aria-label") for node in root if node.tag.endswith("svg")] == ["A", "B"]
    most = {f"{max(np.abs(side(saving._shown(seen, one, 'signed'), 'signed')).max() for one in found):.3g}"}
    if seen.dataset.modality != "vector":  # bars have their numbers beside them
        ends = [[text.text for text in node.iter() if text.tag.endswith("text")][-1] for node in root if len(node)]
        assert set(ends) == most, "they are on one scale"


def test_the_picture_has_the_opacity_of_the_page_and_every_channel_of_a_layer(view: Callable[..., views.View]) -> None:
    seen = view("cnn")
    found = explained(*seen.place, Asked("saliency", target=3))
    pixels = _pixels(saving.picture(seen, seen.input, found, "t", saving.Look(opacity=0.0)))
    np.testing.assert_allclose(pixels[..., 0] / 255, seen.input[0, 0], atol=0.01)

    layer = explained(*seen.place, Asked("layer_gradient_x_activation", (("layer", "conv1"),), target=3))
    drawn = saving.picture(seen, seen.input, layer, "t", saving.Look())
    labels = [node.text for node in ElementTree.fromstring(drawn).iter() if node.tag.endswith("text")]
    count, high, wide = layer.values.shape
    assert labels[1 : 1 + count] == [str(number) for number in range(count)]
    canvas, (top, left) = _pixels(drawn), grid(layer.values, 8, *gaps(high, wide))[1][9]
    tile = shades(layer.values[9], float(np.abs(layer.values).max()), bool(layer.values.min() >= 0))
    np.testing.assert_array_equal(canvas[top : top + high, left : left + wide], tile)


def _pixels(drawn: str) -> np.ndarray:
    url = re.search(r'href="data:image/png;base64,([^"]+)"', drawn)
    return np.array(Image.open(io.BytesIO(base64.b64decode(url[1]))))


@pytest.mark.parametrize("family", [*FAMILIES, "regression"])
def test_the_report_holds_the_answer_the_methods_a_control_and_how_it_was_made_and_loads_nothing(
    view: Callable[..., views.View], store: RunStore, family: str
) -> None:
    seen = view(family)
    text = "right" if family.startswith("seq2seq") else ""
    asked = [Asked("integrated_gradients", target=0, text=text), Asked("lrp", target=0, text=text)]
    html = saving.as_html(seen, asked, "a <script> reason")
    assert "<script" not in html
    assert "a &lt;script&gt; reason" in html
    for word in ("Integrated gradients", "Random", "Completeness error", seen.dataset.licence, ex.__version__, "torch"):
        assert word in html
    assert f'"{seen.run.spec.model.layers[0].kind}"' in html.replace("&quot;", '"')
    links = re.findall(r'(?:src|href)="([^"]*)"', html) + re.findall(r"url\(([^)]*)\)", html)
    assert all(link.startswith("data:") for link in links)
    assert "default-src 'none'" in html
    assert ('alt="The input"' in html) == (seen.dataset.modality in ("image", "series"))
    assert all(html_escape(name) in html for name in seen.dataset.features)
    assert len(html) < 5e6
    if seen.dataset.classes:
        answer = ex.predict(model_of(store, seen.run), seen.input)
        assert f"{answer.probabilities.max():.4f}" in html


def test_the_report_says_what_was_checked_of_each_method_and_first_that_the_model_is_poor_or_wrong(
    view: Callable[..., views.View], runs: dict[str, Run], store: RunStore, checked: Wanted
) -> None:
    asked = [Asked(name) for name in ("saliency", "guided_backprop", "occlusion")]
    html = saving.as_html(view("cnn"), asked, "3")
    found = marks(store, checked)
    for cell in checked.cells:  # the random control stands in every report
        check, mark = ex.CHECKS[cell.check], found[cell]
        controls = ", ".join(f"{name} {value:.3f}" for name, value in mark.controls.items()) or "none"
        row = (f"{mark.score:.3f}", check.better, controls, check.paper)
        assert "".join(f"<td>{html_escape(word)}</td>" for word in row) in html
        assert html_escape(mark.verdict) in html
    assert f"<h3>Occlusion</h3><p>Not worked out yet for the weights of step {checked.step}.</p>" in html
    assert f"Checked at step {checked.step} over 3 test examples" in html
    assert "no better than a guess" not in html

    data, model = ex.load_dataset("digits"), ex.model_at(store, runs["cnn"].id, 0).eval()
    wrong = int((model(data.test.inputs).argmax(1) != data.test.targets).nonzero()[0])
    poor = saving.as_html(view("cnn", step=0, example=wrong), asked[:1], "3")
    assert poor.index("no better than a guess") < poor.index("The answer is wrong") < poor.index("Weights of step")


@pytest.mark.parametrize("family", [*FAMILIES, "regression"])
def test_the_picture_is_svg_that_another_program_can_read(view: Callable[..., views.View], family: str) -> None:
    seen = view(family)
    text = "right" if family.startswith("seq2seq") else ""
    found = explained(*seen.place, Asked("input_x_gradient", target=0, text=text))
    root = ElementTree.fromstring(saving.picture(seen, seen.input, found, "Why & <what>?", saving.Look()))
    assert root.tag.endswith("svg")
    assert root.get("aria-label") == "Why & <what>?"


def test_baselines_are_what_they_say() -> None:
    data = ex.load_dataset("digits")
    x = data.test.inputs[:1]
    assert baseline(data, x, "zero") is None
    torch.testing.assert_close(baseline(data, x, "mean")[0], data.train.inputs.mean(0))
    torch.testing.assert_close(baseline(data, x, "example", 3), data.train.inputs[3:4])
    flat = torch.full_like(x, 0.5)
    torch.testing.assert_close(baseline(data, flat, "blurred"), flat)
    assert baseline(data, x, "blurred").std() < x.std()
    with pytest.raises(ex.ExplorerError, match="Choose one from 0"):
        baseline(data, x, "example", 10**6)
    with pytest.raises(ex.ExplorerError, match="Choose one of: zero"):
        baseline(ex.load_dataset("wine"), torch.zeros(1, 13), "blurred")


def test_words_of_a_split_are_counted_with_the_mean_of_their_values() -> None:
    table = by_word([["good", "food"], ["good"]], [np.array([1.0, -2.0, 9.0]), np.array([-3.0, 9.0])])
    assert table.to_dict("records") == [
        {"word": "good", "count": 2, "strength": 2.0, "mean": -1.0},
        {"word": "food", "count": 1, "strength": 2.0, "mean": -2.0},
    ]


def test_characters_are_joined_into_words_with_the_sum_of_their_values() -> None:
    said, sums = joined(list("2 feb"), np.array([1.0, 5.0, 1.0, 2.0, -4.0]))
    assert said == ["2", "feb"]
    assert sums.tolist() == [1.0, -1.0]
