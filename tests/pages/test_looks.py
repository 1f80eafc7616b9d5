"""The page *Look inside*: every look at every family, two beside each other, several steps, and what links may say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from explorer.data import END, load_dataset
from explorer.data.made import images, series
from explorer.data.made import texts as texts_made
from explorer.models import translate
from explorer.probes import feature_maps
from explorer.probes.capture import capture
from explorer.probes.places import visible
from explorer.runs.replay import model_at
from explorer.runs.store import Run, RunStore
from explorer.views.looks import LOOKS
from tests.pages.conftest import drawn, healthy, open_page, read, texts

pytestmark = pytest.mark.usefixtures("idle")
FAMILIES = {
    "mlp": "digits",
    "cnn": "digits",
    "rnn": "mnist1d",
    "attention": "evidence_words",
    "transformer": "digits",
    "seq2seq_rnn": "phrases",
    "seq2seq_transformer": "phrases",
}


@pytest.fixture(scope="module")
def runs(store: RunStore, train: Callable[..., Run]) -> dict[str, Run]:
    return {family: train(family, dataset, epochs=1, examples=320) for family, dataset in FAMILIES.items()}


def offered(app) -> list[str]:  # noqa: ANN001
    """Titles of the looks that fit the model."""
    return app.segmented_control(key="option-look-0").options


def listed(app) -> list[int]:  # noqa: ANN001
    """Numbers of the examples that are listed."""
    return [int(one.key.rsplit("-", 1)[1]) for one in app.button if str(one.key).startswith("tile-")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_look_draws_every_family_or_says_why_it_does_not_fit(runs: dict[str, Run], family: str) -> None:
    app = healthy(open_page("look_inside", run=runs[family].id))
    fitting = offered(app)
    for look in LOOKS.values():
        if look.title in fitting:
            healthy(open_page("look_inside", run=runs[family].id, look=look.name))
        else:
            assert f"**{look.title}**: " in texts(app)


def test_two_looks_stand_side_by_side_and_the_link_keeps_them_apart(runs: dict[str, Run]) -> None:
    place = {"run": runs["cnn"].id, "look": "layers", "layer": "conv2", "beside": "layers", "layer2": "relu1"}
    app = healthy(open_page("look_inside", **place))
    assert app.segmented_control(key="option-layer-0").value == "conv2"
    assert app.segmented_control(key="option-layer2-0").value == "relu1"
    app.segmented_control(key="option-layer2-0").set_value("conv1").run()
    assert app.query_params["layer"] == "conv2"
    assert "layer2" not in app.query_params  # the default needs no saying


@pytest.mark.parametrize("look", ["space", "ablation"])
def test_a_look_stands_beside_itself(runs: dict[str, Run], look: str) -> None:
    app = healthy(open_page("look_inside", run=runs["cnn"].id, look=look, layer="relu1", beside=look, layer2="relu1"))
    assert texts(app).count(f"**{LOOKS[look].title}**") == 2


def test_another_example_is_picked_over_a_list_that_has_it_too(runs: dict[str, Run]) -> None:
    place = {"run": runs["cnn"].id, "look": "space"}
    nearest = listed(healthy(open_page("look_inside", **place, example="0")))[0]
    app = healthy(open_page("look_inside", **place, example=str(nearest)))
    assert 0 in listed(app)
    healthy(app.button(key="pick-example").click().run())
    assert listed(app).count(0) == 2  # the dialog lists it first


def test_the_space_of_a_layer_at_several_steps_has_a_map_for_each(runs: dict[str, Run], store: RunStore) -> None:
    app = healthy(open_page("look_inside", run=runs["cnn"].id, look="space", steps="True", beside="layers"))
    maps = [chart.proto.id for chart in app.get("plotly_chart") if "-space-at-" in chart.proto.id]
    assert len(maps) == len(store.snapshots.steps(runs["cnn"].id)[:4])


def test_a_look_at_several_steps_draws_each_of_them_with_its_own_weights(runs: dict[str, Run], store: RunStore) -> None:
    steps = store.snapshots.steps(runs["cnn"].id)
    app = healthy(open_page("look_inside", run=runs["cnn"].id, steps="True"))
    specs = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert f"**Step {steps[0]}** (before training)" in texts(app)
    assert f"**Step {steps[-1]}**" in texts(app)
    assert len(set(specs)) == len(specs) == 4


def test_as_many_steps_are_shown_as_one_likes_and_the_link_says_how_many(runs: dict[str, Run], store: RunStore) -> None:
    app = healthy(open_page("look_inside", run=runs["cnn"].id, steps="True"))
    number = next(box for box in app.selectbox if box.label == "Steps")
    assert number.value == 4
    number.set_value(6).run()
    assert len(healthy(app).get("plotly_chart")) == 6
    assert app.query_params["many"] == "6"
    app = healthy(open_page("look_inside", run=runs["cnn"].id, steps="True", many="2"))
    first, last = (store.snapshots.steps(runs["cnn"].id)[n] for n in (0, -1))
    said = re.findall(r"\*\*Step (\d+)\*\*", texts(app))
    assert said == [str(first), str(last)]


@pytest.mark.parametrize("look", ["excites", "spread"])
def test_a_look_at_one_step_says_so_where_several_are_asked_for(runs: dict[str, Run], look: str) -> None:
    app = healthy(open_page("look_inside", run=runs["cnn"].id, look=look, steps="True"))
    assert [one.value for one in app.info] == [LOOKS[look].steady]


@pytest.mark.parametrize("look", ["heads", "summary", "rollout", "scores"])
def test_attention_leads_on_to_attributions_at_one_step_and_at_several(runs: dict[str, Run], look: str) -> None:
    for steps in ("False", "True"):
        app = healthy(open_page("look_inside", run=runs["transformer"].id, look=look, steps=steps))
        assert [link.proto.label for link in app.get("page_link")][-1] == "Attributions of the same example"


@pytest.mark.parametrize(("look", "more"), [("layers", {}), ("filters", {}), ("filters", {"change": "True"})])
def test_several_steps_of_maps_and_of_weights_share_one_scale(runs: dict[str, Run], look: str, more: dict) -> None:
    run = runs["cnn"].id
    single = drawn(healthy(open_page("look_inside", run=run, look=look, layer="conv1", **more)), look)["zmax"]
    app = healthy(open_page("look_inside", run=run, look=look, layer="conv1", steps="True", **more))
    ends = [json.loads(chart.proto.spec)["data"][0]["zmax"] for chart in app.get("plotly_chart")]
    assert len(ends) > 1
    assert len(set(ends)) == 1
    assert ends[0] >= single > 0  # the last step's own scale is within


def test_a_layer_that_another_model_has_is_named_in_one_line_and_the_page_goes_on(runs: dict[str, Run]) -> None:
    app = healthy(open_page("look_inside", run=runs["mlp"].id, layer="conv2", look="nothing_like_it"))
    said = [warning.value for warning in app.warning]
    assert len(said) == 2
    assert "conv2" in said[1]
    assert app.get("plotly_chart")
    app.segmented_control(key="option-layer-0").set_value("linear2").run()
    assert not [warning for warning in app.warning if "conv2" in warning.value]


def looking(app, name: str):  # noqa: ANN001, ANN201
    """The page with another look."""
    return healthy(app.segmented_control(key="option-look-0").set_value(name).run())


def complaints(app) -> list[str]:  # noqa: ANN001
    """What is said of a link that asks for what is not here."""
    return [one.value for one in app.warning if one.icon == ":material/link_off:"]


def test_looks_and_pages_that_use_one_name_keep_their_choices_apart(runs: dict[str, Run]) -> None:
    app = healthy(open_page("look_inside", run=runs["cnn"].id, look="excites", of="conv1", unit="3"))
    app = looking(app, "spread")  # whose weights and activations are an `of`, too
    assert not complaints(app)
    assert "of" not in app.query_params
    app.segmented_control(key="option-of-0").set_value("activations").run()
    app = looking(app, "excites")
    assert (app.query_params["of"], app.query_params["unit"]) == ("conv1", "3")
    app = healthy(app.switch_page("../pages/attributions.py").run())
    assert not complaints(app)
    assert "of" not in app.query_params


def test_looks_at_one_thing_share_what_is_chosen_of_it(runs: dict[str, Run]) -> None:
    app = healthy(open_page("look_inside", run=runs["rnn"].id, look="states", unit="17", part="update_gate"))
    app = looking(app, "finder")
    assert (app.query_params["unit"], app.query_params["part"]) == ("17", "update_gate")
    app = healthy(open_page("look_inside", run=runs["cnn"].id, look="layers", layer="relu1"))
    app = looking(app, "filters")  # of convolutions only
    assert not complaints(app)
    assert looking(app, "layers").query_params["layer"] == "relu1"
    app = healthy(open_page("attributions", run=runs["cnn"].id, method="occlusion"))
    assert healthy(app.switch_page("../pages/trust.py").run()).query_params["method"] == "occlusion"


def test_what_a_link_brings_for_a_look_that_is_not_here_is_taken_by_no_other_page(runs: dict[str, Run]) -> None:
    app = open_page("look_inside", run=runs["mlp"].id, look="states", part="update_gate")
    assert len(complaints(app)) == 1
    app = healthy(app.switch_page("../pages/attributions.py").run())
    assert not complaints(app)
    app.switch_page("../pages/look_inside.py").run()
    next(box for box in app.selectbox if box.label == "Run").set_value(runs["rnn"].id).run()
    assert {"look": "states", "part": "update_gate"}.items() <= dict(healthy(app).query_params).items()
    assert not complaints(app)


def test_texts_have_the_examples_that_excite_a_unit_with_the_strongest_token_marked(
    runs: dict[str, Run], store: RunStore
) -> None:
    run, pairs = runs["seq2seq_rnn"], load_dataset("phrases")
    model = model_at(store, run.id, run.total_steps)
    layer, best, written = "decoder.grudecoder1", [], pairs.test.targets[:, :-1]
    with capture(model, [layer]) as seen, torch.no_grad():
        model(pairs.test.inputs, written)
    for row, tokens in enumerate(written):
        values = seen[layer][row, : int((tokens != 0).sum()), 3]  # padding stands at the end
        best.append((values.max().item(), -row, values.argmax().item()))
    strongest = sorted(best, reverse=True)[:6]

    app = healthy(open_page("look_inside", run=run.id, look="excites", of=layer, unit="3"))

    rows = [one for one in app.button if str(one.key).startswith("row-")]
    assert [read(one.label) for one in rows] == [f"{-row}: {value:.3g}" for value, row, _ in strongest]
    _, row, place = strongest[0]
    token = visible(pairs.target_vocabulary[int(pairs.test.targets[-row, place])])
    text = pairs.text(pairs.test.inputs[-row])
    assert any(
        read(one.value).startswith(f"{text} → ") and f":blue-background[{token}]" in read(one.value)
        for one in app.markdown
    )


@pytest.mark.parametrize(
    ("family", "layer", "outlined"),
    [("transformer", "transformer1", True), ("rnn", "gru1", False), ("attention", "", False)],
)
def test_units_of_sequences_and_of_states_are_excited_as_well(
    runs: dict[str, Run], family: str, layer: str, outlined: bool
) -> None:
    place = {"of": layer, "unit": "3"} if layer else {}
    app = healthy(open_page("look_inside", run=runs[family].id, look="excites", **place))
    assert not app.warning
    said = "The strongest of the test split" if layer else "The strongest for class"
    assert any(said in chart.proto.spec for chart in app.get("plotly_chart"))
    assert ("Outlined is the place where it is strongest" in texts(app)) == outlined


MADE = {
    "cnn": lambda dataset: images.code_of(dataset, np.eye(8, dtype=np.float32)[None]),
    "rnn": lambda dataset: series.code_of(dataset, series.Recipe(row=int(dataset.test.rows[0]), shift=5)),
    "attention": lambda dataset: texts_made.code_of(dataset, "the snow and zyx piano"),
    "seq2seq_rnn": lambda dataset: texts_made.code_of(dataset, "open zyx file"),
    "seq2seq_transformer": lambda dataset: texts_made.code_of(dataset, "open"),
}


@pytest.mark.parametrize("family", MADE)
def test_every_look_draws_an_example_that_somebody_made(runs: dict[str, Run], family: str) -> None:
    place = {"run": runs[family].id, "made": MADE[family](load_dataset(FAMILIES[family]))}
    fitting = offered(healthy(open_page("look_inside", **place)))
    for look in LOOKS.values():
        if look.title in fitting:
            app = healthy(open_page("look_inside", **place, look=look.name))
            assert "made by you" in texts(app)
            assert not app.warning


@pytest.mark.parametrize(
    "more", [{"look": "heads", "form": "place"}, {"look": "heads", "form": "lines"}, {"look": "scores"}]
)
def test_a_place_that_is_not_written_at_another_step_is_the_last_one_there(
    runs: dict[str, Run], store: RunStore, more: dict[str, str]
) -> None:
    run, phrases = runs["seq2seq_rnn"], load_dataset("phrases")
    made, steps = MADE["seq2seq_rnn"](phrases), store.snapshots.steps(run.id)
    x, longest = texts_made.read(phrases, "open zyx file").tokens, phrases.target_shape.size[0]
    first, last = (translate(model_at(store, run.id, steps[n]).eval(), x, longest)[0].tolist() for n in (0, -1))
    assert last == [END]
    assert len(first) == longest  # before training it does not stop

    app = open_page("look_inside", run=run.id, made=made, step="0", steps="True", place="20", **more)

    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in healthy(app).get("plotly_chart")]
    assert f"from {phrases.target_vocabulary[first[19]]}" in titles[0]  # behind the start token
    assert len(titles) > 1


def test_the_same_look_of_the_original_stands_beside_that_of_its_copy(runs: dict[str, Run], store: RunStore) -> None:
    run, x = runs["cnn"], load_dataset("digits").test.inputs[5:6]
    made = images.code_of(load_dataset("digits"), 1 - x[0].numpy())
    place = {"run": run.id, "example": "5", "made": made, "look": "layers", "beside": "layers", "other": "True"}

    app = healthy(open_page("look_inside", **place))

    assert app.query_params["other"] == "True"
    assert "**Feature maps** of the copy" in texts(app)
    assert "**Feature maps** of the original" in texts(app)
    model = model_at(store, run.id, run.step)
    for key, shown in (("layers", 1 - x), ("layers2", x)):
        maps = drawn(app, key)["z"]
        expected = feature_maps(model, shown, "conv1").values
        np.testing.assert_allclose(sorted(maps[~np.isnan(maps)]), sorted(expected.ravel()), atol=0.02)
    assert "Change: warm brighter, cool darker, at most 1" in [said for one in app.image for said in one.captions]


def test_a_copy_that_was_not_changed_lies_where_its_original_lies(runs: dict[str, Run]) -> None:
    digits = load_dataset("digits")
    made = images.code_of(digits, digits.test.inputs[5].numpy())
    app = healthy(open_page("look_inside", run=runs["cnn"].id, example="5", made=made, look="space"))
    nearest = next(one for one in app.button if str(one.key).startswith("tile-"))
    assert listed(app)[0] == 5
    distance = float(read(nearest.label).rsplit("· ", 1)[1])
    assert distance < 1e-6  # cosine distance in float32
    assert "Nearest to your copy of example 5" in texts(app)
