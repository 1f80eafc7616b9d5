"""Every check that Captum or Quantus has too agrees with it."""

from __future__ import annotations

import warnings
from typing import Any

import captum.metrics
import numpy as np
import pytest
import torch
from torch import nn

import explorer as ex
from explorer.attribution import METHODS, ask
from explorer.attribution.question import Question
from explorer.trust import CHECKS, Trial
from explorer.trust.randomisation import holding

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import quantus

pytestmark = pytest.mark.filterwarnings("ignore")
COUNT = 4


@pytest.fixture
def questions(cnn: nn.Module, digits: ex.Dataset) -> list[Question]:
    return [ask(cnn, digits.test.inputs[n : n + 1], int(digits.test.targets[n])) for n in range(COUNT)]


@pytest.fixture(params=["saliency", "integrated_gradients"])
def trial(request: pytest.FixtureRequest, questions: list[Question]) -> Trial:
    return Trial(METHODS.make(request.param), questions)


def batch(digits: ex.Dataset) -> dict[str, np.ndarray]:
    return {"x_batch": digits.test.inputs[:COUNT].numpy(), "y_batch": digits.test.targets[:COUNT].numpy()}


def maps(trial: Trial) -> np.ndarray:
    return np.stack(trial.explained).reshape(COUNT, 1, 8, 8)


def explained(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, method: str = "saliency", **_: Any) -> Any:
    """Explanations of a batch, as Quantus asks for them."""
    pairs = zip(torch.as_tensor(inputs).float(), np.asarray(targets).tolist(), strict=True)
    return np.stack([ex.attribute(method, model, x[None], target).values for x, target in pairs])


def test_deletion_is_quantus_pixel_flipping(trial: Trial, cnn: nn.Module, digits: ex.Dataset) -> None:
    flipping = quantus.PixelFlipping(features_in_step=4, normalise=False, disable_warnings=True)
    theirs = flipping(model=cnn, a_batch=maps(trial), softmax=True, channel_first=True, **batch(digits))

    ours = CHECKS.make("deletion", steps=16).of(trial)

    np.testing.assert_allclose(ours.curves["method"][1:, 1], np.mean(theirs, 0), atol=1e-4)


def test_faithfulness_correlation_is_quantus_on_the_same_sets(
    trial: Trial, cnn: nn.Module, digits: ex.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = CHECKS.make("faithfulness", sets=50)
    sets = [chosen for chosen, _ in check.covered(trial)]
    given = iter([np.flatnonzero(sets[number][run]) for run in range(50) for number in range(COUNT)])
    monkeypatch.setattr(np.random, "choice", lambda *_args, **_more: next(given))
    correlation = quantus.FaithfulnessCorrelation(
        nr_runs=50, subset_size=16, normalise=False, return_aggregate=False, disable_warnings=True
    )
    said = np.stack([check.said(trial, number) for number in range(COUNT)]).reshape(COUNT, 1, 8, 8)

    theirs = correlation(model=cnn, a_batch=said, softmax=False, channel_first=True, **batch(digits))

    np.testing.assert_allclose(check.of(trial).scores, theirs, atol=1e-4)


@pytest.mark.parametrize("name", ["randomisation", "independent_randomisation"])
def test_random_weights_are_quantus_model_parameter_randomisation(
    name: str, trial: Trial, cnn: nn.Module, digits: ex.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rank correlations of each example at each layer, given the same networks with random weights."""
    check = CHECKS.make(name, stages=len(holding(cnn)))
    models = [(str(share), model) for share, model in check.models(trial)]

    wrapper = quantus.helpers.model.pytorch_model.PyTorchModel
    monkeypatch.setattr(wrapper, "get_random_layer_generator", lambda *_args, **_more: iter(models))
    randomisation = quantus.MPRT(
        abs=False, normalise=False, disable_warnings=True, return_sample_correlation=False, similarity_func=_spearman
    )
    theirs = randomisation(
        model=cnn,
        a_batch=maps(trial),
        explain_func=explained,
        explain_func_kwargs={"method": trial.method.name},
        channel_first=True,
        **batch(digits),
    )

    layers = [np.mean(scores) for name, scores in theirs.items() if name != "original"]
    np.testing.assert_allclose(check.of(trial).curves["rank correlation"][1:, 1], layers, atol=1e-4)


def _spearman(one: np.ndarray, other: np.ndarray, batched: bool = True, **_: Any) -> np.ndarray:
    """Row by row, by Quantus' own."""
    of = quantus.similarity_func.correlation_spearman
    return np.array([of(a, b) for a, b in zip(one, other, strict=True)])


class Noisy:
    """Adds one given noise after the other."""

    def __init__(self, noise: np.ndarray) -> None:
        self.left = list(noise)

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + torch.from_numpy(self.left.pop(0))


def _of_one_class(model: nn.Module, inputs: Any, target: int, method: str) -> torch.Tensor:
    """Explanations as Captum asks for them."""
    inputs = inputs[0] if isinstance(inputs, tuple) else inputs
    return torch.as_tensor(explained(model, inputs, [target] * len(inputs), method))


def test_max_sensitivity_is_captums_and_quantus_under_the_same_noise(
    trial: Trial, cnn: nn.Module, digits: ex.Dataset
) -> None:
    check = CHECKS.make("sensitivity", copies=5)
    noise = [trial.random(n).uniform(-0.02, 0.02, (5, 1, 8, 8)).astype(np.float32) for n in range(COUNT)]
    name, ours = trial.method.name, check.of(trial).scores

    for number, question in enumerate(trial.questions):
        target = int(digits.test.targets[number])
        theirs = captum.metrics.sensitivity_max(
            lambda inputs, target=target: _of_one_class(cnn, inputs, target, name),
            question.x,
            perturb_func=Noisy(noise[number]),
            n_perturb_samples=5,
            max_examples_per_batch=1,
        )
        assert ours[number] == pytest.approx(float(theirs), rel=1e-4)

    copies = iter(range(5))
    sensitivity = quantus.MaxSensitivity(
        nr_samples=5,
        perturb_func=lambda arr, **_: arr + np.stack([n.reshape(5, -1) for n in noise])[:, next(copies)],
        disable_warnings=True,
    )
    theirs = sensitivity(
        model=cnn,
        a_batch=maps(trial),
        explain_func=explained,
        explain_func_kwargs={"method": name},
        channel_first=True,
        **batch(digits),
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_infidelity_is_captums_on_the_same_sets(trial: Trial, cnn: nn.Module) -> None:
    check = CHECKS.make("infidelity", sets=40)
    for number, question in enumerate(trial.questions):
        sets, fallen = check.covered(trial)[number]
        mask = torch.from_numpy(sets).float().reshape(-1, 1, 8, 8)
        said = torch.from_numpy(check.said(trial, number)).float().reshape(1, 1, 8, 8)

        theirs = captum.metrics.infidelity(
            cnn,
            lambda inputs, _baselines=None, mask=mask: (mask, inputs * (1 - mask)),
            question.x,
            said,
            target=question.scored.target,
            n_perturb_samples=40,
            max_examples_per_batch=40,
            normalize=True,
        )

        assert check.of(trial).scores[number] * np.mean(fallen**2) == pytest.approx(float(theirs), rel=1e-3)


def test_infidelity_is_quantus_on_the_same_sets(trial: Trial, cnn: nn.Module, digits: ex.Dataset) -> None:
    """It covers 16 blocks of an image, twice, and does not scale: it is given our sets, and values scaled to fit."""
    check = CHECKS.make("infidelity", sets=32)
    covered = [chosen.reshape(-1, 1, 8, 8) for chosen, _ in check.covered(trial)]
    fallen = np.stack([fall for _, fall in check.covered(trial)])
    images, slopes = digits.test.inputs[:COUNT].numpy(), []
    for number, x in enumerate(images):
        said = check.said(trial, number)
        sums = check.covered(trial)[number][0] @ said
        scaled = said.reshape(x.shape) * (sums @ fallen[number]) / (sums @ sums)
        slopes.append(np.divide(scaled, x, out=np.zeros_like(scaled), where=x != 0))  # it multiplies by the change
    given = iter([np.where([sets[run] for sets in covered], 0, images) for run in range(32)])

    infidelity = quantus.Infidelity(
        perturb_patch_sizes=[2],
        n_perturb_samples=2,
        perturb_func=lambda arr, **_: next(given).reshape(arr.shape),
        disable_warnings=True,
    )
    theirs = infidelity(model=cnn, a_batch=np.stack(slopes), softmax=False, channel_first=True, **batch(digits))

    assert next(given, None) is None
    np.testing.assert_allclose(np.array(check.of(trial).scores) * np.mean(fallen**2, 1), theirs, rtol=1e-3)


def test_evidence_is_scored_as_quantus_scores_it(cnn: nn.Module, trial: Trial, digits: ex.Dataset) -> None:
    random = np.random.default_rng(0)
    evidence = [random.random(64) < 0.3 for _ in range(COUNT)]
    marked = Trial(trial.method, trial.questions, evidence=evidence)
    more = {"s_batch": np.stack(evidence).reshape(COUNT, 1, 8, 8), "channel_first": True, **batch(digits)}
    positive = maps(trial).clip(min=0)

    mass = quantus.RelevanceMassAccuracy(normalise=False, disable_warnings=True)(model=cnn, a_batch=positive, **more)
    ranks = quantus.RelevanceRankAccuracy(normalise=False, disable_warnings=True)(
        model=cnn, a_batch=maps(trial), **more
    )
    pointing = quantus.PointingGame(normalise=False, disable_warnings=True)(model=cnn, a_batch=maps(trial), **more)

    np.testing.assert_allclose(CHECKS.make("mass_accuracy").of(marked).scores, mass, atol=1e-4)
    np.testing.assert_allclose(CHECKS.make("rank_accuracy").of(marked).scores, ranks, atol=1e-4)
    assert [bool(score) for score in CHECKS.make("pointing_game").of(marked).scores] == list(pointing)


@pytest.mark.parametrize("method", ["integrated_gradients", "saliency"])
def test_completeness_says_what_quantus_says(method: str, digits: ex.Dataset) -> None:
    """It says only whether they add up exactly: of a model of whole weights, and inputs in sixteenths."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10, bias=False)).eval()
    nn.init.constant_(model[1].weight, 0)
    model[1].weight.data[:, ::3] = torch.arange(220.0).reshape(10, 22) - 100
    questions = [ask(model, digits.test.inputs[n : n + 1], int(digits.test.targets[n])) for n in range(COUNT)]
    trial = Trial(METHODS.make(method), questions)
    values = maps(trial).astype(np.float64)
    if method == "integrated_gradients":
        values = np.round(values * 16) / 16

    theirs = quantus.Completeness(normalise=False, disable_warnings=True)(
        model=model, a_batch=values, softmax=False, channel_first=True, **batch(digits)
    )

    given = Trial(METHODS.make("integrated_gradients"), questions, given=[one.ravel() for one in values])
    complete = [score < 1e-6 for score in CHECKS.make("completeness").of(given).scores]
    assert complete == [bool(one) for one in theirs] == [method == "integrated_gradients"] * COUNT
