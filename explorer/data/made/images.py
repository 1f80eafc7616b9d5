"""Images that were drawn or uploaded."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import torch

from explorer.data.base import Dataset
from explorer.data.made.codes import SHORT, damaged, pack, unpack
from explorer.data.own.images import PIXELS, middle
from explorer.errors import DataError

FILE_BYTES = 10 * 2**20
"""Largest file that is read."""
FINE, COARSE = 255, 16
"""Steps of brightness from black to white."""
GREY = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in the brightness of a colour (ITU-R BT.601)."""
LOOKED_AT = 64
"""Examples that are looked at to see how a data set's images are."""


def code_of(dataset: Dataset, image: np.ndarray, fine: bool = False) -> str:
    """The code of an image (C, H, W) with values 0 to 1.

    It keeps 255 steps of brightness, or 16 where the data themselves have no more or the code would become long.

    Args:
        dataset: What it is of.
        image: The image.
        fine: Whether to keep 255 steps also where the data have no more than 16, or the code becomes long.

    Raises:
        DataError: It is not as large as the data's, or even so too long for a link.
    """
    shape = tuple(dataset.shape.size)
    if image.shape != shape:
        raise DataError(f"The image is {image.shape}, but those of {dataset.title} are {shape}.")
    if fine or not _coarse(dataset):
        with suppress(DataError):
            code = pack(dataset, _bytes(image, FINE))
            if fine or len(code) <= SHORT:
                return code
    return pack(dataset, _bytes(image, COARSE))


def _bytes(image: np.ndarray, steps: int) -> bytes:
    return bytes([steps]) + np.round(image.clip(0, 1) * steps).astype(np.uint8).tobytes()


def image_of(dataset: Dataset, code: str) -> torch.Tensor:
    """The image of a code, (1, C, H, W).

    Raises:
        DataError: It is none.
    """
    shape = dataset.shape.size
    content = unpack(dataset, code, 1 + int(np.prod(shape)))
    if not content or content[0] not in (FINE, COARSE) or len(content) != 1 + np.prod(shape):
        raise damaged()
    pixels = np.frombuffer(content, np.uint8, offset=1)
    if pixels.max() > content[0]:
        raise damaged()
    return torch.from_numpy((pixels / content[0]).astype(np.float32)).reshape(1, *shape)


def uploaded(dataset: Dataset, content: bytes) -> np.ndarray:
    """An image file, cut to the shape of the data's images and brought to their size and channels, (C, H, W), 0 to 1.

    Raises:
        DataError: It is none that can be read, or too large.
    """
    if len(content) > FILE_BYTES:
        raise DataError(
            f"The file has {len(content) / 2**20:.0f} MiB; at most {FILE_BYTES // 2**20} are read. Choose a smaller."
        )
    channels, height, width = dataset.shape.size
    pixels = middle(content, (width, height))
    if pixels is None:
        raise DataError(
            f"This is no image that can be read: wanted is a PNG or JPEG of at most {PIXELS // 10**6} million pixels."
        )
    shades = pixels.astype(np.float64) / 255  # (H, W, 3)
    if channels == 1:
        return (shades @ GREY)[None].astype(np.float32)
    return np.ascontiguousarray(shades.transpose(2, 0, 1)).astype(np.float32)


def paper(dataset: Dataset) -> float:
    """What one draws on: 0 where images are bright on dark, as those of digits; 1 where they are dark on bright."""
    images = dataset.train.inputs[:LOOKED_AT]
    edge = torch.cat([images[:, :, [0, -1]].flatten(), images[:, :, :, [0, -1]].flatten()])
    return float(edge.median() > 0.5)


def empty(image: torch.Tensor) -> bool:
    """Whether nothing is on an image: all its pixels are alike."""
    return bool(image.max() == image.min())


def _coarse(dataset: Dataset) -> bool:
    """Whether the data's images have no more than 16 steps of brightness."""
    steps = COARSE * dataset.train.inputs[:LOOKED_AT]
    return bool((steps == steps.round()).all())
