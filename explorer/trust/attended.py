"""Where attention looks, as one value for each place of the input, so that explanations can be compared with it."""

from __future__ import annotations

import numpy as np

from explorer.attribution import METHODS, Question
from explorer.trust.trial import placed


def attended(question: Question) -> np.ndarray | None:
    """How much attention carries from each place of an input to the answer, (P,), by rollout (Abnar & Zuidema, 2020).

    Of a model whose only attention is an additive one over the words, these are its weights.

    Returns:
        The share of each word or step, or of the patch that each pixel lies in; None if the model has no attention, or
        what it looks at are not the places of the input.
    """
    method = METHODS.make("rollout")
    return None if method.needs(question) else placed(question, method.explain(question))
