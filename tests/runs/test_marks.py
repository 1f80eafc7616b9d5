"""Marks of trust checks, kept with their run; and the twin that learned shuffled labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import explorer as ex
from explorer.errors import NotApplicable, RunGone
from explorer.runs import Status
from explorer.runs.differences import cautions, differences
from explorer.runs.marks import Asked, Kept
from explorer.runs.twins import make_twin, twin_of, twin_spec
from tests.runs.conftest import SPEC

ONE = Kept("saliency", "deletion", "{}", '{"score": 0.5}')


def asked(one: ex.Run, **changes: object) -> Asked:
    return replace(Asked(one.id, 4, "test", 16, 0, 1), **changes)


def test_marks_are_found_by_all_that_they_depend_on_and_by_nothing_less(store: ex.RunStore) -> None:
    run, other = store.create(SPEC), store.create(SPEC)
    store.keep_mark(asked(run), ONE)
    assert store.marks(asked(run)) == [ONE]
    for change in ({"run": other.id}, {"step": 5}, {"split": "train"}, {"examples": 17}, {"seed": 1}, {"version": 2}):
        assert store.marks(asked(run, **change)) == []


def test_the_tables_of_a_model_are_listed_once_each_those_of_the_most_examples_first(store: ex.RunStore) -> None:
    run = store.create(SPEC)
    for change in ({"examples": 4}, {"seed": 1}, {}, {"step": 5, "examples": 40}, {"split": "train"}, {"version": 2}):
        for method in ("saliency", "occlusion"):
            store.keep_mark(asked(run, **change), replace(ONE, method=method))
    assert store.checked(run.id, 4, "test", 1) == [asked(run), asked(run, seed=1), asked(run, examples=4)]


def test_a_mark_replaces_the_one_of_the_same_and_stays_beside_those_of_other_parameters(store: ex.RunStore) -> None:
    run = store.create(SPEC)
    for content in ("first", "second"):
        store.keep_mark(asked(run), replace(ONE, content=content))
    store.keep_mark(asked(run), replace(ONE, parameters='{"steps": 9}'))
    assert {(one.parameters, one.content) for one in store.marks(asked(run))} == {
        ("{}", "second"),
        ('{"steps": 9}', ONE.content),
    }


def test_marks_go_with_their_run_and_none_is_kept_of_a_run_that_is_gone(store: ex.RunStore) -> None:
    run = store.create(SPEC)
    store.keep_mark(asked(run), ONE)
    store.delete(run.id)
    assert store.marks(asked(run)) == []
    with pytest.raises(RunGone, match="deleted"):
        store.keep_mark(asked(run), ONE)
    assert store.marks(asked(run)) == []


def test_marks_of_steps_that_are_trained_anew_are_forgotten(store: ex.RunStore) -> None:
    run = store.create(SPEC)
    store.keep_mark(asked(run), ONE)
    store.keep_mark(asked(run, step=2), ONE)
    store.rewind(run.id, 2)
    assert store.marks(asked(run)) == []
    assert store.marks(asked(run, step=2)) == [ONE]


# -- twins ------------------------------------------------------------------------------------------------------------


def test_the_twin_differs_from_its_run_in_its_labels_only(store: ex.RunStore) -> None:
    run = store.create(SPEC.model_copy(update={"start": ("0123abcd", 3)}))
    twin = make_twin(store, run, "me")
    assert twin.spec == run.spec.model_copy(update={"shuffled": True, "start": None})
    assert twin.title.startswith("MLP on digits, labels shuffled")
    assert twin.status is Status.QUEUED
    assert differences([SPEC, twin.spec]).to_dict("list") == {"labels": ["true", "shuffled"]}
    assert any("shuffled labels" in one for one in cautions([run, twin], ["accuracy", "accuracy"]))


def test_there_is_one_twin_however_often_it_is_asked_for_and_a_finished_one_comes_first(store: ex.RunStore) -> None:
    run = store.create(SPEC)
    assert twin_of(store, run) is None
    first = make_twin(store, run)
    assert make_twin(store, run).id == first.id
    store.claim("me")
    store.claim("me")
    store.end(first.id, Status.FINISHED)
    second = store.create(twin_spec(run))
    assert twin_of(store, run).id == first.id
    store.end(first.id, Status.FAILED)
    store.delete(first.id)
    assert twin_of(store, run).id == second.id
    store.stop(second.id)
    assert twin_of(store, run) is None


def test_a_twin_has_no_twin_and_neither_has_a_run_that_only_answers_a_question(store: ex.RunStore) -> None:
    for change, words in (({"shuffled": True}, "shuffled"), ({"purpose": "range test"}, "range test")):
        run = store.create(SPEC.model_copy(update=change))
        with pytest.raises(NotApplicable, match=words):
            twin_spec(run)
        assert twin_of(store, run) is None


def test_shuffled_labels_are_the_same_labels_in_another_order_and_all_else_is_as_it_was() -> None:
    def of(**part: object) -> ex.Dataset:
        return ex.data.dataset_of(ex.RunSpec(dataset="digits", model=ex.ModelSpec(), **part))

    for part in ({}, {"examples": 200}, {"fold": (1, 4)}):
        true, mixed = of(**part), of(**part, shuffled=True)
        for split in ("train", "validation"):
            one, other = true.split(split), mixed.split(split)
            assert torch.equal(one.inputs, other.inputs)
            assert (one.rows == other.rows).all()
            assert torch.equal(one.targets.bincount(), other.targets.bincount())
            kept = float((one.targets == other.targets).float().mean())
            assert kept < 0.25  # a tenth by chance
        assert mixed.test is true.test
        assert (mixed.classes, mixed.name) == (true.classes, true.name)
    assert of(shuffled=True) is of(shuffled=True)
    assert torch.equal(ex.data.parts.shuffled(of()).train.targets, of(shuffled=True).train.targets)
