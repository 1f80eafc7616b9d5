"""What would change an answer, on its page: of every family, kept as a made example, and held by the link."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from explorer.data import load_dataset
from explorer.data.made import example_of
from explorer.runs.store import Run
from explorer.views import results, server
from tests.pages.conftest import drawn, healthy, open_page, texts

pytestmark = pytest.mark.usefixtures("idle")
FAMILIES = {"mlp": "breast_cancer", "cnn": "digits", "rnn": "mnist1d", "attention": "evidence_words"}


@pytest.fixture(scope="module")
def runs(train: Callable[..., Run]) -> dict[str, Run]:
    return {family: train(family, dataset, epochs=2) for family, dataset in FAMILIES.items()}


def keep_button(app) -> list:  # noqa: ANN001
    return [button for button in app.button if button.key and button.key.startswith("keep-")]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_shows_what_would_change_its_answer(runs: dict[str, Run], family: str) -> None:
    app = healthy(open_page("attributions", part="flips", run=runs[family].id))

    assert "makes it answer" in texts(app) or app.warning
    assert "It tells where this model changes its mind" in texts(app)


@pytest.mark.parametrize("family", ["mlp", "cnn", "rnn"])
def test_attacks_are_drawn_at_the_strength_that_was_chosen(runs: dict[str, Run], family: str) -> None:
    link = {"run": runs[family].id, "flip": "attack", "attack": "pgd", "strength": "0.2"}
    app = healthy(open_page("attributions", part="flips", **link))
    at = app.select_slider(key="option-strength-0")

    assert at.value == 0.2
    assert app.query_params["attack"] == "pgd"
    assert "how fragile the answer is" in texts(app)
    own = np.array(drawn(app, "attack-curve")["y"])
    assert own[0] > own[-1]
    if family == "cnn":
        seen = drawn(app, "attack-image")["z"]
        at.set_value(0.0).run()
        assert "strength" in app.query_params
        assert np.allclose(drawn(app, "attack-image")["z"], seen), "the first picture is the input"


def test_accuracy_under_attack_is_drawn_on_request(runs: dict[str, Run]) -> None:
    app = healthy(open_page("attributions", part="flips", run=runs["cnn"].id, flip="attack"))
    app.selectbox(key="option-attackmany-0").set_value(100).run()
    right = np.array(drawn(healthy(app), "attack-accuracy")["y"])

    assert len(right) == 6
    assert right[0] == pytest.approx(1 - results.answers(runs["cnn"].id, last(runs["cnn"]), "test").wrong[:100].mean())
    assert right[-1] < right[0]


def last(run: Run) -> int:
    return server.store().snapshots.steps(run.id)[-1]


def test_another_class_can_be_asked_for_and_the_link_keeps_it(runs: dict[str, Run]) -> None:
    app = healthy(open_page("attributions", part="flips", run=runs["cnn"].id, fliplead="1"))
    choice = app.selectbox(key="option-flipto-0")
    wanted = next(n for n in range(10) if str(n) in choice.options[2:])
    choice.set_value(wanted).run()

    assert app.query_params["flipto"] == str(wanted)
    assert app.query_params["fliplead"] == "1"
    assert f"makes it answer **{wanted}**" in texts(healthy(app)) or app.warning


@pytest.mark.parametrize("family", FAMILIES)
def test_the_changed_input_becomes_the_made_example_that_all_pages_look_at(runs: dict[str, Run], family: str) -> None:
    app = healthy(
        open_page("attributions", part="flips", run=runs[family].id, fliplead="1" if family == "cnn" else "0")
    )
    (button,) = keep_button(app)
    said = texts(app)
    button.click().run()
    made, dataset = healthy(app).query_params["made"], load_dataset(FAMILIES[family])
    changed, before = (example_of(dataset, "test", example) for example in (made, 0))
    answers = [results.prediction(runs[family].id, last(runs[family]), "test", example) for example in (0, made)]
    names = [dataset.classes[answer.answer] for answer in answers]

    assert (changed != before).any()
    assert names[0] != names[1], "it is still flipped as it is kept"
    assert f"makes it answer **{names[1]}**" in said
    assert f"As it is kept, it answers {names[1]}" in said
    assert "made by you" in texts(healthy(open_page("look_inside", run=runs[family].id, made=made)))
    if family == "rnn":
        assert "Single values of it were changed" in texts(app)


def test_a_value_cannot_flip_and_it_says_so(train: Callable[..., Run]) -> None:
    app = healthy(open_page("attributions", part="flips", run=train("mlp", "diabetes", epochs=1).id))

    assert "The answer is a number" in texts(app)
