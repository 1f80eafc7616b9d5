"""Texts that were typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from explorer.data.base import PAD, SPECIAL, UNKNOWN, Dataset, by_character
from explorer.data.made.codes import damaged, pack, unpack
from explorer.errors import DataError

LETTERS = 40
"""Letters of a word that are kept."""
_BYTES = 4
"""Most bytes of a letter in UTF-8."""
_WORD = re.compile(rf"{SPECIAL[UNKNOWN]}|\w+(?:[’'-]\w+)*|[^\w\s]")
_PART = re.compile(r"\w+|[^\w\s]")
_LETTER = re.compile(rf"{SPECIAL[UNKNOWN]}|.")


@dataclass(frozen=True)
class Read:
    """What a model reads of a text.

    Attributes:
        tokens: (1, L), as the data set's inputs.
        said: The text, as far as it is read.
        unknown: Words or characters of it that are not in the vocabulary, each once.
        cut: Whether it was longer than the texts of the data set, so that the rest is left out.
    """

    tokens: torch.Tensor
    said: str
    unknown: tuple[str, ...]
    cut: bool


def read(dataset: Dataset, text: str) -> Read:
    """Read a text as the data set's own: in its small letters, its punctuation, and no longer than they are.

    Raises:
        DataError: There is nothing in it that could be read.
    """
    longest = dataset.shape.size[0]
    text = text[: 2 * LETTERS * longest]  # whatever comes, looking through it takes no time
    if not any(token != token.lower() for token in dataset.vocabulary):
        text = text.lower()
    numbers = {token: number for number, token in enumerate(dataset.vocabulary) if number != PAD}
    letters = by_character(dataset.vocabulary)
    found = list(_letters(text, numbers) if letters else _words(text, numbers))
    if not found:
        raise DataError(f"The text is empty. Type at least one {'letter' if letters else 'word'}.")
    kept = found[:longest]
    tokens = torch.full((1, longest), PAD)
    tokens[0, : len(kept)] = torch.tensor([numbers.get(piece, UNKNOWN) for piece in kept])
    unknown = dict.fromkeys(piece for piece in kept if piece not in numbers)
    return Read(tokens, ("" if letters else " ").join(kept), tuple(unknown), len(found) > longest)


def code_of(dataset: Dataset, text: str) -> str:
    """The code of a text, as far as it is read.

    Raises:
        DataError: There is nothing in it, or too much that is unknown to be kept in a link.
    """
    return pack(dataset, read(dataset, text).said.encode())


def text_of(dataset: Dataset, code: str) -> str:
    """The text of a code.

    Raises:
        DataError: It is none.
    """
    try:
        text = unpack(dataset, code, _BYTES * (LETTERS + 1) * dataset.shape.size[0]).decode()
    except UnicodeDecodeError:
        raise damaged() from None
    if not text.strip():
        raise damaged()
    return text


def _letters(text: str, known: dict[str, int]) -> Iterator[str]:
    for letter in _LETTER.findall(" ".join(text.split())):
        if not letter.isspace() or letter in known:
            yield letter


def _words(text: str, known: dict[str, int]) -> Iterator[str]:
    """Words, and signs where the data have signs; the longest ones that are known."""
    signs = "." in known or "," in known
    for part in text.split():
        if part in known:
            yield part
            continue
        for word in _WORD.findall(part):
            parts = _PART.findall(word)
            if word not in known and len(parts) > 1 and all(one in known for one in parts):
                yield from parts
            elif word in known or signs or word[0].isalnum() or word == SPECIAL[UNKNOWN]:
                yield word[:LETTERS]
