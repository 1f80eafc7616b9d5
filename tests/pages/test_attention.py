"""Looks at attention: every family that has some, what links choose, clicks, and why others have none."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from explorer.data import load_dataset
from explorer.models import preset
from explorer.probes import attention_maps
from explorer.runs.execute import execute, submit
from explorer.runs.replay import model_at
from explorer.runs.store import Run, RunStore
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from explorer.views import options, state
from explorer.views.looks import heads
from tests.pages.conftest import array, healthy, open_page, texts

pytestmark = pytest.mark.usefixtures("idle")
ATTENTION = ("heads", "scores", "summary", "rollout")
BLOCK = {"kind": "transformer", "heads": 2, "units": 16}
PARTS = (
    {"kind": "patches", "patch": 4, "size": 8},
    {"kind": "cls"},
    {"kind": "positions", "code": "learned"},
    BLOCK,
    {"kind": "first"},
    {"kind": "output"},
)


@pytest.fixture(scope="module")
def fit(store: RunStore) -> Callable[[str, ModelSpec], Run]:
    def fit(dataset: str, model: ModelSpec) -> Run:
        spec = RunSpec(dataset=dataset, model=model, train=TrainSpec(epochs=1), examples=64)
        with store.owners.hold() as owner:
            return execute(store, submit(store, spec, owner=owner), owner)

    return fit


@pytest.fixture(scope="module")
def vit(fit: Callable[[str, ModelSpec], Run]) -> Run:
    """A Vision Transformer with a class token, over four patches of digits."""
    return fit("digits", ModelSpec.of(*PARTS))


@pytest.fixture(scope="module")
def translators(fit: Callable[[str, ModelSpec], Run]) -> list[Run]:
    phrases = load_dataset("phrases")
    return [fit("phrases", preset(family, phrases, width=16)) for family in ("seq2seq_rnn", "seq2seq_transformer")]


def figures(app) -> list[dict]:  # noqa: ANN001
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.mark.parametrize("form", ["map", "lines", "place"])
def test_a_vision_transformer_is_seen_as_maps_lines_and_over_the_image(vit: Run, form: str) -> None:
    app = healthy(open_page("look_inside", run=vit.id, look="heads", head="2", form=form))
    small, large = figures(app)
    assert small["layout"]["title"]["text"] == "2 heads of 1 layer, one scale"
    assert "transformer1 · head 2" in large["layout"]["title"]["text"]
    assert ("from class token" in large["layout"]["title"]["text"]) == (form != "map")
    assert "attention is not by itself an explanation" in texts(app)
    assert [link.proto.label for link in app.get("page_link")][-1] == "Attributions of the same example"


def test_the_enlarged_map_holds_the_weights_of_the_model_at_that_step(vit: Run, store: RunStore) -> None:
    step = store.snapshots.steps(vit.id)[0]
    app = healthy(open_page("look_inside", run=vit.id, look="heads", head="1", step=str(step), example="3"))
    shown = array(figures(app)[1]["data"][0]["z"])
    (seen,) = attention_maps(model_at(store, vit.id, step), load_dataset("digits").test.inputs[3:4])
    np.testing.assert_allclose(shown, seen.weights[0], atol=1e-6)


def test_a_click_on_a_small_map_chooses_its_head_and_a_click_on_a_place_where_it_looks_from(
    vit: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, str] = {}
    monkeypatch.setattr(state, "set_option", kept.__setitem__)
    heads._to_head(["transformer1", "transformer2"], options.Options("2"), [{"customdata": [1, 2]}])
    assert kept == {"attention2": "transformer2", "head2": "3"}
    kept.clear()
    chosen = heads.Chosen("transformer1", 1, "lines", 4)
    heads._to_place(chosen, options.Options(), [{"customdata": [2]}])
    assert kept == {"place": "2"}
    heads._to_place(chosen, options.Options(), [{"customdata": [4]}])  # the same again: all of them
    assert kept == {"place": "-1"}


def test_small_maps_stay_as_they_are_after_a_click_and_are_drawn_anew_after_another_choice(vit: Run) -> None:
    def grid() -> tuple[str, str]:
        chart = next(chart.proto for chart in app.get("plotly_chart") if "heads-grid" in chart.proto.id)
        return chart.id, chart.spec

    app = open_page("look_inside", run=vit.id, look="heads", head="1")
    before = grid()
    outlined = json.loads(before[1])["data"][1]["marker"]["opacity"]
    assert outlined == [1, 0]
    shown = app.session_state["heads-grid-shown"]
    app.session_state["heads-grid-shown"] = shown._replace(number=(0, 1))  # as a click on the second map leaves it
    head = next(box for box in app.selectbox if box.label == "Head")
    head.set_value(2).run()
    assert grid() == before
    assert figures(healthy(app))[1]["layout"]["title"]["text"] == "transformer1 · head 2"

    next(box for box in app.selectbox if box.label == "Head").set_value(1).run()

    assert grid()[0] != before[0]  # what the browser outlined is forgotten
    assert json.loads(grid()[1])["data"][1]["marker"]["opacity"] == [1, 0]


def test_several_steps_share_one_scale(vit: Run) -> None:
    app = healthy(open_page("look_inside", run=vit.id, look="heads", steps="True"))
    ends = [figure["data"][0]["zmax"] for figure in figures(app)]
    assert len(ends) > 1
    assert len(set(ends)) == 1


@pytest.mark.parametrize("part", ["scores", "values"])
def test_every_step_has_its_numbers_and_they_give_what_the_layer_puts_out(vit: Run, part: str) -> None:
    app = healthy(open_page("look_inside", run=vit.id, look="scores", part=part))
    (numbers,) = (table.value for table in app.dataframe)
    error = float(texts(app).split("difference is ")[1].split(".\n")[0].rstrip("."))
    assert error < 1e-5
    if part == "scores":
        assert list(numbers.columns) == ["place", "q·k", "÷ √d", "masked", "softmax"]
        np.testing.assert_allclose(numbers["÷ √d"], numbers["q·k"] / 2, atol=1e-3)  # 8 values in 2 heads: d = 4
        assert numbers["softmax"].sum() == pytest.approx(1, abs=1e-3)
    else:
        mixed = numbers["weight"][:-1].to_numpy() @ numbers[["v0", "v1", "v2", "v3"]][:-1].to_numpy()
        np.testing.assert_allclose(mixed, numbers[["v0", "v1", "v2", "v3"]].iloc[-1], atol=1e-3)


@pytest.mark.parametrize("dataset", ["evidence_words", "mnist1d"])
def test_additive_attention_is_seen_over_words_and_steps(fit: Callable[[str, ModelSpec], Run], dataset: str) -> None:
    run = fit(dataset, preset("attention", load_dataset(dataset), score="additive", width=8))
    for look in ATTENTION:
        app = healthy(open_page("look_inside", run=run.id, look=look))
        assert len(figures(app)) == (2 if dataset == "mnist1d" else 1)  # the series itself is one
    bars = next(trace for figure in figures(app) for trace in figure["data"] if trace["type"] == "bar")
    values = array(bars["x"] if dataset == "evidence_words" else bars["y"])
    assert np.sum(values) == pytest.approx(1, abs=1e-5)


def test_padding_of_texts_is_not_drawn(fit: Callable[[str, ModelSpec], Run]) -> None:
    words = load_dataset("evidence_words")
    run = fit("evidence_words", preset("transformer", words, width=8, heads=1))
    length = int((words.test.inputs[5] != 0).sum())
    app = healthy(open_page("look_inside", run=run.id, look="heads", example="5"))
    assert array(figures(app)[-1]["data"][0]["z"]).shape == (length, length)
    app = healthy(open_page("look_inside", run=run.id, look="rollout", example="5"))
    assert len(figures(app)[-1]["layout"]["yaxis"]["ticktext"]) == length


def test_attention_times_gradient_is_of_the_class_in_the_sidebar(vit: Run) -> None:
    titles = [
        figures(healthy(open_page("look_inside", run=vit.id, look="rollout", by="gradient", target=target)))[-1]
        for target in ("3", "7")
    ]
    assert [figure["layout"]["title"]["text"] for figure in titles] == [
        "Attention × gradient, for 3",
        "Attention × gradient, for 7",
    ]
    assert titles[0]["data"][1]["marker"] != titles[1]["data"][1]["marker"]


@pytest.mark.parametrize("writing", ["right", "free"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_translation_is_aligned_token_by_token_as_it_is_right_and_as_it_is_written(
    translators: list[Run], which: int, writing: str
) -> None:
    run, phrases = translators[which], load_dataset("phrases")
    app = healthy(open_page("look_inside", run=run.id, look="alignment", writing=writing))
    (figure,) = figures(app)
    z = array(figure["data"][0]["z"])
    (table,) = (table.value for table in app.dataframe)
    assert len(table) == len(z)
    assert z.shape[1] == int((phrases.test.inputs[0] != 0).sum())
    np.testing.assert_allclose(z.sum(1), 1, atol=1e-5)
    if writing == "right":
        right = [t for t in phrases.test.targets[0].tolist() if t][1:]
        assert len(z) == len(right)
    if len(z) > 1:
        app = healthy(open_page("look_inside", run=run.id, look="alignment", writing=writing, token="1"))
        z = array(figures(app)[0]["data"][0]["z"])
        assert not np.isnan(z[0]).any()
        assert np.isnan(z[1:]).all()


def test_heads_of_a_translator_are_seen_in_encoder_and_decoder(translators: list[Run]) -> None:
    names = ["encoder.transformer1", "decoder.decoderblock1.self_attention", "decoder.decoderblock1.cross_attention"]
    for name in names:
        for look in ("heads", "scores"):
            healthy(open_page("look_inside", run=translators[1].id, look=look, attention=name, head="1"))
    app = healthy(open_page("look_inside", run=translators[1].id, look="summary"))
    notes = [note["text"] for note in figures(app)[0]["layout"]["annotations"]]
    assert notes[:1] + notes[-1:] == ["encoder.transformer1", "decoderblock2 → source"]
    assert "**Attention to the input**: it writes many tokens" in texts(app)


def test_positions_are_seen_as_a_code_and_by_their_similarity(vit: Run, translators: list[Run]) -> None:
    app = healthy(open_page("look_inside", run=vit.id, look="positions", code="similarity"))
    (figure,) = figures(app)
    z = array(figure["data"][0]["z"])
    np.testing.assert_allclose(np.diag(z), 1, atol=1e-6)
    assert figure["layout"]["yaxis"]["ticktext"] == ["class", "0,0", "0,1", "1,0", "1,1"]
    assert "Learned codes begin as noise" in texts(app)
    app = healthy(open_page("look_inside", run=translators[1].id, look="positions", layer="decoder.positions1"))
    assert "Sinusoidal codes are fixed waves" in texts(app)


def test_a_model_without_attention_says_so(fit: Callable[[str, ModelSpec], Run]) -> None:
    run = fit("iris", preset("mlp", load_dataset("iris")))
    said = texts(healthy(open_page("look_inside", run=run.id)))
    for title in ("Attention", "Attention step by step", "Attention summary", "Attention to the input"):
        assert f"**{title}**: it has no attention." in said
    assert "**Alignment**: it writes no translation." in said
    assert "**Positions**: it has no layer of positions." in said
