"""Bytes as short text for a link, and back."""

from __future__ import annotations

import base64
import zlib


def to_text(content: bytes) -> str:
    """Bytes as letters, digits, ``-`` and ``_``."""
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


def from_text(text: str, most: int) -> bytes:
    """The bytes of `to_text`'s text, which may come from anyone.

    Args:
        text: As from `to_text`.
        most: So many bytes at most: a small text can unpack to gigabytes.

    Raises:
        ValueError: It is no such text, not all of it, or holds more; the message says which.
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, most + 1)
    except (ValueError, zlib.error):
        raise ValueError("was cut or changed") from None
    if len(content) > most:
        raise ValueError("is too large")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("was cut or changed")
    return content
