"""A model as text for a URL, and back."""

from __future__ import annotations

from explorer.compact import from_text, to_text
from explorer.errors import SpecError
from explorer.specs import ModelSpec, parse

JSON_BYTES = 65536


def encode(model: ModelSpec) -> str:
    """A model as text for a URL."""
    return to_text(model.model_dump_json().encode())


def decode(text: str) -> ModelSpec:
    """A model from `encode`'s text, which may come from anyone.

    Raises:
        SpecError: It is not a model.
    """
    try:
        content = from_text(text, JSON_BYTES)
    except ValueError as error:
        raise SpecError(f"The model in the link {error}. Ask for it again.") from None
    return parse(ModelSpec, content, "model")
