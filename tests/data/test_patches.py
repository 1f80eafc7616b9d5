"""Patches of photos: cut where they say, and no pixel in two splits."""

from __future__ import annotations

import numpy as np
import pytest

import explorer as ex
from explorer.data.patches import BLOCK, SIDE, places

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("name", ["textures", "photos"])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_pixel_of_a_photo_is_in_two_splits(name: str, seed: int) -> None:
    source = ex.DATASETS[name].make(seed=seed)
    dataset = source.load()
    split_of = {row: number for number, split in enumerate(SPLITS, 1) for row in dataset.split(split).rows}
    row = 0
    for cls in source.photos:
        owner = np.zeros(source.picture(cls).shape[:2], dtype=int)
        for top, left in source.cut(cls)[1]:
            pixels = owner[top : top + SIDE, left : left + SIDE]
            if row in split_of:  # not one of those left out because an equal one came before
                assert np.isin(pixels, (0, split_of[row])).all()
                pixels[:] = split_of[row]
            row += 1
        assert set(np.unique(owner)) - {0} == {1, 2, 3}
    assert row == max(split_of) + 1


@pytest.mark.parametrize("name", ["textures", "photos"])
def test_patches_are_cut_where_they_say(name: str) -> None:
    source = ex.DATASETS[name].make()
    for cls in source.photos:
        picture = source.picture(cls)
        patches, corners, _ = source.cut(cls)
        for patch, (top, left) in list(zip(patches, corners, strict=True))[::50]:
            assert np.array_equal(patch.transpose(1, 2, 0), picture[top : top + SIDE, left : left + SIDE])


def test_textures_are_the_photos_of_scikit_image() -> None:
    from skimage import data

    source = ex.DATASETS["textures"].make()

    for material in source.photos:
        assert np.array_equal(source.picture(material)[..., 0] * 255, getattr(data, material)())


def test_a_photo_of_two_blocks_holds_four_patches_of_each_at_a_stride_of_32() -> None:
    corners, blocks = places(BLOCK + 10, 2 * BLOCK, stride=32)

    assert blocks.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert corners.tolist() == [[0, 0], [0, 32], [32, 0], [32, 32], [0, 64], [0, 96], [32, 64], [32, 96]]


def test_patches_of_one_plain_colour_are_left_out() -> None:
    photos = ex.load_dataset("photos")

    for split in SPLITS:
        assert photos.split(split).inputs.std((1, 2, 3)).min() > 0.015
