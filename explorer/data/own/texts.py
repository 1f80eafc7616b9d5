"""Texts with a label each."""

from __future__ import annotations

import re
from typing import Literal

import pandas as pd

from explorer.data.own.reading import Reading, check_count, of_classes
from explorer.data.own.tables import labels
from explorer.errors import DataError

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
LONGEST = {"words": 100, "characters": 160}
FREQUENT = 500
"""From so many texts on, a word that stands only once in the training texts is taken to be unknown."""


def read_texts(frame: pd.DataFrame, text: str, label: str, by: Literal["words", "characters"] = "words") -> Reading:
    """Texts in small letters, as words and signs or as characters, to tell the label from.

    Args:
        frame: As from `read_csv`.
        text, label: Names of the columns.
        by: What a text is cut into. Characters suit names, and languages without spaces.

    Raises:
        DataError: No such columns, or nothing to learn.
    """
    for name in (text, label):
        if name not in frame.columns:
            raise DataError(f"There is no column {name!r}. The columns are: {', '.join(frame.columns[:20])}.")
    if text == label:
        raise DataError("The text and the label are the same column. Choose two.")
    longest = LONGEST[by]
    check_count(len(frame), longest)
    read = [_cut(one or "", by, longest) for one in labels(frame[text])]
    # A text of nothing has no answer worth learning.
    said = [name if tokens else None for name, tokens in zip(labels(frame[label]), read, strict=True)]
    rare = 2 if by == "words" and len(read) >= FREQUENT else 1
    return of_classes(read, said, "tokens", longest=longest, rare=rare)


def _cut(text: str, by: str, longest: int) -> tuple[str, ...]:
    text = text.lower()
    return tuple((WORD.findall(text[: 50 * longest]) if by == "words" else text)[:longest])
