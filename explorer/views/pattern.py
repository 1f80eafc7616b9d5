"""A pattern in what a recurrent layer reads, chosen by a person: a text, a kind of token, a span of places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.views import results
from explorer.views.options import Options
from explorer.views.view import View

if TYPE_CHECKING:
    import torch

    from explorer.data import Dataset
    from explorer.data.made import Example

    Given = tuple[torch.Tensor, ...]

Pattern = tuple[str, ...] | tuple[str, int, int]
"""What kind it is, and the text or the first and last place that belong to it."""
TEXT, SPAN, EVIDENCE = "text", "span", "evidence"
_TITLES = {TEXT: "A text", SPAN: "A span of places", EVIDENCE: "What decides the class"}


def choose_pattern(view: View, layer: str, options: Options) -> Pattern:
    """Choose a pattern that what this layer reads can have."""
    from explorer.probes.patterns import LONGEST, SHAPES, classes_of
    from explorer.views.remembered import memory

    split, length = view.dataset.split(view.split), len(memory(*view.place, layer).parts["hidden_state"])
    known = split.evidence is not None and not view.changed and not layer.startswith("decoder.")
    evidence = [EVIDENCE] if known else []
    vocabulary = _vocabulary(view.dataset, layer)
    if vocabulary:
        kinds = [*evidence, *classes_of(vocabulary), TEXT, SPAN]
    else:
        kinds = [
            *evidence,
            *(SHAPES if _signal(view.input, length) is not None else ()),
            SPAN,
        ]
    kind = options.one("find", "Pattern", kinds, words=_titles().__getitem__, few=0, width=240)
    if kind == TEXT:
        first = _tokens(view.dataset, layer, *results.given(view.run.id, view.split, view.shown, view.step))[-1]
        help_ = "As it is, in small or capital letters. Of words, whole ones, one after the other."
        return kind, options.text("text", "Text", first, LONGEST, width=180, help=help_)
    if kind == SPAN:
        last = max(1, length - 1)
        return kind, *options.span("span", "Places", 0, last, (last // 3, max(last // 3, 2 * last // 3 - 1)), width=260)
    return (kind,)


def in_words(pattern: Pattern) -> str:
    """A pattern in a few words."""
    kind, *rest = pattern
    if kind == TEXT:
        return f"“{rest[0]}”"
    if kind == SPAN:
        return f"Places {rest[0]} to {rest[1]}"
    return _titles()[kind]


def _titles() -> dict[str, str]:
    from explorer.probes.patterns import CLASSES, SHAPES

    return _TITLES | SHAPES | {name: one.title for name, one in CLASSES.items()}


def marks_of(
    dataset: Dataset, split: str, example: Example, given: Given, layer: str, pattern: Pattern, count: int
) -> np.ndarray:
    """(count,) bool: where a pattern is among the places that a layer reads of an example.

    Args:
        dataset, split, example: Which example; of a made one it is not known what decides its class.
        given: What the model is called with for it, as from `results.given`.
        layer, pattern: The layer, and what is looked for.
        count: How many places the layer has.

    Raises:
        NotApplicable: It is a text that cannot be looked for.
    """
    from explorer.data import by_character
    from explorer.probes.patterns import SHAPES, of_class, of_shape, of_span, of_text

    kind, *rest = pattern
    if kind == SPAN:
        return of_span(*rest, count)
    if kind == EVIDENCE:
        found = dataset.split(split).evidence[example].numpy()
        return _fitted(found.any(axis=-1) if found.ndim > 1 else found, count)
    if kind in SHAPES:
        signal = _signal(given[0], count)
        return np.zeros(count, dtype=bool) if signal is None else of_shape(kind, signal)
    tokens = _tokens(dataset, layer, *given)
    if kind == TEXT:
        return _fitted(of_text(rest[0], tokens, by_character(_vocabulary(dataset, layer))), count)
    return _fitted(of_class(kind, tokens), count)


def _fitted(marks: np.ndarray, count: int) -> np.ndarray:
    """Marks of what was given as marks of `count` places: without padding, and with a class token before them."""
    before = np.zeros(max(0, count - len(marks)), dtype=bool)
    return np.concatenate([before, marks])[:count]


def _vocabulary(dataset: Dataset, layer: str) -> tuple[str, ...]:
    return dataset.target_vocabulary if layer.startswith("decoder.") else dataset.vocabulary


def _tokens(dataset: Dataset, layer: str, *given: torch.Tensor) -> list[str]:
    """The tokens that a layer reads of what the model is called with, without padding."""
    read, vocabulary = given[-1 if layer.startswith("decoder.") else 0], _vocabulary(dataset, layer)
    return [vocabulary[token] for token in read[0].tolist() if token]


def _signal(x: torch.Tensor, count: int) -> np.ndarray | None:
    """(count,) what a series (1, …) is at each place, or how bright each row of an image is; None if places are
    others.
    """
    values = x[0].numpy()
    signal = values.mean(axis=0) if values.ndim == 2 else values.mean(axis=(0, 2)) if values.ndim == 3 else values
    return signal if len(signal) == count else None
