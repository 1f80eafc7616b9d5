"""The table of trust: the same numbers as each check alone, cell by cell, kept, stopped and gone on with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

import explorer as ex
from explorer.attribution import METHODS
from explorer.attribution.question import ask
from explorer.attribution.saliency import Saliency
from explorer.errors import ExplorerError, NotApplicable, RunGone, SnapshotError, SpecError
from explorer.runs.execute import execute, submit
from explorer.runs.marks import Kept
from explorer.specs import parse
from explorer.trust import CHECKS, Trial
from explorer.trust.apart import work_out_apart
from explorer.trust.attended import attended
from explorer.trust.mark import Mark, read
from explorer.trust.table import EIGHT, Cell, Wanted, chosen_rows, marks, missing, question, usual_methods, work_out

METHOD_NAMES, CHECK_NAMES = ("saliency", "grad_cam", "sobel"), ("completeness", "randomisation", "deletion")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ex.RunStore]:
    store = ex.RunStore(tmp_path_factory.mktemp("home"))
    yield store
    store.close()


def trained(store: ex.RunStore, family: str = "cnn", dataset: str = "digits", **params: object) -> ex.Run:
    data = ex.load_dataset(dataset)
    spec = ex.RunSpec(
        dataset=dataset, model=ex.preset(family, data, **params), train=ex.TrainSpec(epochs=1), family=family
    )
    with store.owners.hold() as owner:
        return execute(store, submit(store, spec, owner=owner), owner)


@pytest.fixture(scope="module")
def run(store: ex.RunStore) -> ex.Run:
    return trained(store, width=8)


@pytest.fixture
def wanted(run: ex.Run, request: pytest.FixtureRequest) -> Wanted:
    """A table of a test's own: its seed is made from its name."""
    seed = sum(map(ord, request.node.name)) % 9999
    return Wanted(run=run.id, step=run.step, examples=3, seed=seed, methods=METHOD_NAMES, checks=CHECK_NAMES)


def test_every_cell_says_what_the_check_says_alone(store: ex.RunStore, run: ex.Run, wanted: Wanted) -> None:
    progress = list(work_out(store, wanted))
    assert progress == [(n, 9) for n in range(10)]
    found = marks(store, wanted)

    digits, model = ex.load_dataset("digits"), ex.model_at(store, run.id, run.step)
    rows = chosen_rows(3, digits, "test", wanted.seed)
    questions = [ask(model, x, int(model(x).argmax())) for x in (digits.test.inputs[n : n + 1] for n in rows)]
    for method in METHOD_NAMES:
        for check in ("randomisation", "deletion"):
            alone = CHECKS.make(check).of(Trial(METHODS.make(method), questions, wanted.seed))
            mark = found[Cell(method, check)]
            assert mark.score == pytest.approx(alone.score, abs=1e-4)
            assert mark.controls == pytest.approx(alone.controls, abs=1e-4)
            assert (mark.verdict, mark.doubtful) == (alone.verdict, alone.doubtful)
            for name, line in mark.curves.items():
                np.testing.assert_allclose(line, alone.curves[name], atol=1e-4)
    assert found[Cell("saliency", "completeness")].reason.startswith("Completeness does not apply: Saliency does not")
    assert missing(store, wanted) == []


def test_each_question_is_explained_once_by_a_method_however_many_checks_there_are(
    store: ex.RunStore, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.Tensor] = []
    run = Saliency.run
    monkeypatch.setattr(Saliency, "run", lambda self, one: asked.append(one.x.detach()) or run(self, one))
    checks = ("infidelity", "faithfulness", "deletion", "insertion", "agreement")

    list(work_out(store, wanted.model_copy(update={"checks": checks, "methods": ("saliency", "occlusion", "random")})))

    assert len(asked) == 3


def test_a_stopped_table_keeps_what_is_done_and_goes_on_there(store: ex.RunStore, wanted: Wanted) -> None:
    work = work_out(store, wanted)
    assert [next(work) for _ in range(5)][-1] == (4, 9)
    work.close()
    assert len(marks(store, wanted)) == 4

    assert list(work_out(ex.RunStore(store.home), wanted)) == [(n, 9) for n in range(4, 10)]
    assert len(marks(store, wanted)) == 9


def test_a_process_that_is_killed_leaves_what_it_did_and_another_goes_on(store: ex.RunStore, wanted: Wanted) -> None:
    before = {child.pid for child in psutil.Process().children()}
    work = work_out_apart(store.home, wanted)
    while not marks(store, wanted):
        next(work)
    (mine,) = [child for child in psutil.Process().children() if child.pid not in before]
    mine.kill()
    with pytest.raises(ExplorerError, match="ended before it was done"):
        for _ in work:
            pass
    kept = marks(store, wanted)
    assert kept

    list(work_out(store, wanted))
    assert len(marks(store, wanted)) == 9
    assert {cell: marks(store, wanted)[cell] for cell in kept} == kept
    assert not mine.is_running()


def test_closing_ends_the_process_at_once(store: ex.RunStore, wanted: Wanted) -> None:
    before = {child.pid for child in psutil.Process().children()}
    work = work_out_apart(store.home, wanted)
    next(work)
    (mine,) = [child for child in psutil.Process().children() if child.pid not in before]
    work.close()
    assert not mine.is_running()


def test_what_goes_wrong_in_a_cell_stays_in_it_and_is_tried_again(
    store: ex.RunStore, wanted: Wanted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(error: Exception) -> Callable[..., None]:
        def run(*_: object) -> None:
            raise error

        return run

    with monkeypatch.context() as patch:
        patch.setattr(type(CHECKS.make("deletion")), "run", fail(ZeroDivisionError("by chance")))
        patch.setattr(type(METHODS.make("grad_cam")), "run", fail(NotApplicable("Values that are not finite.")))
        list(work_out(store, wanted))
    found = marks(store, wanted)
    assert found[Cell("saliency", "deletion")].state == "broken"
    assert found[Cell("saliency", "deletion")].reason.startswith("This could not be worked out")
    assert "ZeroDivisionError: by chance" in caplog.text
    assert found[Cell("grad_cam", "randomisation")].reason == "Values that are not finite."
    assert found[Cell("saliency", "randomisation")].state in ("held", "doubtful")
    assert missing(store, wanted) == [Cell("saliency", "deletion"), Cell("sobel", "deletion")]

    list(work_out(store, wanted))
    assert marks(store, wanted)[Cell("saliency", "deletion")].score is not None


def test_a_method_whose_values_are_not_finite_says_so_and_the_rest_goes_on(
    store: ex.RunStore, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Saliency, "run", lambda self, one: torch.full_like(one.x, math.inf))
    list(work_out(store, wanted))
    found = marks(store, wanted)
    assert "not finite" in found[Cell("saliency", "deletion")].reason
    assert found[Cell("grad_cam", "deletion")].score is not None


def test_a_run_that_is_deleted_meanwhile_ends_the_work_with_words(store: ex.RunStore, wanted: Wanted) -> None:
    gone = trained(store, "mlp")
    mine = wanted.model_copy(update={"run": gone.id, "step": gone.step, "methods": ("saliency",)})
    work = work_out(store, mine)
    assert [next(work), next(work)][-1] == (1, 3)
    store.delete(gone.id)
    with pytest.raises(RunGone):
        next(work)
    assert store.marks(mine.asked) == []


def test_weights_that_are_deleted_meanwhile_end_the_work_with_words(store: ex.RunStore, wanted: Wanted) -> None:
    run = trained(store, "mlp")
    work = work_out(store, wanted.model_copy(update={"run": run.id, "step": run.step, "methods": ("saliency",)}))
    next(work), next(work)
    store.snapshots.drop(run.id, run.step)
    with pytest.raises(SnapshotError, match="deleted meanwhile"):
        next(work)


def test_marks_that_are_damaged_or_of_another_version_are_worked_out_again(store: ex.RunStore, wanted: Wanted) -> None:
    list(work_out(store, wanted))
    cell = Cell("saliency", "deletion")
    for text in ("", "{", "[]", '{"score": NaN}', '{"score": 1e999}', '{"colour": 1}', '{"score": "' + "9" * 9999):
        assert read(text) is None
        store.keep_mark(wanted.asked, Kept(*cell, wanted.parameters(cell), text))
        assert missing(store, wanted) == [cell]
    assert len(marks(store, wanted)) == 8


def test_marks_survive_json(store: ex.RunStore, wanted: Wanted) -> None:
    list(work_out(store, wanted))
    for mark in marks(store, wanted).values():
        assert read(mark.model_dump_json()) == mark
    assert Mark(score=1.0).state == "held"


@pytest.mark.parametrize(
    "wrong",
    [{"examples": 1}, {"examples": 65}, {"seed": -1}, {"step": -1}, {"run": "../x"}, {"split": "all"}, {"n": 3}],
)
def test_a_table_out_of_range_is_refused_in_words(wrong: dict[str, object]) -> None:
    with pytest.raises(SpecError, match="This table cannot be used"):
        parse(Wanted, {"run": "0123abcd", "step": 3} | wrong, "table")


def test_examples_are_drawn_once_by_seed_and_all_of_a_small_split_are_taken(digits: ex.Dataset) -> None:
    assert (
        chosen_rows(16, digits, "test", 3) == chosen_rows(16, digits, "test", 3) != chosen_rows(16, digits, "test", 4)
    )
    assert len(set(chosen_rows(16, digits, "test", 3))) == 16
    assert chosen_rows(10_000, digits, "test", 0) == list(range(len(digits.test)))


def test_the_usual_table_has_eight_methods_and_all_controls() -> None:
    assert usual_methods() == (*EIGHT, "random", "constant", "sobel")
    assert set(usual_methods(True)) == {cls.name for cls in METHODS.values() if not cls.inner}


# -- where attention looks --------------------------------------------------------------------------------------------


def test_of_additive_attention_alone_it_is_its_weights(store: ex.RunStore) -> None:
    words = ex.load_dataset("evidence_words")
    model = ex.build(ex.preset("attention", words, score="additive"), words, seed=0).eval()
    x = words.test.inputs[:1]
    name = next(name for name, _ in model.named_modules() if name.endswith(".weights"))
    with ex.capture(model, [name]) as seen:
        model(x)
    there = int((x != 0).sum())

    found = attended(question(model, words, "test", 0))

    np.testing.assert_allclose(found, seen[name][0, :there].numpy(), atol=1e-6)
    assert found.sum() == pytest.approx(1)


def test_pixels_get_the_share_of_their_patch(digits: ex.Dataset) -> None:
    model = ex.build(ex.preset("transformer", digits), digits, seed=0).eval()
    reach = ex.probes.rollout(model, digits.test.inputs[:1]).values[-4:]  # without a class token
    found = attended(question(model, digits, "test", 0)).reshape(8, 8)
    side = int(8 / len(reach) ** 0.5)
    for number, share in enumerate(reach):
        row, column = divmod(number, 8 // side)
        assert np.allclose(found[row * side : (row + 1) * side, column * side : (column + 1) * side], share)


def test_a_model_without_attention_looks_nowhere(cnn: torch.nn.Module, digits: ex.Dataset) -> None:
    assert attended(question(cnn, digits, "test", 0)) is None


def test_a_table_of_planted_words_is_marked_against_the_evidence_and_attention(store: ex.RunStore) -> None:
    run = trained(store, "attention", "evidence_words")
    wanted = Wanted(
        run=run.id, step=run.step, examples=3, methods=("occlusion", "random"), checks=("rank_accuracy", "attention")
    )
    list(work_out(store, wanted))
    found = marks(store, wanted)
    assert found[Cell("occlusion", "rank_accuracy")].score > 0.5
    assert found[Cell("occlusion", "attention")].score is not None
    assert list(found[Cell("random", "rank_accuracy")].controls) == ["random", "share of the evidence"]


def test_the_process_reads_the_home_it_is_given(store: ex.RunStore, wanted: Wanted, tmp_path: Path) -> None:
    with pytest.raises(ExplorerError, match="not in the store"):
        for _ in work_out_apart(tmp_path / "another", wanted):
            pass
