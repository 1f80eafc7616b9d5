"""What would change an answer: the smallest change that does, and how much noise it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.errors import NotApplicable
from explorer.views import attacks, flipped, page, results
from explorer.views.copies import by_letter, share, shares
from explorer.views.options import Options
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.data.made import Example
    from explorer.flips import Flip

NEXT = -1
"""Stands for the class that the model answers after its first choice."""
SWAPS, MOST = 5, 10
"""Swaps of words that are allowed by default, and at most."""
NEAR = {"l1": "few values", "l2": "many values a little"}
LEADS = {0: "barely", 1: "by 1 logit (2.7 to 1)", 2: "by 2 logits (7.4 to 1)"}
MISLEADS = (
    "It tells where this model changes its mind, not what would change the world: a value that flips the answer need "
    "not be a cause, and the changed input need not be one that could ever be. Often many other changes do as well."
)


def flips(view: View, options: Options) -> None:
    """Draw it all: of texts and of answers that are classes the smallest change; of what has a size attacks, too.

    Args:
        view: What is looked at.
        options: Take what is chosen, for the URL.
    """
    if reason := why_not(view):
        st.info(reason, icon=":material/info:")
        return
    way = "change"
    if view.dataset.modality != "tokens":
        words = {"change": "the smallest change", "attack": "an adversarial example"}
        way = options.one("flip", "Look for", list(words), words=words.__getitem__)
    if way == "attack":
        attacks.attacked(view, options)
    else:
        _smallest(view, options)


def why_not(view: View) -> str:
    """Why nothing can flip, in words; empty if something can."""
    if view.dataset.classes:
        return ""
    kind = "a translation" if view.dataset.task == "translation" else "a number"
    return f"The answer is {kind}: what flips from one to the other are classes, so there is nothing to look for here."


def _smallest(view: View, options: Options) -> None:
    """The smallest change that makes another class the answer."""
    target, settings = _settle(view, options)
    try:
        found = flip(*view.place, target, *settings)
    except NotApplicable as error:
        st.info(page.plain(str(error)), icon=":material/info:")
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        flipped.changed(view, found.changed, _titles(view, found), "flip")
        st.caption(f"{_reading(view)} {MISLEADS}")
    with right:
        _outcome(view, found)
        flipped.keep(view, found.changed, found.answer if found.flipped else None, "flip")


def _settle(view: View, options: Options) -> tuple[int | None, tuple]:
    """Draw what can be chosen; returns the wanted class and the rest of what `flip` takes."""
    classes, answer = view.dataset.classes, results.prediction(*view.place).answer
    others = [number for number in range(len(classes)) if number != answer]
    with st.container(horizontal=True, key="flip-settings"):
        target = others[0]
        if len(others) > 1:
            target = options.one(
                "flipto",
                "Change the answer to",
                [NEXT, *others],
                words=lambda n: "its second choice" if n == NEXT else classes[n],
                few=0,
                width=220,
            )
        if view.dataset.modality == "tokens":
            settings = (options.number("flipswaps", f"Most swaps (1 to {MOST})", 1, MOST, SWAPS, width=180),)
        else:
            settings = (options.one("flipnear", "By changing", list(NEAR), words=NEAR.__getitem__, few=0, width=220),)
        lead = options.one("fliplead", "The new answer leads", list(LEADS), words=LEADS.__getitem__, few=0, width=220)
    return (None if target == NEXT else target), (*settings, float(lead))


@st.cache_data(max_entries=results.KEPT, show_spinner="Looking for the smallest change", show_time=True)
def flip(run_id: str, step: int, split: str, example: Example, target: int | None, how: str | int, lead: float) -> Flip:
    """The smallest change found for an example; `how` is the norm, or of texts the most swaps."""
    from explorer.flips import counterfactual, word_swaps

    model, x = results.rebuilt(run_id, step, per_class=True), results.input_of(run_id, split, example)
    if isinstance(how, int):
        return word_swaps(model, x, target, most=how, lead=lead)
    return counterfactual(model, x, target, room=attacks.room(run_id), norm=how, lead=lead)


def _titles(view: View, found: Flip) -> tuple[str, str]:
    classes = view.dataset.classes
    return tuple(
        f"{classes[answer]}, {share(probabilities[answer])}"
        for answer, probabilities in ((found.source, found.before), (found.answer, found.after))
    )


def _outcome(view: View, found: Flip) -> None:
    """Whether it flipped, by how much of a change, and both answers."""
    classes, wanted = view.dataset.classes, page.plain(view.dataset.classes[found.target])
    if found.flipped:
        st.markdown(f"**{_count(view, found)}** makes it answer **{wanted}**.")
    else:
        st.warning(
            f"No change was found within these bounds that makes it answer {wanted}. {_count(view, found)} came "
            f"closest: {abs(found.lead - float(found.params['lead'])):.2g} logits are missing.",
            icon=":material/block:",
        )
    st.markdown(shares(classes, found.before, found.after, ("before", "after")))
    if view.dataset.modality != "tokens":
        furthest = float(np.abs(found.change).max())
        unit = "of black to white" if view.dataset.modality == "image" else "standard deviations"
        st.caption(
            f"The furthest value moves by {furthest:.2g} {unit}; all changes add up to {found.l1:.3g}, their length is "
            f"{found.l2:.3g}."
        )


def _count(view: View, found: Flip) -> str:
    """How many values were changed, in words."""
    count, modality = int(found.places.sum()), view.dataset.modality
    if modality == "tokens":
        kind = "letter" if by_letter(view) else "word"
        return f"Swapping {count} {kind}{'' if count == 1 else 's'}"
    kind = {"series": "values", "vector": "columns"}.get(modality, "pixels")
    if modality == "image" and len(found.input) > 1:
        kind = "colour values"
    return f"Changing {count} of {found.input.size} {kind}"


def _reading(view: View) -> str:
    """What is seen, and how to read it."""
    if view.dataset.modality == "tokens":
        return (
            "Words on a coloured ground were swapped: the gradient proposes, the model decides (after HotFlip, "
            "Ebrahimi et al., 2018), and no swap is needless. Of texts this is "
            "what an adversarial example is, too. The result need not be a text that anybody would write."
        )
    limits = {
        "image": "Pixels stay between black and white.",
        "series": "Values stay in the range of the training data.",
        "vector": "Values stay in the range of the training data, whole numbers whole; of each category one is true.",
    }
    return (
        "The nearest input found for which the other class leads (the counterfactual of Wachter et al., 2017, found as "
        f"by Croce & Hein, 2020). {limits[view.dataset.modality]} The less must change, the closer the decision was."
    )
