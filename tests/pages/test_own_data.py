"""Data people brought, on the pages: chosen, trained on, looked into, removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import own
from explorer.data.own import Reading
from explorer.runs.store import Run, RunStore
from tests.data.test_own import people, pictures, table, zipped
from tests.pages.conftest import healthy, open_page, texts

pytestmark = pytest.mark.usefixtures("idle")


def reviews() -> bytes:
    rows = [[f"I {word} number {n}!", label] for n in range(40) for word, label in (("love", "good"), ("hate", "bad"))]
    return table([["text", "mood"], *rows])


READINGS: dict[str, Callable[[], Reading]] = {
    "mlp": lambda: own.read_table(own.read_csv(people(200)), "buys"),
    "cnn": lambda: own.read_images(zipped(pictures()), 16),
    "attention": lambda: own.read_texts(own.read_csv(reviews()), "text", "mood"),
}


def choose(app: AppTest, name: str) -> AppTest:
    return next(control for control in app.selectbox if control.label == "Data set").select(name).run()


@pytest.mark.parametrize("family", READINGS)
def test_a_set_of_ones_own_is_chosen_trained_on_and_looked_into(
    store: RunStore, train: Callable[..., Run], family: str
) -> None:
    name = own.keep(READINGS[family](), f"Mine for {family}", store.home)
    build = healthy(choose(open_page("build"), name))
    assert "examples from a file of your own" in texts(build)
    build.session_state["data-examples"] = True
    healthy(build.run())
    assert "Remove this data set" in [button.label for button in build.button]
    run = train(family, name, epochs=1)
    assert run.title.endswith(f"on Mine for {family} #{run.title.split('#')[-1]}")
    for page in ("train", "look_inside", "attributions"):
        healthy(open_page(page, run=run.id))


def test_what_is_removed_is_missed_in_words_and_nothing_else_breaks(store: RunStore, train: Callable[..., Run]) -> None:
    name = own.keep(own.read_images(zipped(pictures()), 28), "Soon gone", store.home)
    run = train("cnn", name, epochs=1)
    app = healthy(choose(open_page("build"), name))
    own.forget(name)
    healthy(app.run())
    assert "is not here any more" in texts(app)
    healthy(open_page("runs"))
    for page in ("train", "look_inside", "attributions"):
        opened = open_page(page, run=run.id)
        assert not opened.exception
        assert f"The uploaded data set {name} is not here" in " ".join(error.value for error in opened.error).replace(
            "\\", ""
        )
        assert "Run" in [control.label for control in opened.selectbox], "another run can still be chosen"
