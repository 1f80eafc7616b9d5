"""Adversarial examples: noise made to mislead, with its strength on a slider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from explorer.errors import NotApplicable
from explorer.figures.flips import strengths
from explorer.specs import Modality
from explorer.views import flipped, page, results
from explorer.views.copies import share, shares
from explorer.views.options import Options
from explorer.views.view import View

if TYPE_CHECKING:
    from explorer.data.made import Example
    from explorer.flips import Attacked, Room

FURTHEST: dict[Modality, tuple[float, float]] = {"image": (0.4, 0.1), "series": (1.0, 0.3), "vector": (1.0, 0.3)}
"""The greatest strength, and the one shown at first."""
FINE, COARSE = 21, 6
"""Strengths for one example, and for many."""
MANY = {0: "of this example only", 100: "of 100 examples", 500: "of 500 examples"}
UNITS: dict[Modality, str] = {
    "image": "strength (share of black to white)",
    "series": "strength (standard deviations)",
    "vector": "strength (standard deviations)",
}
MISLEADS = (
    "Nobody would meet this noise by chance: it shows how fragile the answer is when somebody aims at it, not what the "
    "model normally goes by. An attack that fails proves nothing, as a stronger one may succeed."
)


def attacked(view: View, options: Options) -> None:
    """Draw one attack on the example at a chosen strength, and what becomes of it as it grows stronger."""
    from explorer.flips import ATTACKS

    furthest, usual = FURTHEST[view.dataset.modality]
    known = [round(float(value), 4) for value in np.linspace(0, furthest, FINE)]
    with st.container(horizontal=True, vertical_alignment="bottom", key="attack-settings"):
        method = options.one("attack", "Attack", list(ATTACKS), words=lambda name: ATTACKS[name].title)
        strength = options.slider("strength", UNITS[view.dataset.modality].capitalize(), known, usual, width=280)
        count = options.one("attackmany", "Accuracy", list(MANY), words=MANY.__getitem__, few=0, width=200)
    label = results.prediction(*view.place).answer if view.truth is None else view.truth
    try:
        found = attack_on(*view.place, method, label, tuple(known))
    except NotApplicable as error:
        st.info(page.plain(str(error)), icon=":material/info:")
        return
    at = known.index(strength)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        flipped.changed(view, found.changed[at], _titles(view, found, at), "attack")
        cls = ATTACKS[method]
        st.caption(f"{cls.title} ({cls.paper}): {cls.help()} {_limits(view)} {MISLEADS}")
    with right:
        _outcome(view, found, at)
        turned = int(found.probabilities[at].argmax())
        flipped.keep(view, found.changed[at], turned if turned != label else None, "attack")
    _curves(view, found, strength, count)


@st.cache_data(max_entries=64, show_spinner=False)
def room(run_id: str) -> Room:
    """What an input of a run's data may be."""
    from explorer.data import dataset_of
    from explorer.flips import room_of
    from explorer.views.server import store

    return room_of(dataset_of(store().get(run_id).spec))


@st.cache_data(max_entries=results.KEPT_LARGE, show_spinner="Attacking it with each strength", show_time=True)
def attack_on(
    run_id: str, step: int, split: str, example: Example, method: str, label: int, known: tuple[float, ...]
) -> Attacked:
    """An attack on an example, with each of several strengths."""
    from explorer.flips import attack

    model, x = results.rebuilt(run_id, step, per_class=True), results.input_of(run_id, split, example)
    return attack(method, model, x, label, known, room=room(run_id))


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def accuracy(run_id: str, step: int, split: str, method: str, strength: float, count: int) -> float:
    """Share of the first examples of a split that are still answered right under attack."""
    from explorer.data import dataset_of
    from explorer.flips import ATTACKS, accuracy_under
    from explorer.views.server import store

    part = dataset_of(store().get(run_id).spec).split(split)
    model, made = results.rebuilt(run_id, step, per_class=True), ATTACKS.make(method)
    return accuracy_under(made, model, part.inputs[:count], part.targets[:count], strength, room(run_id))


def _titles(view: View, found: Attacked, at: int) -> tuple[str, str]:
    classes, rows = view.dataset.classes, (found.probabilities[0], found.probabilities[at])
    return tuple(f"{classes[row.argmax()]}, {share(row.max())}" for row in rows)


def _limits(view: View) -> str:
    if view.dataset.modality == "vector":
        return "Values stay in the range of the training data and categories as they are; whole numbers do not."
    return (
        f"Values stay {'between black and white' if view.dataset.modality == 'image' else 'in the range of the data'}."
    )


def _outcome(view: View, found: Attacked, at: int) -> None:
    """What the answer has become, and how strong the attack must be to turn it."""
    classes, strengths_known = view.dataset.classes, found.strengths
    kind = "the true class" if view.truth is not None else "the answer"
    name = page.plain(classes[found.label])
    if found.first is None:
        said = f"Up to a strength of {strengths_known[-1]:.2g} it still answers **{name}**, {kind}."
    elif found.first == 0:
        said = f"It does not answer **{name}**, {kind}, even without an attack."
    else:
        said = (
            f"A strength of **{strengths_known[found.first]:.2g}** is the first of {len(strengths_known)} tried at "
            f"which it no longer answers **{name}**, {kind}."
        )
    st.markdown(said)
    heads = ("no attack", f"strength {strengths_known[at]:.2g}")
    st.markdown(shares(classes, found.probabilities[0], found.probabilities[at], heads))


def _curves(view: View, found: Attacked, strength: float, count: int) -> None:
    """How probable the class stays as the attack grows stronger; on request, how many examples are still right."""
    classes, label = view.dataset.classes, found.label
    others = np.delete(found.probabilities, label, axis=1).max(axis=1)
    kind = "true" if view.truth is not None else "the answer"
    lines = {f"{classes[label]} ({kind})": found.probabilities[:, label], "best other": others}
    axes = (UNITS[view.dataset.modality], "probability")
    left, right = st.columns(2, gap="medium")
    with left:
        own = found.probabilities[:, label]
        alt = f"Probability of {classes[label]} as the attack grows stronger, from {own[0]:.2f} to {own[-1]:.2f}."
        figure = strengths(
            found.strengths.tolist(), lines, strength, "Probability, this example", axes, alt, page.dark()
        )
        page.show(figure, key="attack-curve")
    if count:
        with right:
            _accuracies(view, found, strength, count)


def _accuracies(view: View, found: Attacked, strength: float, count: int) -> None:
    count = min(count, len(view.dataset.split(view.split)))
    known = found.strengths[:: (FINE - 1) // (COARSE - 1)].round(4).tolist()
    progress, right = st.empty(), []
    for done, value in enumerate(known):
        progress.progress(done / len(known), f"Attacking {count} examples, strength {value:.2g}")
        right.append(accuracy(*view.place[:3], found.method, value, count))
    progress.empty()
    title, axes = f"Accuracy of {count} {view.split} examples", (UNITS[view.dataset.modality], "accuracy")
    alt = f"Accuracy falls from {right[0]:.0%} to {right[-1]:.0%} as the attack grows stronger."
    lines = {"answered right": np.array(right)}
    page.show(strengths(known, lines, strength, title, axes, alt, page.dark()), key="attack-accuracy")
