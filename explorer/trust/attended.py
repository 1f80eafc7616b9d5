"""Where attention looks, as one value for each place of the input, so that explanations can be compared with it."""

from __future__ import annotations

import numpy as np

from explorer.attribution import Question
from explorer.data import PAD
from explorer.models.layers.sequences import PatchEmbedding, TimeSteps
from explorer.probes import rollout, unfollowed


def attended(question: Question) -> np.ndarray | None:
    """How much attention carries from each place of an input to the answer, (P,), by rollout (Abnar & Zuidema, 2020).

    Of a model whose only attention is an additive one over the words, these are its weights.

    Returns:
        The share of each word or step, or of the patch that each pixel lies in; None if the model has no attention, or
        what it looks at are not the places of the input.
    """
    inner, x = question.inner, question.x if question.tokens is None else question.tokens
    if unfollowed(inner):
        return None
    reach = rollout(inner, x)
    start = inner.get_submodule(reach.start)
    if question.modality == "tokens":
        there = (question.tokens[0] != PAD).cpu().numpy()
        values = reach.values[len(reach.values) - len(there) :]  # a class token may be in front
        return None if reach.read else values[there]
    if isinstance(start, TimeSteps):
        return np.tile(reach.values[-x.shape[2] :], x.shape[1])
    if not isinstance(start, PatchEmbedding):
        return None
    size, across = start.project.kernel_size[0], x.shape[3] // start.project.kernel_size[0]
    patches = reach.values[-(x.shape[2] // size) * across :].reshape(-1, across)
    return spread(patches, x.shape[2:])


def spread(patches: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The value of the patch that each pixel lies in, (rows, columns) → (H · W,); zero where no patch reaches."""
    side = size[0] // patches.shape[0]
    whole = np.zeros(size)
    pixels = patches.repeat(side, axis=0).repeat(side, axis=1)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return whole.ravel()
