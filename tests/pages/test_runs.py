"""The list of runs: one page of it, what is searched for, and what goes on."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.run import Status
from explorer.runs.store import RunStore
from explorer.specs import RunSpec
from explorer.views.run_list import SHOWN
from tests.pages.conftest import healthy, open_page, texts

pytestmark = pytest.mark.usefixtures("idle")
COUNT = 2 * SHOWN + 5


@pytest.fixture(scope="module")
def many(store: RunStore) -> list[str]:
    """Ids of as many runs as fill three pages; every second one failed."""
    spec = RunSpec(dataset="digits", model=preset("mlp", load_dataset("digits")), family="mlp")
    ids = []
    with store.owners.hold() as owner:
        for number in range(COUNT):
            ids.append(store.create(spec, f"Trial {number}", owner=owner).id)
            store.end(ids[-1], Status.FAILED if number % 2 else Status.FINISHED)
    return ids


def listed(app: AppTest) -> list[str]:
    """Ids of the runs on the page, from above to below."""
    return [button.key.removeprefix("open-") for button in app.button if button.key.startswith("open-")]


def test_only_one_page_of_many_runs_is_drawn_the_newest_first(many: list[str]) -> None:
    app = healthy(open_page("runs"))
    assert listed(app) == many[::-1][:SHOWN]


def test_runs_are_searched_for_by_name_and_by_how_they_ended(many: list[str]) -> None:
    app = open_page("runs")
    app.text_input(key="runs-search").set_value("trial 3").run()
    assert listed(healthy(app)) == [many[number] for number in (39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 3)]
    app.segmented_control(key="runs-kind").set_value("Went wrong").run()
    assert listed(healthy(app)) == [many[number] for number in (39, 37, 35, 33, 31, 3)]
    app.text_input(key="runs-search").set_value("[nothing]").run()
    assert not listed(healthy(app))
    assert "No run is like that" in texts(app)


def test_an_old_run_is_in_the_sidebar_when_it_is_looked_at(many: list[str]) -> None:
    app = healthy(open_page("runs", run=many[0]))
    box = next(box for box in app.selectbox if box.label == "Run")
    assert box.value == many[0]
    assert len(box.options) == min(COUNT, 50)


def test_a_run_that_goes_on_is_followed_in_the_list(many: list[str], store: RunStore) -> None:
    with store.owners.hold() as owner:
        run = store.create(store.get(many[0]).spec, "goes on", owner=owner, total_steps=100)
        store.report(run.id, owner, step=40)
        app = healthy(open_page("runs"))
        assert listed(app)[0] == run.id
        assert "step 40 of 100" in texts(app)
        store.end(run.id, Status.FINISHED)
        app.run()
        assert "finished" in texts(healthy(app))
    store.delete(run.id)
