"""Every trust check: one format, a control, a verdict, no traces."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import METHODS, ask
from explorer.errors import SpecError, UnknownName
from explorer.trust import CHECKS, Outcome, Trial
from tests.contracts.test_methods import traces, used


@pytest.fixture(params=list(CHECKS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def trial(cnn: nn.Module, digits: ex.Dataset) -> Trial:
    """Integrated gradients of three images, with all that any check needs."""
    questions = [ask(cnn, digits.test.inputs[n : n + 1], int(digits.test.targets[n])) for n in range(3)]
    random = np.random.default_rng(0)
    return Trial(
        METHODS.make("integrated_gradients", steps=10),
        questions,
        evidence=[random.random(64) < 0.3 for _ in questions],
        shuffled=ex.build(ex.preset("cnn", digits, width=8), digits, seed=9).eval(),
        attentions=[random.random(64) for _ in questions],
        rivals=[METHODS.make("saliency"), METHODS.make("deep_lift")],
    )


def test_the_outcome_has_a_score_for_each_example_a_control_and_a_verdict(name: str, trial: Trial) -> None:
    found = CHECKS.make(name).of(trial)

    assert isinstance(found, Outcome)
    assert (found.check, found.method) == (name, "integrated_gradients")
    assert len(found.scores) == 3
    assert found.score == pytest.approx(np.nanmean(found.scores))
    assert found.better == CHECKS[name].better
    assert found.controls
    assert all(np.isfinite(value) for value in found.controls.values())
    assert found.verdict.endswith(".")
    assert found.reference[-4:].isdigit()
    for line in found.curves.values():
        assert line.shape[1] == 2
    with pytest.raises(FrozenInstanceError):
        found.score = 0  # type: ignore[misc]


def test_the_same_trial_gives_the_same_outcome_and_disturbs_no_random_numbers(name: str, trial: Trial) -> None:
    torch.manual_seed(7)
    first = CHECKS.make(name).of(trial)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.rand(1) == drawn
    again = CHECKS.make(name).of(Trial(**{k: getattr(trial, k) for k in FIELDS}))
    np.testing.assert_array_equal(first.scores, again.scores)
    assert first.controls == again.controls


FIELDS = ("method", "questions", "seed", "evidence", "shuffled", "attentions", "rivals")


def test_it_leaves_the_model_as_it_was(name: str, trial: Trial) -> None:
    model = used(trial.questions[0].model)
    before = traces(model)

    CHECKS.make(name).of(trial)

    assert traces(model) == before


def test_both_verdicts_are_words_and_only_one_speaks_against_the_method(name: str) -> None:
    check = CHECKS.make(name)
    controls = {"random": 0.5, "share of the evidence": 0.1}
    verdicts = {check.judge(score, controls) for score in (-1.0, 0.0, 0.2, 0.45, 0.7, 1.0, 2.0)}

    assert {doubtful for doubtful, _ in verdicts} == {True, False}
    assert all(len(words) > 20 and words.endswith(".") for _, words in verdicts)


def test_it_explains_itself_and_all_its_fields(name: str) -> None:
    cls = CHECKS[name]

    assert len(cls.help()) > 30
    assert len(cls.reads) > 30
    assert cls.paper[-4:].isdigit()
    assert all(field.description for field in cls.model_fields.values())


def test_unknown_names_and_parameters_are_refused(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(UnknownName, match=r"no trust check called 'guess'. Choose one of: .*randomisation"):
        ex.check("guess", cnn, image, 3, "saliency")
    with pytest.raises(SpecError, match="there is no field 'colour'"):
        ex.check("deletion", cnn, image, 3, "saliency", colour="red")
