"""Patches of photos: which photo, or which material, is a small square of?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from explorer.data.assemble import Table, parted
from explorer.data.source import DataSource, shipped

SIDE = 32
"""Pixels along a side of a patch."""
BLOCK = 64
"""Photos are divided into blocks of so many pixels a side. All patches of a block are in the same split, and no patch
reaches into another block: no pixel is in two splits.
"""


class _Patches(DataSource):
    modality = "image"
    photos: ClassVar[dict[str, tuple[str, str]]]
    """Name of the class: the package that ships the photo, and where in it."""
    stride: ClassVar[int]
    """Pixels between a patch and the next one of its block."""
    mode: ClassVar[str]
    """How Pillow calls the colours: L for grey, RGB."""
    largest: ClassVar[int] = 640
    """Photos with a longer side are shrunk to this, so that their patches show as much as those of the others."""
    flat: ClassVar[float] = 0.0
    """Patches whose pixels' standard deviation is below this are left out: nobody could say where they are from."""

    def picture(self, cls: str) -> np.ndarray:
        """The photo of a class, (H, W, C) from 0 to 1."""
        with Image.open(shipped(*self.photos[cls])) as image:
            image = image.convert(self.mode)
            image.thumbnail((self.largest, self.largest))
            pixels = np.asarray(image, dtype=np.float32) / 255
        return pixels.reshape(*pixels.shape[:2], -1)

    def cut(self, cls: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The patches of a class (N, C, 32, 32), top and left pixel of each (N, 2), and number of its block (N,)."""
        picture = self.picture(cls)
        corners, blocks = places(*picture.shape[:2], self.stride)
        windows = sliding_window_view(picture, (SIDE, SIDE), (0, 1))  # (H - 31, W - 31, C, 32, 32)
        patches = windows[corners[:, 0], corners[:, 1]]
        kept = patches.std((1, 2, 3)) >= self.flat
        return patches[kept], corners[kept], blocks[kept]

    def read(self) -> Table:
        patches, targets, blocks, owners = [], [], [], []
        for number, cls in enumerate(self.photos):
            found, _, inside = self.cut(cls)
            used, inside = np.unique(inside, return_inverse=True)  # a block may have been flat all over
            patches.append(found)
            targets.append(np.full(len(found), number))
            blocks.append(inside + len(owners))  # blocks are counted on from photo to photo
            owners += [number] * len(used)
        parts = parted(np.array(owners), self.seed)[np.concatenate(blocks)]
        return Table(np.concatenate(patches), np.concatenate(targets), tuple(self.photos), parts=parts)


def places(height: int, width: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the patches of a photo lie.

    Returns:
        (N, 2) top and left pixel of each patch, and (N,) number of the block that it is in. Pixels left over at the
        bottom and on the right are in no block.
    """
    tops, lefts = (np.arange(0, size - BLOCK + 1, BLOCK) for size in (height, width))
    blocks = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 1, 2)  # (blocks, 1, 2)
    steps = np.arange(0, BLOCK - SIDE + 1, stride)
    within = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(1, -1, 2)  # (1, patches, 2)
    corners = blocks + within  # (blocks, patches, 2)
    return corners.reshape(-1, 2), np.repeat(np.arange(len(blocks)), within.shape[1])


class Textures(_Patches):
    """1,728 grey 32×32 patches of photos of brick, grass and gravel. A linear model, which weighs each pixel where it
    is, fails; a CNN, which looks for patterns wherever they are, does not.

    The patches of the three splits come from different regions of the photos.
    """

    name = "textures"
    title = "Textures 32×32"
    order = 3
    source = "Three photos of CC0Textures (Lennart Demes), through scikit-image"
    licence = "CC0 1.0"
    mode = "L"
    stride = 16
    photos = {material: ("skimage", f"data/{material}.png") for material in ("brick", "grass", "gravel")}


class Photos(_Patches):
    """About 5,500 colour patches, 32×32, of ten photos, to be told apart: an astronaut, a cat, galaxies, a temple and
    others. Colour says much, but not all.

    The patches of the three splits come from different regions of the photos; patches of one plain colour are left out.
    """

    name = "photos"
    title = "Photos 32×32"
    order = 4
    source = (
        "Photos by NASA (astronaut), NASA and ESA (galaxies), SpaceX (rocket), the US Navy (admiral), Stefan van der "
        "Walt (cat), Rachel Michetti (coffee), Mikael Häggström (retina), CMMI (tissue), danielbuechele (temple) and "
        "vultilion (flower), through scikit-image, scikit-learn and matplotlib"
    )
    licence = "Public domain or CC0 1.0; flower and temple CC BY 2.0"
    mode = "RGB"
    stride = 16
    flat = 0.02
    photos = {
        "admiral": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        "astronaut": ("skimage", "data/astronaut.png"),
        "cat": ("skimage", "data/chelsea.png"),
        "coffee": ("skimage", "data/coffee.png"),
        "flower": ("sklearn", "datasets/images/flower.jpg"),
        "galaxies": ("skimage", "data/hubble_deep_field.jpg"),
        "retina": ("skimage", "data/retina.jpg"),
        "rocket": ("skimage", "data/rocket.jpg"),
        "temple": ("sklearn", "datasets/images/china.jpg"),
        "tissue": ("skimage", "data/ihc.png"),
    }
