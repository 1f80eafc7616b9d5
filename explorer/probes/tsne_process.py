"""Works out one t-SNE: vectors come by standard input, its progress and the result go to standard output as JSON.

It is started as a file by itself, so that it need not import torch. It ends when its standard input is closed, as it is
when whoever started it dies.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import threading

ITERATIONS = 1000
_ITERATION = re.compile(r"Iteration (\d+)")


class Progress:
    """Takes what scikit-learn prints while it works, and says how far it is."""

    def __init__(self, say: object) -> None:
        self._say = say

    def write(self, text: str) -> int:
        """Hear a piece of it."""
        if found := _ITERATION.search(text):
            self._say({"done": min(1.0, int(found[1]) / ITERATIONS)})
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def main() -> None:
    """Read, work, write."""
    settings = json.loads(sys.argv[1])
    content = sys.stdin.buffer.read(4 * math.prod(settings["shape"]))
    threading.Thread(target=_end_with_starter, daemon=True).start()
    os.nice(5)  # those who look at pages come first
    import numpy as np
    from sklearn.manifold import TSNE

    output = sys.stdout

    def say(what: dict) -> None:
        output.write(json.dumps(what) + "\n")
        output.flush()

    sys.stdout = Progress(say)
    values = np.frombuffer(content, np.float32).reshape(settings["shape"])
    enough = values.shape[1] >= settings["dimensions"]
    points = TSNE(
        settings["dimensions"],
        perplexity=settings["perplexity"],
        max_iter=ITERATIONS,
        init="pca" if enough else "random",  # fewer numbers have fewer principal components
        random_state=settings["seed"],
        verbose=2,
    ).fit_transform(values)
    say({"points": points.tolist()})


def _end_with_starter() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
