"""How probable a translator finds what it should write."""

from __future__ import annotations

import numpy as np
import torch

from explorer.data import PAD
from explorer.models.translator import Translator
from explorer.probes.activations import one
from explorer.probes.capture import quiet


def right_tokens(model: Translator, x: torch.Tensor, right: torch.Tensor) -> np.ndarray:
    """Probability of each token of the right translation, when those before it are given (teacher forcing).

    Args:
        model: A translator.
        x: One source, (1, S) tokens.
        right: Its translation, (1, T) tokens from start to end.

    Returns:
        (T',): one probability for each token after the start, without padding.
    """
    wanted = right[0, 1:]  # (T - 1,)
    with quiet(model), torch.no_grad():
        shares = model(one(x), right[:, :-1])[0].softmax(1)  # (T - 1, vocabulary)
    found = shares.gather(1, wanted[:, None])[:, 0]
    return found[wanted != PAD].cpu().numpy().copy()
