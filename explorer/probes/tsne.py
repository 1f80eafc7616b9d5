"""t-SNE, in a process of its own: it takes seconds, tells how far it is, and can be stopped at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import numpy as np

from explorer.beside import beside
from explorer.errors import ExplorerError, NotApplicable
from explorer.probes.space import pca

COMPONENTS = 50
"""Longer vectors are replaced by so many of their principal components first (van der Maaten & Hinton, 2008)."""
PROCESS = Path(__file__).with_name("tsne_process.py")


def tsne(
    values: np.ndarray, dimensions: int = 2, perplexity: float = 30.0, seed: int = 0
) -> Generator[float, None, np.ndarray]:
    """Places for vectors such that near ones stay near (van der Maaten & Hinton, 2008), by `sklearn.manifold.TSNE`.

    It begins with the principal components; at random where vectors are shorter than `dimensions`. Close the generator
    to stop: nothing is left behind.

    Args:
        values: (N, D).
        dimensions: 2 or 3.
        perplexity: About how many neighbours each keeps near; less than N.
        seed: Fixes the result.

    Yields:
        How far it is, 0 to 1, about ten times a second.

    Returns:
        (N, dimensions).

    Raises:
        NotApplicable: There are too few vectors, or all are the same.
        ExplorerError: The process that works it out was ended.
    """
    if len(values) <= max(perplexity, dimensions):
        raise NotApplicable(
            f"{len(values)} examples are too few for a perplexity of {perplexity:g}. Choose a smaller one."
        )
    if not np.ptp(values, axis=0).any():
        raise NotApplicable("All examples have the same representation here: there is nothing to lay out.")
    reduced = reduce(values)
    settings = {"shape": reduced.shape, "dimensions": dimensions, "perplexity": perplexity, "seed": seed}
    command = [sys.executable, "-P", str(PROCESS), json.dumps(settings)]
    threads = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with beside(command, reduced.tobytes(), env=threads, stderr=subprocess.DEVNULL) as lines:
        done = 0.0
        yield done
        for said in lines:
            if "points" in said:
                return np.array(said["points"])
            done = said.get("done", done)
            yield done
    raise ExplorerError("The process that worked out t-SNE ended before it was done. Try again.")


def reduce(values: np.ndarray) -> np.ndarray:
    """What t-SNE is given of vectors (N, D): float32, (N, at most `COMPONENTS`)."""
    if values.shape[1] > COMPONENTS:
        values = pca(values, COMPONENTS).points(values)
    return np.ascontiguousarray(values, dtype=np.float32)
