"""How probable a translator finds what it should write."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from explorer.data import PAD, Dataset
from explorer.models.translator import Translator
from explorer.probes.activations import one
from explorer.probes.capture import quiet
from explorer.probes.representation import PASS


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


def given_right(model: Translator, dataset: Dataset, split: str, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """(N,) whether each next token of some translations is right, when those before it are given."""
    part, found = dataset.split(split), []
    with quiet(model), torch.no_grad():
        for some in torch.as_tensor(np.asarray(rows)).split(PASS):
            targets = part.targets[some]
            said, wanted = model(part.inputs[some], targets[:, :-1]).argmax(2), targets[:, 1:]
            found.append(((said == wanted) | (wanted == PAD)).all(1).cpu())
    return torch.cat(found).numpy()
