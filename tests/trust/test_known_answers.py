"""Models of which it is known what every check must say."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

import explorer as ex
from explorer.attribution import METHODS, ask
from explorer.errors import NotApplicable
from explorer.trust import CHECKS, Trial
from explorer.trust.removal import area
from explorer.trust.trial import cover, places

W = [4.0, -1.0, 3.0, 0.5, 0.0, 2.0]
X = torch.tensor([[1.0, 2.0, -1.0, 2.0, 5.0, 1.0]])
CONTRIBUTIONS = np.array([4.0, -2.0, -3.0, 1.0, 0.0, 2.0])  # w · x, place by place


@pytest.fixture
def linear() -> nn.Module:
    """Logits 0 and w · x."""
    model = nn.Sequential(nn.Linear(6, 2))
    model[0].weight.data = torch.tensor([[0.0] * 6, W])
    nn.init.zeros_(model[0].bias)
    return model


def test_of_a_linear_model_the_sum_is_complete_and_covering_does_just_what_the_values_say(linear: nn.Module) -> None:
    for method in ("integrated_gradients", "deep_lift", "shapley_sampling"):
        assert ex.check("completeness", linear, X, 1, method).score < 1e-5
        assert ex.check("faithfulness", linear, X, 1, method).score == pytest.approx(1.0, abs=1e-6)
        assert ex.check("infidelity", linear, X, 1, method).score < 1e-9
    assert ex.check("faithfulness", linear, X, 1, "saliency").score == pytest.approx(1.0, abs=1e-6)  # slope · change


def test_of_a_linear_model_of_colours_slopes_say_just_what_covering_a_pixel_does() -> None:
    """A pixel's colours may pull both ways: each slope is multiplied by the change of its own colour."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 2))
    random = torch.Generator().manual_seed(0)
    model[1].weight.data = torch.randn(2, 48, generator=random)
    x = torch.rand(1, 3, 4, 4, generator=random)

    for method in ("saliency", "smooth_grad"):
        assert ex.check("faithfulness", model, x, 1, method).score == pytest.approx(1.0, abs=1e-6)
        assert ex.check("infidelity", model, x, 1, method).score < 1e-9


def test_the_completeness_error_of_integrated_gradients_falls_with_its_steps(
    cnn: nn.Module, image: torch.Tensor
) -> None:
    def missing(steps: int) -> float:
        trial = Trial(METHODS.make("integrated_gradients", steps=steps), [ask(cnn, image, 3)])
        return CHECKS.make("completeness").of(trial).score

    rough, fine = missing(3), missing(300)
    assert fine < 0.01 < rough


def test_deletion_and_insertion_of_a_linear_model_take_the_best_of_all_orders(linear: nn.Module) -> None:
    question = ask(linear, X, 1)

    def line(order: list[int]) -> np.ndarray:
        covered = np.zeros((7, 6), dtype=bool)
        for count, place in enumerate(order, 1):
            covered[count:, place] = True
        return question.scored.logits(cover(question, covered)).softmax(1)[:, 1].detach().numpy()

    found = ex.check("deletion", linear, X, 1, "integrated_gradients", steps=6)
    best = line(np.argsort(-CONTRIBUTIONS).tolist())
    np.testing.assert_allclose(found.curves["method"][:, 1], best, atol=1e-6)
    random = np.random.default_rng(0)
    others = [area(line(random.permutation(6).tolist())) for _ in range(200)]
    assert found.score <= min(others) + 1e-6
    assert found.score < found.controls["random"]
    uncovered = ex.check("insertion", linear, X, 1, "integrated_gradients", steps=6)
    assert uncovered.score > uncovered.controls["random"]
    assert not found.doubtful
    assert not uncovered.doubtful


@pytest.fixture(scope="module")
def twin(digits: ex.Dataset) -> nn.Module:
    """The network of `cnn`, trained as long on shuffled labels."""
    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(0))
    shuffled = replace(digits, train=replace(digits.train, targets=digits.train.targets[order]))
    model = ex.build(ex.preset("cnn", digits, width=8), digits)
    for _ in ex.train(model, shuffled, ex.TrainSpec(epochs=3)):
        pass
    return model.eval()


@pytest.mark.parametrize("name", ["randomisation", "independent_randomisation", "data_randomisation"])
def test_edges_and_guided_backpropagation_fail_sanity_checks_where_gradients_and_grad_cam_pass(
    name: str, cnn: nn.Module, twin: nn.Module, digits: ex.Dataset
) -> None:
    """As Adebayo et al., 2018, found of random weights, of all layers and of one at a time, and of random labels."""
    questions = [ask(cnn, digits.test.inputs[n : n + 1], int(digits.test.targets[n])) for n in range(8)]
    found = {
        method: CHECKS.make(name).of(Trial(METHODS.make(method), questions, shuffled=twin))
        for method in ("sobel", "guided_backprop", "saliency", "grad_cam", "integrated_gradients")
    }

    assert found["sobel"].score == pytest.approx(1.0)
    assert found["saliency"].controls["edge detector"] == pytest.approx(1.0)
    assert found["guided_backprop"].score > 0.6
    for method in ("sobel", "guided_backprop"):
        assert found[method].doubtful
        assert "do not use it to judge this model" in found[method].verdict
    for method in ("saliency", "grad_cam", "integrated_gradients"):
        assert found[method].score < 0.3, method
        assert not found[method].doubtful


def test_of_one_random_layer_all_others_are_as_they_were_learned(cnn: nn.Module, image: torch.Tensor) -> None:
    trial = Trial(METHODS.make("saliency"), [ask(cnn, image, 3)])
    changed = []
    for _, model in CHECKS.make("independent_randomisation", stages=4).models(trial):
        pairs = zip(cnn.named_parameters(), model.parameters(), strict=True)
        changed.append({name.split(".")[0] for (name, old), new in pairs if not torch.equal(old, new)})

    assert changed == [{"output1"}, {"linear1"}, {"conv2"}, {"conv1"}]  # a norm's first weights are not random


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", ["randomisation", "data_randomisation", "agreement", "faithfulness"])
def test_of_an_explanation_that_is_the_same_everywhere_it_is_said_that_there_is_no_value(
    name: str, cnn: nn.Module, twin: nn.Module, digits: ex.Dataset
) -> None:
    questions = [ask(cnn, digits.test.inputs[n : n + 1], 3) for n in range(2)]
    more = {"shuffled": twin, "rivals": [METHODS.make("saliency")]}

    with pytest.raises(NotApplicable, match="Constant says the same of every place"):
        CHECKS.make(name).of(Trial(METHODS.make("constant"), questions, **more))

    flat = [np.ones(64), Trial(METHODS.make("occlusion"), questions[1:]).explained[0]]
    found = CHECKS.make(name).of(Trial(METHODS.make("occlusion"), questions, given=flat, **more))
    assert np.isnan(found.scores[0])
    assert found.score == pytest.approx(found.scores[1])


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "gradient_shap"])
def test_a_text_is_compared_with_the_same_texts_whatever_the_weights(method: str) -> None:
    """Of the same weights, which an embedding of other texts would not show."""
    dataset = ex.load_dataset("evidence_words")
    model = ex.build(ex.preset("attention", dataset), dataset, seed=1).eval()
    x, others = dataset.test.inputs[:1], dataset.train.inputs[:8]

    found = ex.check(
        "data_randomisation", model, x, 2, method, baseline=others[:1], references=others, shuffled=deepcopy(model)
    )

    assert found.score == pytest.approx(1.0)


def test_the_evidence_itself_scores_one_and_random_values_its_share() -> None:
    dataset = ex.load_dataset("evidence_images")
    model = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 4))
    rows = range(40)
    evidence = [dataset.test.evidence[n].numpy().ravel() for n in rows]
    questions = [ask(model, dataset.test.inputs[n : n + 1], 0) for n in rows]
    oracle = Trial(METHODS.make("random"), questions, evidence=evidence, given=[e.astype(float) for e in evidence])
    share = float(np.mean([e.mean() for e in evidence]))

    for name in ("mass_accuracy", "rank_accuracy", "pointing_game"):
        found = CHECKS.make(name).of(oracle)
        assert found.score == 1.0
        assert found.controls["share of the evidence"] == pytest.approx(share)
        assert found.controls["random"] == pytest.approx(share, abs=0.12 if name == "pointing_game" else 0.03)
        assert not found.doubtful
        assert CHECKS.make(name).of(oracle.against()).doubtful


def test_methods_that_say_the_same_agree_and_random_values_with_none(linear: nn.Module) -> None:
    same = ex.check("agreement", linear, X, 1, "integrated_gradients")
    assert same.score > 0.7
    assert same.curves["DeepLIFT"][0, 1] == pytest.approx(1.0)


def test_attention_that_looks_at_what_counts_agrees_and_other_attention_does_not(linear: nn.Module) -> None:
    questions = [ask(linear, X, 1)]
    for looked, score in ((abs(CONTRIBUTIONS), 1.0), (-abs(CONTRIBUTIONS), -1.0)):
        trial = Trial(METHODS.make("integrated_gradients"), questions, attentions=[looked])
        assert CHECKS.make("attention").of(trial).score == pytest.approx(score)


def test_attention_of_a_transformer_is_compared_at_its_patches(digits: ex.Dataset, image: torch.Tensor) -> None:
    model = ex.build(ex.preset("transformer", digits), digits, seed=0).eval()
    values = abs(ex.attribute("saliency", model, image, 3).values[0]).ravel()
    shares = ex.probes.rollout(model, image).values.reshape(2, 2)  # patches of 4 by 4 pixels
    looked = np.kron(shares, np.ones((4, 4))).ravel()

    found = ex.check("attention", model, image, 3, "saliency")

    assert found.score == pytest.approx(spearmanr(values, looked).statistic, abs=1e-6)


def test_methods_that_compare_with_many_are_checked_with_these(cnn: nn.Module, digits: ex.Dataset) -> None:
    x, others = digits.test.inputs[:1], digits.train.inputs[:20]
    with torch.no_grad():
        fall = float(cnn(x)[0, 3] - cnn(others)[:, 3].mean())

    assert ex.check("completeness", cnn, x, 3, "deep_lift_shap", references=others).score < 1e-4
    drawn = ex.attribute("gradient_shap", cnn, x, 3, references=others)
    found = ex.check("completeness", cnn, x, 3, "gradient_shap", references=others)
    assert found.score == pytest.approx(drawn.error / abs(fall), rel=1e-3)


def test_a_token_of_a_translation_is_checked_where_it_is_written() -> None:
    dataset = ex.load_dataset("phrases")
    model = ex.build(ex.preset("seq2seq_transformer", dataset), dataset, seed=0).eval()
    x, more = dataset.test.inputs[:1], {"written": dataset.test.targets[:1, :-1], "at": 2}
    with torch.no_grad():
        answer = model(x, more["written"])[0, 2].softmax(0)[7]

    found = ex.check("deletion", model, x, 7, "occlusion", **more)

    assert found.curves["method"][0, 1] == pytest.approx(float(answer), rel=1e-4)
    with pytest.raises(NotApplicable, match="it writes many tokens"):
        ex.check("attention", model, x, 7, "occlusion", **more)


def test_a_check_that_needs_what_is_not_there_says_so(linear: nn.Module) -> None:
    for name, words in (
        ("data_randomisation", "trained on shuffled labels"),
        ("mass_accuracy", "not known which places decide"),
        ("attention", "no attention"),
    ):
        with pytest.raises(NotApplicable, match=words):
            ex.check(name, linear, X, 1, "saliency")
    with pytest.raises(NotApplicable, match="does not promise"):
        ex.check("completeness", linear, X, 1, "saliency")


def test_words_are_covered_by_padding_and_padding_is_no_place() -> None:
    dataset = ex.load_dataset("evidence_words")
    model = ex.build(ex.preset("mlp", dataset), dataset).eval()
    question = ask(model, dataset.test.inputs[:1], 2)
    count = int((dataset.test.inputs[0] != 0).sum())
    assert places(question) == count

    covered = np.zeros((1, count), dtype=bool)
    covered[0, 2] = True
    other = cover(question, covered)
    assert not other[0, 2].any()
    torch.testing.assert_close(other[0, :2], question.x[0, :2])
    for name in CHECKS:
        if CHECKS[name].needs(Trial(METHODS.make("integrated_gradients"), [question])) is None:
            assert np.isfinite(ex.check(name, model, dataset.test.inputs[:1], 2, "integrated_gradients").score)
