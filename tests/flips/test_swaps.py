"""Swapped words: the model decides, none is needless, and each of them is a word."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import explorer as ex
from explorer.errors import NotApplicable
from explorer.flips import Flip, word_swaps
from explorer.models.tokens import TokenModel
from explorer.probes import TwoClasses
from tests.contracts.test_methods import traces, used

TEXTS = 6


@pytest.fixture(scope="module")
def words() -> ex.Dataset:
    return ex.load_dataset("evidence_words")


@pytest.fixture(scope="module", params=["mlp", "rnn", "attention"])
def reader(request: pytest.FixtureRequest, words: ex.Dataset) -> nn.Module:
    """A model that has learned which words decide."""
    model = ex.build(ex.preset(request.param, words), words)
    for _ in ex.train(model, words, ex.TrainSpec(epochs=2, learning_rate=0.01)):
        pass
    return TwoClasses(model) if words.task == "binary" else model


def found(reader: nn.Module, words: ex.Dataset) -> list[tuple[torch.Tensor, Flip]]:
    return [(x[None], word_swaps(reader, x[None], most=4)) for x in words.test.inputs[:TEXTS]]


def test_the_model_answers_the_swapped_text_as_the_result_says(reader: nn.Module, words: ex.Dataset) -> None:
    flips = found(reader, words)

    assert any(flip.flipped for _, flip in flips)
    for x, flip in flips:
        changed = torch.from_numpy(flip.changed)[None]
        asked = ex.predict(reader, changed)
        assert asked.probabilities == pytest.approx(flip.after, abs=1e-5)
        assert flip.flipped == (asked.answer == flip.target)
        assert flip.source == ex.predict(reader, x).answer
        assert 0 < flip.places.sum() <= 4
        assert ((changed == 0) == (x == 0)).all(), "no word comes or goes"
        assert not (changed[changed != x] <= 1).any(), "padding and the unknown are no words"


def test_no_swap_is_needless(reader: nn.Module, words: ex.Dataset) -> None:
    for x, flip in found(reader, words):
        for place in flip.places.nonzero()[0]:
            without = torch.from_numpy(flip.changed.copy())[None]
            without[0, place] = x[0, place]
            assert not flip.flipped or ex.predict(reader, without).answer != flip.target


def counting() -> TokenModel:
    """Class 1 minus class 0 is the mean over four places of what each word is worth: words 2 to 9 are worth -4 to 3."""
    model = TokenModel(nn.Embedding(10, 1, padding_idx=0), _Mean(), nn.Linear(1, 2, bias=False))
    model[0].weight.data = torch.tensor([0.0, 9.0, *range(-4, 4)])[:, None]
    model[2].weight.data = torch.tensor([[-0.5], [0.5]])
    return model


class _Mean(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(1)


def test_of_words_that_add_up_it_takes_the_fewest_swaps_and_the_worst_words_first() -> None:
    x = torch.tensor([[2, 5, 6, 5]])  # worth -4, -1, 0, -1: together -6

    flip = word_swaps(counting(), x)

    assert flip.flipped
    assert flip.changed.tolist() == [9, 5, 6, 5]  # worth 3, -1, 0, -1: together 1
    assert flip.lead == pytest.approx(0.25)


def test_more_swaps_than_allowed_are_not_made_and_it_says_how_close_it_came() -> None:
    x = torch.tensor([[2, 2, 2, 2]])  # worth -16; each swap wins 7

    flip = word_swaps(counting(), x, most=2)

    assert not flip.flipped
    assert flip.lead == pytest.approx((-16 + 14) / 4)
    assert word_swaps(counting(), x, most=3).flipped


def test_it_leaves_no_hooks_modes_or_gradients_and_is_the_same_again(words: ex.Dataset) -> None:
    model = used(ex.build(ex.preset("rnn", words), words))
    before = traces(model)
    model = TwoClasses(model) if words.task == "binary" else model

    first = word_swaps(model, words.test.inputs[:1])

    assert traces(model.model if isinstance(model, TwoClasses) else model) == before
    assert (first.changed == word_swaps(model, words.test.inputs[:1]).changed).all()


def test_what_is_no_text_is_refused(cnn: nn.Module, image: torch.Tensor) -> None:
    with pytest.raises(NotApplicable, match="texts that a model puts into classes"):
        word_swaps(cnn, image)
