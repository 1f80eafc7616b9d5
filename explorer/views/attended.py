"""Attention of a run's model in an example, for all looks at it: cached results, and what its places are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.views import page, results
from explorer.views.looks.base import Look
from explorer.views.options import Options
from explorer.views.view import View

if TYPE_CHECKING:
    import torch

    from explorer.data.made import Example
    from explorer.probes import AttentionMap, Places

MEAN = 0
"""Stands for the mean of all heads among their numbers."""
KEPT = 48
"""Results of each kind kept for all sessions together, of which one may take a megabyte."""


class Attending(Look):
    """Base of the looks at attention."""

    scope = "attention"
    misleads = (
        "A weight says how much of a place is read, not what that changes: attention is not by itself an explanation "
        "of the answer (Jain & Wallace, 2019)."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if has_attention(view) else "it has no attention."

    def onward(self) -> None:
        st.page_link(page.ATTRIBUTIONS, label="Attributions of the same example", icon=":material/psychology_alt:")


def has_attention(view: View) -> bool:
    """Whether the model looks from place to place at all."""
    return any(spot.what == "attention" for spot in results.spots(view.run.id))


# -- results ----------------------------------------------------------------------------------------------------------


def given(run_id: str, step: int, split: str, example: Example) -> tuple[torch.Tensor, ...]:
    """What a run's model is called with for an example, without padding: its input; of a translator also the right
    translation, or of a made example the model's own, up to its last word.
    """
    from explorer.data import END, PAD
    from explorer.training.measure import trimmed

    x, *right = results.given(run_id, split, example, step)
    return (trimmed(x), *(tokens[:, : int(((tokens != PAD) & (tokens != END)).sum())] for tokens in right))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def maps(run_id: str, step: int, split: str, example: Example) -> dict[str, AttentionMap]:
    """Where every attention of a run's model looks, by a short name."""
    from explorer.probes import attention_maps

    found = attention_maps(results.rebuilt(run_id, step), *given(run_id, step, split, example))
    return {short(seen.layer): seen for seen in found}


def short(module: str) -> str:
    """Name of an attention without what all have: ``transformer1`` for ``transformer1.attention.weights``."""
    return module.removesuffix(".weights").removesuffix(".attention")


def said(name: str) -> str:
    """The short name of an attention in words."""
    for part, words in ((".cross_attention", " → source"), (".self_attention", " → written")):
        if name.endswith(part):
            return name.removesuffix(part).removeprefix("decoder.") + words
    return name


def head_said(head: int, heads: int) -> str:
    """One of several heads in words, behind a name."""
    return "" if heads == 1 else " · mean head" if head == MEAN else f" · head {head}"


def choose_layer(options: Options, names: list[str], option: str = "attention") -> str:
    """Draw the choice of an attention by its short name; the last one is the first choice."""
    return options.one(option, "Layer", names, default=names[-1], words=said, few=0, width=240)


# -- places -----------------------------------------------------------------------------------------------------------


def places(view: View, seen: AttentionMap) -> tuple[Places, Places]:
    """The places that look and those that are looked at, as they are called."""
    from explorer.probes import Places, places_at

    source, *written = (tokens[0].tolist() for tokens in given(*view.place))
    read = written[0] if written else ()
    layers = list(view.layers.values())
    name = short(seen.layer)
    layer = max((one for one in view.layers if name.startswith(one)), key=len, default="")
    mine = places_at(layers, layer, view.dataset, source, read)
    across = layer.startswith("decoder.") and not name.endswith(".self_attention")
    theirs = places_at(layers, "", view.dataset, source) if across else mine
    looks, offered = seen.weights.shape[1:]
    return Places(("the whole",)) if looks == 1 and not across else mine.known(looks), theirs.known(offered)


def within(place: int, places: Places) -> int:
    """The place, or the last one if there are not so many: of a changed copy a translator reads what it writes itself,
    at another step perhaps less.
    """
    return min(place, len(places) - 1)


def head_words(heads: int) -> list[str]:
    """What the mean of all heads and each of them are called, from 0."""
    return [f"mean of {heads}", *map(str, range(1, heads + 1))]


def choose_head(options: Options, heads: int, mean: bool = True) -> int:
    """Draw the choice of a head, from 1, or `MEAN`."""
    if heads == 1:
        return 1
    known = list(range(0 if mean else 1, heads + 1))
    return options.one("head", "Head", known, words=head_words(heads).__getitem__, few=0, width=130)


def choose_place(options: Options, places: Places, label: str, every: str = "") -> int:
    """Draw the choice of a place, from 0; -1 stands for all of them, if that has a word."""
    known = [-1, *range(len(places))] if every else list(range(len(places)))
    first = 0 if places.token or not every else -1
    return options.one(
        "place",
        label,
        known,
        default=first,
        words=lambda n: every if n < 0 else places.names[n] if places.what != "token" else f"{n}: {places.names[n]}",
        few=0,
        width=220,
    )
