"""Zip files of images: the folder's name is the class."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import numpy as np

from explorer.data.own.packed import content_of, opened
from explorer.data.own.reading import Reading, check_count, of_classes
from explorer.errors import DataError

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
SIDES = (16, 28, 32, 48, 64)
"""Sides in pixels that images may be brought to."""
PIXELS = 25_000_000
"""Largest image that is read."""


def read_images(content: bytes, side: int = 32) -> Reading:
    """Images cut to their middle square and brought to ``side`` × ``side`` pixels; grey if all of them are grey.

    Args:
        content: The zip file. ``cats/1.png`` is of the class ``cats``; folders around it do not matter.
        side: Pixels on each side, one of `SIDES`.

    Raises:
        DataError: It is no such file, or holds too little or too much.
    """
    if side not in SIDES:
        raise DataError(f"Images of {side} pixels are not made here. Choose one of: {', '.join(map(str, SIDES))}.")
    images: list[np.ndarray] = []
    classes: list[str | None] = []
    others, broken = 0, []
    with opened(content, "a zip file") as packed:
        files = [file for file in packed.infolist() if not file.is_dir() and not _hidden(file.filename)]
        pictures = [file for file in files if file.filename.lower().endswith(SUFFIXES)]
        others = len(files) - len(pictures)
        check_count(len(pictures), 3 * side * side)
        for file in pictures:
            folder = PurePosixPath(file.filename.replace("\\", "/")).parent.name
            read = middle(content_of(packed, file), (side, side))
            if read is None:
                broken.append(file.filename)
            else:
                images.append(read)
                classes.append(" ".join(folder.split()) or None)
    if not any(classes):
        raise DataError(
            "There is no image inside a folder. Make a folder for each class, put its images (PNG, JPEG, GIF, BMP or "
            "WebP) into it, and pack the folders as one zip file."
        )
    notes = [f"{others:,} other files left out."] if others else []
    if broken:
        notes.append(f"{len(broken):,} images that cannot be read left out, such as {broken[0][-60:]}.")
    pixels = np.stack(images)  # (N, side, side, 3)
    if (pixels == pixels[..., :1]).all():
        pixels = pixels[..., :1]
    inputs = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).astype(np.float32) / 255  # (N, channels, side, side)
    return of_classes(inputs, classes, "image", notes=notes)


def _hidden(name: str) -> bool:
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(".")]
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def middle(content: bytes, size: tuple[int, int]) -> np.ndarray | None:
    """The middle of an image file, in the shape of `size` and brought to it.

    Args:
        content: The file. A small one may hold a huge image: its size is looked at before it is unpacked.
        size: Width and height in pixels.

    Returns:
        Pixels (height, width, 3) from 0 to 255; None if it is no image that can be read, or a larger one than
        `PIXELS`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > PIXELS:
                return None
            image.draft("RGB", size)  # a JPEG may be read small at once
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(ImageOps.fit(upright, size))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
