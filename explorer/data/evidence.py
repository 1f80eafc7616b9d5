"""Made-up data of which it is known what decides the class: explanations can be marked right or wrong."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from explorer.data.assemble import Table, parted
from explorer.data.source import DataSource

FILLERS = (  # noqa: SIM905 (a list would take forty lines)
    "the a we they then here there near with from some many old small people house street table door morning evening "
    "saw said went came stood waited looked asked today again often still about between after"
).split()
DISTRACTORS = ["red", "blue", "green", "never", "always", "very", "wonderful", "terrible", "seven", "hundred"]
"""Striking, but as frequent in one class as in another."""
EVIDENCE = {
    "weather": ["rain", "snow", "storm", "cloud"],
    "food": ["bread", "soup", "cheese", "apple"],
    "music": ["piano", "song", "drum", "violin"],
    "sport": ["goal", "tennis", "race", "team"],
}
SENTENCES, SHORTEST, LONGEST = 1000, 8, 16
"""Sentences of each class, and their words."""


class Planted(DataSource):
    source = "Made here, always from the same seed"
    licence = "None needed"
    families: ClassVar[int]
    """How many backgrounds there are. Each is used once for each class, with other evidence at the same place: what is
    not evidence cannot tell a class.
    """

    def parts(self, classes: int) -> np.ndarray:
        """Part of each example, one background after another; one background is in one split only."""
        return np.repeat(parted(np.zeros(self.families), self.seed), classes)


class EvidenceWords(Planted):
    """4,000 made-up sentences about weather, food, music or sport. One, two or three words say which, such as snow or
    cheese; all others, among them striking ones such as terrible, are the same in all classes. It is known which words
    decide, so explanations can be marked.
    """

    name = "evidence_words"
    title = "Planted words"
    modality = "tokens"
    order = 42
    families = SENTENCES

    def read(self) -> Table:
        random = np.random.default_rng(0)
        texts, evidence = [], np.zeros((SENTENCES, len(EVIDENCE), LONGEST), dtype=bool)
        for number in range(SENTENCES):
            length = int(random.integers(SHORTEST, LONGEST + 1))
            sentence = random.choice(FILLERS, length).tolist()
            order = random.permutation(length).tolist()
            for place, word in zip(order[:2], random.choice(DISTRACTORS, 2).tolist(), strict=True):
                sentence[place] = word
            deciding = order[2 : 2 + int(random.integers(1, 4))]
            evidence[number, :, deciding] = True
            for known in EVIDENCE.values():
                for place, word in zip(deciding, random.choice(known, len(deciding)).tolist(), strict=True):
                    sentence[place] = word
                texts.append(tuple(sentence))
        targets = np.tile(np.arange(len(EVIDENCE)), SENTENCES)
        return Table(
            texts,
            targets,
            tuple(EVIDENCE),
            parts=self.parts(len(EVIDENCE)),
            evidence=evidence.reshape(-1, LONGEST),
        )


SIZE, CELL, SHAPE, IMAGES = 28, 9, 7, 1000
"""Pixels along a side of an image, of what is kept free for a shape, and of a shape; images of each class."""
SHAPES = {
    "ring": ("..###..", ".#...#.", "#.....#", "#.....#", "#.....#", ".#...#.", "..###.."),
    "cross": ("#.....#", ".#...#.", "..#.#..", "...#...", "..#.#..", ".#...#.", "#.....#"),
    "plus": ("...#...", "...#...", "...#...", "#######", "...#...", "...#...", "...#..."),
    "triangle": ("...#...", "...#...", "..#.#..", "..#.#..", ".#...#.", ".#...#.", "#######"),
}
DECOYS = (
    ("#######",) * 7,
    ("#######", ".......", ".......", "#######", ".......", ".......", "#######"),
    ("#..#..#",) * 7,
    ("#.#.#.#", ".#.#.#.") * 3 + ("#.#.#.#",),
)
"""A square, bars across, bars down, a chequerboard: in all classes alike."""


class EvidenceImages(Planted):
    """4,000 noisy 28×28 images with three shapes each. One, a ring, a cross, a plus or a triangle, is the class; the
    others, squares, bars and chequerboards, are the same in all classes. It is known which pixels decide, so
    explanations can be marked.

    The evidence is all of the square that the shape stands in: what is dark tells a ring from a plus as well.
    """

    name = "evidence_images"
    title = "Planted shapes"
    modality = "image"
    order = 5
    families = IMAGES

    def read(self) -> Table:
        random = np.random.default_rng(0)
        images = np.empty((IMAGES, len(SHAPES), 1, SIZE, SIZE), dtype=np.float32)
        evidence = np.zeros((IMAGES, len(SHAPES), SIZE, SIZE), dtype=bool)
        shapes, decoys = [drawn(rows) for rows in SHAPES.values()], [drawn(rows) for rows in DECOYS]
        for number in range(IMAGES):
            images[number] = random.uniform(0, 0.3, (SIZE, SIZE))
            brightness = random.uniform(0.6, 1, 3)
            deciding, *others = apart(random, 3)
            for place, level in zip(others, brightness[1:], strict=True):
                images[number, :, 0][:, *place] += (level - 0.3) * decoys[random.integers(len(decoys))]
            for cls, shape in enumerate(shapes):
                images[number, cls, 0][deciding] += (brightness[0] - 0.3) * shape
            evidence[number, :, *deciding] = True
        targets = np.tile(np.arange(len(SHAPES)), IMAGES)
        return Table(
            images.reshape(-1, 1, SIZE, SIZE),
            targets,
            tuple(SHAPES),
            parts=self.parts(len(SHAPES)),
            evidence=evidence.reshape(-1, SIZE, SIZE),
        )


def drawn(rows: tuple[str, ...]) -> np.ndarray:
    """A shape as (7, 7) bool."""
    return np.array([[character == "#" for character in row] for row in rows])


def apart(random: np.random.Generator, count: int) -> list[tuple[slice, slice]]:
    """Random places for shapes: each in a cell of its own, and there up to a pixel lower and further right."""
    across = SIZE // CELL
    cells = random.permutation(across * across)[:count]
    corners = np.stack([cells // across, cells % across], 1) * CELL + random.integers(0, 2, (count, 2))
    return [(slice(top, top + SHAPE), slice(left, left + SHAPE)) for top, left in corners.tolist()]
