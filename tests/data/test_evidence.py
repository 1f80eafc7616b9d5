"""Made-up data: the evidence is where it is said to be, and only there."""

from __future__ import annotations

import numpy as np

import explorer as ex
from explorer.data.evidence import DECOYS, DISTRACTORS, EVIDENCE, FILLERS, SHAPE, SHAPES, drawn


def test_the_marked_words_belong_to_the_class_and_all_others_to_none() -> None:
    table = ex.DATASETS["evidence_words"].make().read()

    for words, target, evidence in zip(table.inputs, table.targets, table.evidence, strict=True):
        marked = {word for word, decides in zip(words, evidence, strict=False) if decides}
        others = {word for word, decides in zip(words, evidence, strict=False) if not decides}
        assert marked
        assert marked <= set(EVIDENCE[table.classes[target]])
        assert others <= {*FILLERS, *DISTRACTORS}
        assert others & set(DISTRACTORS)
        assert not evidence[len(words) :].any()


def test_a_word_is_evidence_of_one_class_or_of_none() -> None:
    words = [*FILLERS, *DISTRACTORS, *(word for known in EVIDENCE.values() for word in known)]

    assert len(words) == len(set(words))


def test_striking_words_are_as_frequent_in_every_class() -> None:
    table = ex.DATASETS["evidence_words"].make().read()

    for word in DISTRACTORS:
        counts = [
            sum(text.count(word) for text, of in zip(table.inputs, table.targets, strict=True) if of == cls)
            for cls in range(len(EVIDENCE))
        ]
        assert len(set(counts)) == 1
        assert counts[0] > 50


def test_the_marked_square_holds_the_shape_of_the_class() -> None:
    table = ex.DATASETS["evidence_images"].make().read()
    shapes = [drawn(rows) for rows in SHAPES.values()]

    for image, target, evidence in zip(table.inputs, table.targets, table.evidence, strict=True):
        square = image[0][evidence].reshape(SHAPE, SHAPE)
        assert np.array_equal(square > 0.3, shapes[target])


def test_shapes_and_decoys_all_differ() -> None:
    drawings = {drawn(rows).tobytes() for rows in (*SHAPES.values(), *DECOYS)}

    assert len(drawings) == len(SHAPES) + len(DECOYS)


def test_a_background_stays_in_one_split() -> None:
    for name in ("evidence_words", "evidence_images"):
        dataset = ex.load_dataset(name)
        backgrounds = [set(dataset.split(split).rows // 4) for split in ("train", "validation", "test")]

        assert sum(map(len, backgrounds)) == len(set.union(*backgrounds))
