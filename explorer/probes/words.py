"""The vectors that a model has learned for words or characters."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from explorer.data import PAD, UNKNOWN, Dataset
from explorer.data.base import FRAME, SPECIAL
from explorer.errors import NotApplicable


def vocabulary_of(dataset: Dataset, layer: str) -> tuple[str, ...]:
    """The words that an embedding layer has vectors of: in a decoder those of the translations."""
    return dataset.target_vocabulary if layer.startswith("decoder.") else dataset.vocabulary


def frequent(dataset: Dataset, layer: str, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The tokens that occur most often in the train split, the most frequent first, and how often each does.

    Padding, unknown words and the tokens around translations are left out.

    Args:
        dataset: Texts or translations.
        layer: Name of the embedding layer.
        most: How many at most.
    """
    tokens = dataset.train.targets if layer.startswith("decoder.") else dataset.train.inputs
    vocabulary = vocabulary_of(dataset, layer)
    counts = torch.bincount(tokens.flatten(), minlength=len(vocabulary)).numpy().copy()
    counts[[n for n, word in enumerate(vocabulary) if n in (PAD, UNKNOWN) or word in (*SPECIAL, *FRAME)]] = 0
    order = np.argsort(-counts, kind="stable")[:most]
    order = order[counts[order] > 0]
    return order, counts[order]


def vectors(model: nn.Module, layer: str) -> np.ndarray:
    """(vocabulary, D) the vector of each token.

    Raises:
        NotApplicable: The layer is not an embedding.
    """
    module = model.get_submodule(layer)
    if not isinstance(module, nn.Embedding):
        raise NotApplicable(f"{layer} ({type(module).__name__}) holds no vectors of words; only an embedding does.")
    return module.weight.detach().cpu().numpy().copy()
