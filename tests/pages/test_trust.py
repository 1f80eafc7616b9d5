"""The page *Trust*: the table, its cells, working it out, and what is said first."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from explorer.attribution import METHODS
from explorer.attribution.saliency import Saliency
from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore, Status
from explorer.runs.twins import make_twin, twin_of
from explorer.specs import RunSpec, TrainSpec
from explorer.trust import CHECKS as ALL
from explorer.trust import apart, table
from explorer.trust.table import Wanted, marks, usual_methods, work_out
from explorer.views import jobs, trust_words
from tests.pages.conftest import drawn, healthy, open_page, texts

pytestmark = pytest.mark.usefixtures("idle")
CHECKS = ("completeness", "randomisation", "infidelity", "faithfulness", "deletion", "insertion", "sensitivity")
CHECKS += ("agreement", "attention", "independent_randomisation")


@pytest.fixture(scope="module")
def run(store: RunStore, train: Callable[..., Run]) -> Run:
    return train("cnn", epochs=2)


@pytest.fixture(scope="module")
def known(store: RunStore, run: Run) -> Wanted:
    """A whole table of two examples."""
    wanted = Wanted(run=run.id, step=run.step, examples=2, methods=usual_methods(), checks=CHECKS)
    list(work_out(store, wanted))
    return wanted


@pytest.fixture
def quick(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tables of five methods, worked out in a thread of this process, which takes no seconds to start."""

    def work(home: Path, wanted: Wanted) -> Generator[float, None, None]:
        for done, total in work_out(store, wanted):
            yield done / total

    monkeypatch.setattr(apart, "work_out_apart", work)
    monkeypatch.setattr(table, "EIGHT", ("saliency", "occlusion"))
    yield
    everybody = jobs.jobs()
    for key in list(everybody._jobs):
        for who in list(everybody._jobs[key].waiting):
            everybody.leave(who)


def few(store: RunStore, family: str, dataset: str) -> Run:
    """A run that has seen 64 examples and learned next to nothing."""
    spec = RunSpec(
        dataset=dataset,
        model=preset(family, load_dataset(dataset)),
        train=TrainSpec(learning_rate=1e-9, epochs=1),
        examples=64,
        family=family,
    )
    with store.owners.hold() as owner:
        return execute(store, submit(store, spec, owner=owner), owner)


def over(app: AppTest) -> AppTest:
    """Look again and again until nothing goes on, as the browser does."""
    for _ in range(200):
        if not any(button.key == "trust-stop" for button in app.button):
            return healthy(app)
        time.sleep(0.1)
        app.run()
    raise AssertionError("it never ended")


def test_a_known_table_is_there_at_once_and_its_doubts_are_said_in_words(run: Run, known: Wanted) -> None:
    app = healthy(open_page("trust", run=run.id, count="2"))
    assert not any(button.key == "trust-start" for button in app.button)
    said = texts(app)
    assert "**Random weights**: Guided backpropagation" in said
    assert "do not use it to judge this model" in said
    assert "How good the model is: it gets " in said
    assert "Attention does not apply: this model has no attention" in said
    assert "2 test examples" in next(chart.proto.spec for chart in app.get("plotly_chart"))


def test_the_open_cell_shows_verdict_number_controls_reference_and_curve(
    run: Run, known: Wanted, store: RunStore
) -> None:
    app = healthy(open_page("trust", run=run.id, count="2", check="deletion", method="occlusion"))
    mark = marks(store, known)["occlusion", "deletion"]
    said = texts(app)
    assert "**Occlusion: Deletion**" in said
    assert {metric.label: metric.value for metric in app.metric}["Score"] == f"{mark.score:.3f}"
    assert "Control: random" in [metric.label for metric in app.metric]
    assert "Petsiuk et al., 2018" in said
    assert "Lower is better" in said
    (line,) = [
        chart.proto.spec for chart in app.get("plotly_chart") if "share of the places covered" in chart.proto.spec
    ]
    assert "random places" in line


def test_sorting_by_a_check_puts_its_best_first_and_the_link_keeps_it(run: Run, known: Wanted, store: RunStore) -> None:
    app = healthy(open_page("trust", run=run.id, count="2"))
    app.selectbox(key="option-sort-0").set_value("insertion").run()
    assert app.query_params["sort"] == ["insertion"] or app.query_params["sort"] == "insertion"
    keys = [tuple(one) for one in drawn(app, "marks-7")["customdata"]]
    scores = [marks(store, known)[name, "insertion"].score for name, _ in keys]
    assert scores == sorted(scores, reverse=True)


def test_the_table_is_exported_whole(known: Wanted, store: RunStore) -> None:
    found = marks(store, known)
    back = pd.read_csv(io.StringIO(trust_words.rows(known, found).to_csv(index=False)))
    assert len(back) == len(known.cells)
    row = back[(back.method == "Saliency") & (back.check == "Deletion")].iloc[0]
    assert row.score == pytest.approx(found["saliency", "deletion"].score)
    assert (row.better, row.examples, row.split) == ("lower", 2, "test")
    names = {name for mark in found.values() for name in mark.controls}
    assert {name.removeprefix("control: ") for name in back if name.startswith("control: ")} == names
    assert max(len(mark.controls) for mark in found.values()) > 1
    for cell, mark in found.items():
        (line,) = back[(back.method == METHODS[cell.method].title) & (back.check == ALL[cell.check].title)].iloc
        kept = {name: line[f"control: {name}"] for name in names}
        assert {name: value for name, value in kept.items() if not pd.isna(value)} == pytest.approx(mark.controls)


def test_a_table_is_started_works_in_the_background_and_is_there_for_others(
    run: Run, store: RunStore, quick: None
) -> None:
    app = healthy(open_page("trust", run=run.id, count="3"))
    assert "50 of 50 cells are not worked out yet" in texts(app)
    app.button(key="trust-start").click().run()
    over(app)
    other = healthy(open_page("trust", run=run.id, count="3"))
    assert not any(button.key == "trust-start" for button in other.button)


def test_a_stopped_table_keeps_its_cells_and_goes_on(
    run: Run, store: RunStore, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    explain = Saliency.run

    def slowly(self: Saliency, question: object) -> object:
        time.sleep(0.05)
        return explain(self, question)

    monkeypatch.setattr(Saliency, "run", slowly)
    wanted = Wanted(run=run.id, step=run.step, examples=4, methods=usual_methods(), checks=CHECKS)
    app = healthy(open_page("trust", run=run.id, count="4"))
    app.button(key="trust-start").click().run()
    while not marks(store, wanted):
        time.sleep(0.02)
    healthy(app.run())
    app.button(key="trust-stop").click().run()
    assert app.button(key="trust-start").label == "Go on"
    while jobs.jobs()._jobs:
        time.sleep(0.02)
    kept = marks(store, wanted)
    assert 0 < len(kept) < len(wanted.cells)
    monkeypatch.setattr(Saliency, "run", explain)
    app.button(key="trust-start").click().run()
    over(app)
    assert len(marks(store, wanted)) == len(wanted.cells)
    assert {cell: marks(store, wanted)[cell] for cell in kept} == kept


def test_two_who_want_the_same_share_it_and_one_who_leaves_does_not_stop_it(
    run: Run, store: RunStore, quick: None
) -> None:
    one = healthy(open_page("trust", run=run.id, count="5"))
    one.button(key="trust-start").click().run()
    other = healthy(open_page("trust", run=run.id, count="5"))
    assert any(button.key == "trust-stop" for button in other.button)
    one.button(key="trust-stop").click().run()
    assert "others wait for it, too" in texts(one) or not jobs.jobs()._jobs
    over(other)


@pytest.mark.parametrize("count", ["1", "65", "x", "-3", "99999999999999999999"])
def test_a_number_of_examples_out_of_range_is_said_and_the_page_goes_on(run: Run, count: str) -> None:
    app = healthy(open_page("trust", run=run.id, count=count, check="colour", method="guess", draw="-1"))
    assert any("is not here" in warning.value for warning in app.warning)
    assert app.number_input(key="option-count-0").value == 16


def test_a_poor_model_is_said_to_be_poor_first(store: RunStore) -> None:
    poor = few(store, "cnn", "digits")
    app = healthy(open_page("trust", run=poor.id))
    assert "poorly trained" in app.warning[0].value


@pytest.mark.parametrize(
    ("family", "dataset"), [("mlp", "diabetes"), ("mlp", "breast_cancer"), ("seq2seq_rnn", "phrases")]
)
def test_it_opens_for_values_two_classes_and_translations(store: RunStore, family: str, dataset: str) -> None:
    run = few(store, family, dataset)
    wanted = Wanted(run=run.id, step=run.step, examples=2, methods=("occlusion", "saliency"), checks=CHECKS)
    list(work_out(store, wanted))
    found = marks(store, wanted)
    assert found["occlusion", "deletion"].score is not None
    assert not any(mark.broken for mark in found.values())
    healthy(open_page("trust", run=run.id, count="2"))


def test_the_twin_is_made_in_one_click_followed_and_then_used(run: Run, store: RunStore) -> None:
    app = healthy(open_page("trust", run=run.id, count="2"))
    assert "Random labels" not in app.selectbox(key="option-check-0").options
    app.button(key="twin-start").click().run()
    twin = twin_of(store, run)
    assert twin.status is Status.QUEUED
    assert twin.title.startswith("CNN on digits, labels shuffled")
    assert not any(button.key == "twin-start" for button in healthy(app).button)
    assert make_twin(store, run).id == twin.id

    with store.owners.hold() as owner:
        execute(store, store.claim(owner), owner)
    app = healthy(open_page("trust", run=run.id, count="2"))
    assert "Random labels" in app.selectbox(key="option-check-0").options
    assert "11 of 121 cells are not worked out yet" in texts(app)

    looked = healthy(open_page("trust", run=twin.id, count="2"))
    assert "learned shuffled labels" in looked.warning[0].value
