"""A model as text for a URL, and back."""

from __future__ import annotations

import base64
import zlib

from explorer.errors import SpecError
from explorer.specs import ModelSpec, parse

JSON_BYTES = 65536


def encode(model: ModelSpec) -> str:
    """A model as text for a URL."""
    packed = zlib.compress(model.model_dump_json().encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str) -> ModelSpec:
    """A model from `encode`'s text, which may come from anyone.

    Raises:
        SpecError: It is not a model.
    """
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, JSON_BYTES)  # a small text can unpack to gigabytes
    except (ValueError, zlib.error):
        raise SpecError("The link was cut or changed. Ask for it again.") from None
    if unpacker.unconsumed_tail:
        raise SpecError("The model in the link is too large.")
    return parse(ModelSpec, content, "model")
