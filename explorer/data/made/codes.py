"""The code of a made example: what was made, packed as text, and which data set it is of."""

from __future__ import annotations

import base64
import zlib

from explorer.compact import from_text, to_text
from explorer.data.base import Dataset
from explorer.errors import DataError

Example = int | str
"""Number of an example of a split, or the code of one that somebody made."""
CODE = 8000
"""Longest code. Browsers and servers take links of this length; some chat programs cut them."""
SHORT = 1800
"""No program cuts a code of this length."""
_LARGEST = 2**20
"""Most bytes that are unpacked to see whether they are whole."""
_TAG = 4
"""Letters that say of which data set a code is."""


class OtherData(DataError):
    """A code that was made for another data set."""

    def __init__(self) -> None:
        super().__init__("The changed example is of another data set than this run.")


def pack(dataset: Dataset, content: bytes) -> str:
    """What was made, as a code.

    Raises:
        DataError: The code would be too long for a link.
    """
    code = _tag(dataset) + to_text(content)
    if len(code) > CODE:
        raise DataError(
            f"This example takes a link of {len(code):,} characters; at most {CODE:,} can be kept. Make it simpler or "
            "smaller."
        )
    return code


def unpack(dataset: Dataset, code: str, most: int) -> bytes:
    """What was made, from `pack`'s code, which may come from anyone.

    Args:
        dataset: What it must be of.
        code: As from `pack`.
        most: So many bytes at most.

    Raises:
        OtherData: It is of another data set.
        DataError: It is no such code, or not all of it.
    """
    try:
        content = from_text(code[_TAG : CODE + 1], _LARGEST)
    except ValueError as error:
        raise DataError(f"The changed example in the link {error}.") from None
    if code[:_TAG] != _tag(dataset):
        raise OtherData
    if len(content) > most:
        raise damaged()
    return content


def damaged() -> DataError:
    """What is said of a code that holds something else than it should."""
    return DataError("The changed example in the link was cut or changed.")


def _tag(dataset: Dataset) -> str:
    checksum = zlib.crc32(f"{dataset.name} {dataset.shape}".encode()).to_bytes(4, "big")
    return base64.urlsafe_b64encode(checksum).decode()[:_TAG]
