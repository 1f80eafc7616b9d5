"""A made-up task in which only the beginning matters: it must be remembered to the end."""

from __future__ import annotations

import numpy as np

from explorer.data.assemble import Table
from explorer.data.evidence import Planted

SYMBOLS = "ABCD"
FILLERS = "abcdefgh"
LENGTH = 100
"""Symbols of a sequence, the first included."""
SEQUENCES = 500
"""Sequences of each class."""


class FirstSymbol(Planted):
    """2,000 made-up sequences of 100 symbols. The first, A, B, C or D, is the class; the 99 after it are noise, the
    same for all four. Whoever reads from the left must remember it for 99 steps (after Hochreiter & Schmidhuber, 1997,
    experiment 2).
    """

    name = "first_symbol"
    title = "First symbol"
    modality = "tokens"
    order = 43
    longest = LENGTH
    families = SEQUENCES

    def read(self) -> Table:
        random = np.random.default_rng(0)
        noise = random.choice(list(FILLERS), (SEQUENCES, LENGTH - 1)).tolist()
        texts = [(symbol, *rest) for rest in noise for symbol in SYMBOLS]
        evidence = np.zeros((len(texts), LENGTH), dtype=bool)
        evidence[:, 0] = True
        targets = np.tile(np.arange(len(SYMBOLS)), SEQUENCES)
        return Table(texts, targets, tuple(SYMBOLS), parts=self.parts(len(SYMBOLS)), evidence=evidence)
