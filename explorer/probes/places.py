"""What stands at each place of a sequence that a model reads: words, patches, steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.data import Dataset
from explorer.models import Planned

WHATS = {"tokens": "token", "patches": "patch", "steps": "step", "rows": "row"}
"""What the places of a sequence are, by the input or the layer that makes it."""


@dataclass(frozen=True)
class Places:
    """The places of one sequence.

    Attributes:
        names: One for each place.
        what: ``token``, ``patch``, ``step``, ``row``, or ``place`` where it is none of these.
        grid: Rows and columns of the patches; None of others.
        token: Whether a class token stands in front.
    """

    names: tuple[str, ...]
    what: str = "place"
    grid: tuple[int, int] | None = None
    token: bool = False

    def __len__(self) -> int:
        return len(self.names)

    @property
    def labels(self) -> list[str]:
        """The names, short enough for an axis."""
        if not self.grid:
            return list(self.names)
        patches = [f"{row},{column}" for row in range(self.grid[0]) for column in range(self.grid[1])]
        return ["class", *patches] if self.token else patches

    @property
    def spots(self) -> np.ndarray:
        """(L, 1) the number of each place, or (L, 2) row and column of each patch; NaN for a class token."""
        count = len(self) - self.token
        numbers = np.arange(count, dtype=float)
        spots = np.stack(np.divmod(numbers, self.grid[1]), axis=1) if self.grid else numbers[:, None]
        return np.concatenate([np.full((1, spots.shape[1]), np.nan), spots]) if self.token else spots

    def known(self, count: int) -> Places:
        """These, or numbered ones if there are not so many."""
        return self if len(self) == count else Places(tuple(str(place) for place in range(count)))


def places_at(
    layers: Sequence[Planned], name: str, dataset: Dataset, source: Sequence[int], written: Sequence[int] = ()
) -> Places:
    """The places of the sequence that a layer works on.

    Args:
        layers: The model's layers, in order.
        name: One of them; in a decoder, places are those of what is written.
        dataset: What the model reads.
        source: Token numbers of the input, as the model is given them; of others than texts they do not count.
        written: Those a decoder is given.
    """
    decodes = name.startswith("decoder.")
    tokens, vocabulary = (written, dataset.target_vocabulary) if decodes else (source, dataset.vocabulary)
    words = tuple(visible(vocabulary[token]) for token in tokens) if vocabulary else ()
    found = Places(words, WHATS["tokens"] if words else "place")
    for layer in layers:
        if layer.name.startswith("decoder.") != decodes:
            continue
        if layer.kind == "patches":
            found = _patches(layer)
        elif layer.kind in ("steps", "rows"):
            found = Places(tuple(str(place) for place in range(layer.output.size[0])), WHATS[layer.kind])
        elif layer.kind == "cls":
            found = Places(("class token", *found.names), found.what, found.grid, True)
        if layer.name == name:
            break
    return found


def visible(token: str) -> str:
    """A token as it can be seen: blanks have a sign of their own."""
    return token if token.strip() else "␣" * max(1, len(token))


def _patches(layer: Planned) -> Places:
    (height, width), count = layer.given.size[1:], layer.output.size[0]
    side = round((height * width / count) ** 0.5)
    grid = height // side, width // side
    names = tuple(f"row {row}, column {column}" for row in range(grid[0]) for column in range(grid[1]))
    return Places(names, WHATS["patches"], grid)
