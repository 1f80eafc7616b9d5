"""The space of a layer: representations, principal components, neighbours and t-SNE, against scikit-learn."""

from __future__ import annotations

import os
import subprocess

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable
from explorer.models import plan
from explorer.probes import capture, tsne
from explorer.probes.representation import affordable, represent, sample, size
from explorer.probes.space import distances, nearest, pca
from explorer.probes.words import frequent, vectors
from explorer.probes.writing import given_right
from tests.probes.test_ablation import KINDS, built, finished
from tests.samples import made_up


def noise(*shape: int) -> np.ndarray:
    """Vectors that differ more along some directions than along others."""
    return np.random.default_rng(0).normal(size=shape) * np.linspace(1, 4, shape[1]) + 3


# -- representations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", KINDS)
def test_every_layer_gives_every_example_one_vector_of_the_length_it_says(family: str) -> None:
    model, dataset, layers = built(family)
    for layer in layers:
        for how in ("flattened", "averaged"):
            found = represent(model, dataset, "train", range(5), layer, how)
            assert found.values.shape == (5, size(layer, how)), layer.name
            assert not found.values.flags.writeable


def test_a_convolution_is_flattened_or_averaged_over_space(cnn: nn.Module, digits: ex.Dataset) -> None:
    layer = next(one for one in plan(ex.preset("cnn", digits, width=8), digits).layers if one.name == "relu1")
    rows = [3, 200, 7]
    with torch.no_grad(), capture(cnn, ["relu1"]) as seen:
        cnn(digits.test.inputs[rows])

    flat = represent(cnn, digits, "test", rows, layer, "flattened")
    mean = represent(cnn, digits, "test", rows, layer, "averaged")

    np.testing.assert_allclose(flat.values, seen["relu1"].flatten(1), atol=1e-6)
    np.testing.assert_allclose(mean.values, seen["relu1"].mean((2, 3)), atol=1e-6)
    assert flat.rows.tolist() == rows


@pytest.mark.parametrize("kind", ["cls", "plain"])
def test_padding_neither_counts_in_a_mean_nor_stands_in_a_vector(kind: str) -> None:
    dataset = made_up(7, tokens=20)
    front = [{"kind": "cls"}] if kind == "cls" else []
    spec = ex.ModelSpec.of(
        {"kind": "embedding", "size": 4},
        {"kind": "positions"},
        *front,
        {"kind": "selfattention"},
        {"kind": "meanpool"},
        {"kind": "output"},
    )
    model, layer = ex.build(spec, dataset).eval(), plan(spec, dataset).layers[2 + len(front)]
    lengths = (dataset.train.inputs != 0).sum(1) + len(front)
    with torch.no_grad(), capture(model, ["selfattention1"]) as seen:
        model(dataset.train.inputs)
    output = seen["selfattention1"]  # (N, L, 4)

    rows = range(len(dataset.train))
    mean = represent(model, dataset, "train", rows, layer, "averaged").values
    flat = represent(model, dataset, "train", rows, layer, "flattened").values.reshape(output.shape)

    for row, length in enumerate(lengths.tolist()):
        np.testing.assert_allclose(mean[row], output[row, :length].mean(0), atol=1e-6)
        np.testing.assert_allclose(flat[row, :length], output[row, :length], atol=1e-6)
        assert not flat[row, length:].any()


def test_a_sample_is_spread_evenly_and_what_is_dear_gets_fewer() -> None:
    assert sample(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert sample(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert affordable(1000, 10, 500) == 500
    assert affordable(10**7, 10, 500) == 150
    assert affordable(1000, 10**5, 500) == 60


# -- principal components and neighbours ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40, 9), (12, 60), (30, 30)])
def test_principal_components_are_those_of_scikit_learn(shape: tuple[int, int]) -> None:
    values = noise(*shape)
    theirs = PCA(3, svd_solver="full").fit(values)

    ours = pca(values)

    np.testing.assert_allclose(ours.points(values), theirs.transform(values), atol=1e-4)
    np.testing.assert_allclose(ours.axes, theirs.components_, atol=1e-4)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-6)
    other = noise(25, shape[1])[::-1] ** 2
    expected = theirs.transform(other).var(axis=0) / other.var(axis=0).sum()
    np.testing.assert_allclose(ours.explained(other), expected, atol=1e-6)


def test_too_few_dimensions_leave_the_other_axes_empty() -> None:
    found = pca(np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))

    assert found.shares.tolist() == pytest.approx([1, 0, 0])
    np.testing.assert_allclose(found.points(np.array([[4.0, 1.0]])), [[2, 0, 0]], atol=1e-9)
    assert not pca(np.ones((4, 5))).shares.any()


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_neighbours_are_those_of_scikit_learn(measure: str) -> None:
    values = noise(60, 8)
    far, near = NearestNeighbors(n_neighbors=6, metric=measure).fit(values).kneighbors(values[[17]])

    found = distances(values, values[17], measure)

    assert nearest(found, 5, leave_out=17).tolist() == near[0, 1:].tolist()
    np.testing.assert_allclose(found[near[0]], far[0], atol=1e-7)


def test_a_vector_of_zeros_is_at_right_angles_to_all_others() -> None:
    assert distances(np.array([[0.0, 0.0], [1.0, 1.0]]), np.zeros(2), "cosine").tolist() == [1, 1]


# -- t-SNE ------------------------------------------------------------------------------------------------------------


def test_t_sne_is_that_of_scikit_learn_and_says_how_far_it_is() -> None:
    values = noise(40, 60)

    said, found = finished(tsne.tsne(values, perplexity=5, seed=3))

    theirs = TSNE(perplexity=5, init="pca", random_state=3).fit_transform(tsne.reduce(values))
    np.testing.assert_allclose(found, theirs, atol=1e-4)
    assert said[0] == 0
    assert said == sorted(said)
    assert said[-1] >= 0.8


def test_vectors_shorter_than_the_map_is_wide_are_laid_out_from_random_places() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1)).astype(np.float32)

    _, found = finished(tsne.tsne(values, perplexity=3, seed=1))

    theirs = TSNE(perplexity=3, init="random", random_state=1).fit_transform(values)
    np.testing.assert_allclose(found, theirs, atol=1e-4)


def test_a_t_sne_that_is_stopped_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    work = tsne.tsne(noise(200, 10))
    next(work)

    work.close()

    assert started[0].returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


def test_a_t_sne_that_cannot_work_says_why() -> None:
    with pytest.raises(NotApplicable, match="too few for a perplexity of 30"):
        next(tsne.tsne(noise(20, 4)))
    with pytest.raises(NotApplicable, match="same representation"):
        next(tsne.tsne(np.ones((50, 4))))


# -- words ------------------------------------------------------------------------------------------------------------


def test_the_most_frequent_words_are_counted_without_what_stands_for_none() -> None:
    dataset = made_up(7, tokens=20, task="translation")
    every = dataset.train.inputs.flatten().tolist()

    tokens, counts = frequent(dataset, "encoder.embedding1", 5)

    wanted = sorted(range(2, 20), key=lambda token: (-every.count(token), token))[:5]
    assert tokens.tolist() == wanted
    assert counts.tolist() == [every.count(token) for token in wanted]
    assert frequent(dataset, "decoder.embedding1", 5)[0].tolist() != tokens.tolist()


def test_vectors_are_the_weights_of_the_embedding(cnn: nn.Module) -> None:
    model, _, _ = built("attention")

    assert np.array_equal(vectors(model, "embedding1"), model.embedding1.weight.detach())
    with pytest.raises(NotApplicable, match="holds no vectors of words"):
        vectors(cnn, "conv1")


def test_a_translation_is_right_if_each_next_token_is() -> None:
    dataset = made_up(7, tokens=20, task="translation")
    model = ex.build(ex.preset("seq2seq_rnn", dataset), dataset).eval()
    part = dataset.train
    with torch.no_grad():  # one whose only next token is as it says
        part.targets[4] = torch.tensor([2, int(model(part.inputs[4:5], torch.tensor([[2]])).argmax()), 0, 0, 0, 0, 0])
    with torch.no_grad():
        said = model(part.inputs, part.targets[:, :-1]).argmax(2)
    by_hand = [
        all(a == w for a, w in zip(one, wanted[1:], strict=True) if w)
        for one, wanted in zip(said.tolist(), part.targets.tolist(), strict=True)
    ]

    assert given_right(model, dataset, "train", range(len(part))).tolist() == by_hand
    assert 0 < sum(by_hand) < len(by_hand)
