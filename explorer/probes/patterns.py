"""Patterns in what a model reads: a text that somebody typed, a kind of token, a span of places."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from explorer.data import SPECIAL, UNKNOWN, by_character
from explorer.errors import NotApplicable

LONG = 8
"""Letters from which on a word is long."""
LONGEST = 40
"""Characters of a text to look for."""


@dataclass(frozen=True)
class TokenClass:
    """A kind of place in a text.

    Attributes:
        title: What it is called.
        holds: Which of the tokens (L,) are of it.
        among: Texts of which tokens have it.
        anywhere: Whether it is about the place and not about the token, so that every vocabulary has it.
    """

    title: str
    holds: Callable[[Sequence[str]], list[bool]]
    among: Literal["characters", "words", "both"] = "both"
    anywhere: bool = False


def _each(holds: Callable[[str], bool]) -> Callable[[Sequence[str]], list[bool]]:
    return lambda tokens: [holds(token) for token in tokens]


def _vowel(token: str) -> bool:
    return len(token) == 1 and unicodedata.normalize("NFD", token.casefold())[0] in "aeiou"


CLASSES: dict[str, TokenClass] = {
    "vowels": TokenClass("Vowels", _each(_vowel), "characters"),
    "consonants": TokenClass(
        "Consonants", _each(lambda token: len(token) == 1 and token.isalpha() and not _vowel(token)), "characters"
    ),
    "capitals": TokenClass("Capital letters", _each(lambda token: token[:1].isupper())),
    "digits": TokenClass("Digits", _each(lambda token: any(map(str.isdigit, token)))),
    "spaces": TokenClass("Spaces", _each(str.isspace), "characters"),
    "after": TokenClass(
        "After a space", lambda tokens: [False, *(token.isspace() for token in tokens[:-1])], "characters"
    ),
    "punctuation": TokenClass("Punctuation", _each(lambda token: not any(c.isalnum() or c.isspace() for c in token))),
    "long": TokenClass(f"Long words ({LONG} letters or more)", _each(lambda token: len(token) >= LONG), "words"),
    "unknown": TokenClass("Words it does not know", _each(lambda token: token == SPECIAL[UNKNOWN]), "words"),
    "repeated": TokenClass(
        "The same as the one before",
        lambda tokens: [False, *(one == other for one, other in pairwise(tokens))],
        anywhere=True,
    ),
    "first": TokenClass("The first place", lambda tokens: [n == 0 for n in range(len(tokens))], anywhere=True),
    "last": TokenClass(
        "The last place", lambda tokens: [n == len(tokens) - 1 for n in range(len(tokens))], anywhere=True
    ),
}
"""By the name that links use."""


def classes_of(vocabulary: tuple[str, ...]) -> list[str]:
    """Names of the classes that texts of a vocabulary can have."""
    mine, known = "characters" if by_character(vocabulary) else "words", list(vocabulary)
    return [
        name
        for name, one in CLASSES.items()
        if one.among in (mine, "both") and (one.anywhere or any(one.holds([*known, "x"])))
    ]


def of_class(name: str, tokens: Sequence[str]) -> np.ndarray:
    """(L,) bool: which of the tokens are of a class."""
    return np.array(CLASSES[name].holds(list(tokens)) if len(tokens) else [], dtype=bool)


def of_text(text: str, tokens: Sequence[str], characters: bool) -> np.ndarray:
    """(L,) bool: which of the tokens belong to a place where a text stands, in small or capital letters.

    Args:
        text: What to look for, as it is: no sign has a special meaning. Of words, whole ones, one after the other.
        tokens: Where to look, (L,).
        characters: Whether tokens are characters rather than words.

    Raises:
        NotApplicable: The text is empty, or too long.
    """
    wanted = [part.casefold() for part in (text if characters else text.split())]
    if not wanted or len(text) > LONGEST:
        raise NotApplicable(
            f"Got a text of {len(text)} characters to look for. Type one to {LONGEST} of them, not only spaces."
            if text
            else "Type what to look for."
        )
    known = [token.casefold() for token in tokens]
    found = np.zeros(len(known), dtype=bool)
    for start in range(len(known) - len(wanted) + 1):
        if known[start : start + len(wanted)] == wanted:
            found[start : start + len(wanted)] = True
    return found


def of_span(first: int, last: int, count: int) -> np.ndarray:
    """(L,) bool: the places from the first to the last, from 0, of `count`."""
    places = np.arange(count)
    return (first <= places) & (places <= last)


SHAPES: dict[str, str] = {"high": "Above its mean", "rising": "Rising"}
"""What a series can be at a place, by the name that links use."""


def of_shape(name: str, signal: np.ndarray) -> np.ndarray:
    """(L,) bool: where a signal (L,) is above its own mean, or above what it was one place before."""
    return signal > signal.mean() if name == "high" else np.diff(signal, prepend=signal[:1]) > 0
