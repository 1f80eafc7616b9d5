"""What the model does without some of its channels, units or heads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from explorer.figures.ablation import SHOWN, both, worth
from explorer.views import jobs, page, representations, results, state
from explorer.views.looks.base import Look
from explorer.views.server import store

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import torch

    from explorer.probes import ablation
    from explorer.probes.ablation import Part, Ranking
    from explorer.views.options import Options
    from explorer.views.view import View

EXAMPLES = 1000
"""Most test examples that the whole model is measured on."""
RANKED = 300
"""Most of those that each unit is measured on for the ranking."""
MORE = 12
"""A ranking may take so many times the work of one look."""
CLASSES = 10
"""Most classes that have a bar: the most probable ones."""
LAYERS = 3
"""Layers of which it is said what is off."""
TO = {"zero": "zero", "mean": "the mean over the data"}


Off = tuple[tuple["Part", tuple[int, ...]], ...]
"""Numbers of the units that are off, by layer, in the order of the model."""


class Chosen(NamedTuple):
    """What is off.

    Attributes:
        part: The layer whose units can be switched now.
        off: What is off, of all layers.
        to: What takes their place.
    """

    part: Part
    off: Off
    to: str

    @property
    def mine(self) -> tuple[int, ...]:
        """What is off of the layer that is shown."""
        return dict(self.off).get(self.part, ())


class Ablation(Look):
    """The model works without some of its heads, channels or units: what they put out is replaced by zero, or by its
    mean over the data. The bars show what that does to the answer for this example, the numbers what it does to the
    test split.
    """

    name = "ablation"
    title = "Ablation"
    order = 41
    misleads = (
        "Units stand in for each other: one that costs nothing alone may be needed once others are off. And zero may "
        "be a value that a unit never has, so that a part of the cost is surprise; the mean surprises less."
    )

    @classmethod
    def why_not(cls, view: View) -> str | None:
        return None if _parts(view.run.id) else "it has one layer, which is the answer itself."

    def settle(self, view: View, options: Options) -> Chosen:
        parts = {part.name: part for part in _parts(view.run.id)}
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("ablation-choice")):
            said = {name: f"{name}, {part.count} {_many(part)}" for name, part in parts.items()}
            name = options.one("layer", "Layer", list(parts), _usual(view), words=said.__getitem__, few=0, width=300)
            to = options.one("to", "Replaced by", list(TO), words=TO.__getitem__, few=0, width=190)
        part = parts[name]
        counts = {one.name: one.count for one in parts.values()}
        found = options.several("off", f"Switched off: {_many(part)} of {name}", name, counts, placeholder="None")
        chosen = Chosen(part, tuple((one, found[one.name]) for one in parts.values() if one.name in found), to)
        _elsewhere(chosen, options)
        self._numbers(view, chosen, options.key("ablation-numbers"))
        return chosen

    def _numbers(self, view: View, chosen: Chosen, key: str) -> None:
        """Loss and metric of the test split, and what has become of them."""
        whole, now = (_scores(view.run.id, view.step, off, chosen.to) for off in ((), chosen.off))
        count = len(_measured(view.run.id))
        with st.container(horizontal=True, key=f"{key}-{chosen.part.name}"):
            for name in (results.metric(view.run), "loss"):
                title, write, meaning = results.WORDS.get(name, ("loss", lambda value: f"{value:.3g}", "Mean loss."))
                lower = name in ("loss", "mae")
                st.metric(
                    title.capitalize(),
                    write(now[name]),
                    _change(name, now[name] - whole[name]) if chosen.off else None,
                    delta_color="inverse" if lower else "normal",
                    width="content",
                    help=meaning,
                )
        st.caption(f"Measured on {count:,} test examples, whichever example you look at.")

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        whole, now = (_answer(*view.place, off, chosen.to) for off in ((), chosen.off))
        shown, names, axis = _shown(view, whole, now)
        title = f"Without {_said(chosen.off)}" if chosen.off else "Nothing is off"
        pairs = zip(names, whole[shown], now[shown], strict=True)
        alt = f"{title}. " + "; ".join(f"{name}: {a:.3g}, without them {b:.3g}" for name, a, b in pairs) + "."
        without = now[shown] if chosen.off else None
        return both(whole[shown], without, names, title, alt, axis, view.dataset.task != "regression", dark)

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        if view.dataset.task == "translation":
            _translation(view, chosen)
        part = chosen.part
        rows = _ranked(view.run.id, part)
        st.markdown(f"**What each {part.unit} of {part.name} is worth**")
        key = ("ranking", view.run.id, view.step, part, chosen.to)
        found = jobs.outcome(
            key,
            options.key("ranking"),
            partial(_ranking, view.run.id, view.step, part, chosen.to),
            f"Rank all {part.count} {_many(part)}",
            f"Each is switched off by itself, and the model measured on {len(rows)} test examples.",
        )
        if found is not None:
            _worth(view, chosen, found, options)


def _worth(view: View, chosen: Chosen, found: Ranking, options: Options) -> None:
    """The ranking as bars that can be clicked."""
    part, name = chosen.part, results.metric(view.run)
    title = results.WORDS[name][0]
    changes = [_change(name, value - found.metric) for value in found.metrics]
    said = [f"loss {cost:+.3g}, {title} {change}" for cost, change in zip(found.costs, changes, strict=True)]
    first = int(found.order[0])
    figure = worth(
        found.order.tolist(),
        found.costs,
        said,
        chosen.mine,
        part.unit,
        f"Loss without each {part.unit} of {part.name}",
        f"What the loss rises by without each of {part.count} {_many(part)}. Dearest: {first}, {said[first]}.",
        "rise of the mean loss",
        page.dark(),
    )
    key = f"{options.key('worth')}-{state.option_revision()}"
    page.choose(figure, key, partial(_clicked, options, chosen))
    low = int((found.costs <= 0).sum())
    st.caption(
        f"Over {found.examples} test examples, on which the whole model has a loss of {found.loss:.3g} and "
        f"{title} {results.WORDS[name][1](found.metric)}."
        + (f" The {SHOWN} dearest of {part.count} are shown." if part.count > SHOWN else "")
        + (f" {low} of them cost{'s' * (low == 1)} nothing or less alone." if low else "")
        + " Click a bar to switch it off or on."
    )


def _clicked(options: Options, chosen: Chosen, points: list[dict[str, Any]]) -> None:
    off = {part.name: units for part, units in chosen.off}
    options.choose_some("off", off | {chosen.part.name: set(chosen.mine) ^ {int(points[0]["customdata"][0])}})


def _elsewhere(chosen: Chosen, options: Options) -> None:
    """What is off of other layers, and the way back to the whole model."""
    if not chosen.off:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=options.key("ablation-all")):
        if others := tuple((part, units) for part, units in chosen.off if part != chosen.part):
            st.markdown(f"Off elsewhere: {page.plain(_said(others))}.", width="content")
        st.button(
            "Switch all on again",
            key=options.key("ablation-on"),
            icon=":material/restart_alt:",
            on_click=options.choose_some,
            args=("off", {}),
        )


def _translation(view: View, chosen: Chosen) -> None:
    """What is written by itself, with all and without."""
    whole, now = (_written(*view.place, off, chosen.to) for off in ((), chosen.off))
    said = f"The whole model writes: **{page.plain(whole) or 'nothing'}**"
    if chosen.off:
        said += f"  \nWithout {page.plain(_said(chosen.off))}: **{page.plain(now) or 'nothing'}**"
    st.markdown(said if view.changed else f"{said}  \nRight is: **{page.plain(view.said)}**")


def _shown(view: View, whole: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, list[str], str]:
    """Which of the values have bars, their names, and what they are."""
    dataset = view.dataset
    if dataset.task == "regression":
        return np.arange(1), ["answer"], "answer" if view.changed else f"answer; truly {view.said}"
    if dataset.task == "translation":
        of = "whole model's" if view.changed else "right"
        tokens = [dataset.target_vocabulary[token] for token in view.written[1:] if token]
        return np.arange(len(whole)), [*tokens, "<end>"][: len(whole)], f"probability of the {of} next token"
    best = np.argsort(-np.maximum(whole, now), kind="stable")[:CLASSES]
    shown = np.sort(best if view.truth is None else np.union1d(best, [view.truth]))
    words = [f"{dataset.classes[n]} (true)" if n == view.truth else dataset.classes[n] for n in shown.tolist()]
    return shown, words, "probability"


def _many(part: Part) -> str:
    return part.unit if part.count == 1 else f"{part.unit}s"


def _said(off: Off) -> str:
    """What is off, in few words."""
    words = []
    for part, units in off[:LAYERS]:
        many = f"{part.unit}{'s' * (len(units) > 1)}"
        some = f"{many} {', '.join(map(str, units))}" if len(units) <= 3 else f"{len(units)} {many}"
        words.append(f"{some} of {part.name}")
    return " and ".join([*words, f"{len(off) - LAYERS} more layers"] if len(off) > LAYERS else words)


def _change(metric: str, by: float) -> str:
    """By how much a metric has changed."""
    shares = metric in ("accuracy", "token_accuracy")
    return f"{100 * by:+.1f} points" if shares else f"{by:+.3g}"


def _usual(view: View) -> str:
    from explorer.probes.ablation import telling_part

    return telling_part(_parts(view.run.id), list(view.layers.values())).name


# -- results ----------------------------------------------------------------------------------------------------------


@st.cache_data(max_entries=64, show_spinner=False)
def _parts(run_id: str) -> list[Part]:
    from explorer.data import dataset_of
    from explorer.models import build
    from explorer.probes.ablation import parts_of

    spec = store().get(run_id).spec
    return parts_of(build(spec.model, dataset_of(spec)), list(representations.layers_of(run_id).values()))


def _rows(run_id: str, most: int, share: float = 1.0) -> np.ndarray:
    """Numbers of the test examples that are measured."""
    from explorer.data import dataset_of
    from explorer.probes.representation import affordable, sample

    run = store().get(run_id)
    return sample(len(dataset_of(run.spec).test), affordable(round(run.macs * share), 0, most))


def _measured(run_id: str) -> np.ndarray:
    return _rows(run_id, EXAMPLES)


def _ranked(run_id: str, part: Part) -> np.ndarray:
    return _rows(run_id, RANKED, max(1.0, part.count / MORE))


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _means(run_id: str, step: int, part: Part) -> torch.Tensor:
    """What its units usually are: their means over as many training examples as are measured."""
    from explorer.data import dataset_of
    from explorer.probes.ablation import means_of
    from explorer.probes.representation import sample

    dataset = dataset_of(store().get(run_id).spec)
    rows = sample(len(dataset.train), len(_measured(run_id)))
    return means_of(results.rebuilt(run_id, step), dataset, part, rows)


def _instead(run_id: str, step: int, part: Part, to: str) -> torch.Tensor | None:
    return _means(run_id, step, part) if to == "mean" else None


def _without(run_id: str, step: int, off: Off, to: str) -> list[ablation.Off]:
    return [(part, units, _instead(run_id, step, part, to)) for part, units in off]


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _scores(run_id: str, step: int, off: Off, to: str) -> dict[str, float]:
    from explorer.data import dataset_of
    from explorer.probes.ablation import scores

    dataset, found = dataset_of(store().get(run_id).spec), _without(run_id, step, off, to)
    return scores(results.rebuilt(run_id, step), dataset, "test", _measured(run_id), found)


def _ranking(run_id: str, step: int, part: Part, to: str) -> jobs.Work:
    from explorer.data import dataset_of
    from explorer.probes.ablation import ranking

    dataset, rows = dataset_of(store().get(run_id).spec), _ranked(run_id, part)
    return ranking(results.rebuilt(run_id, step), dataset, "test", rows, part, _instead(run_id, step, part, to))


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _answer(run_id: str, step: int, split: str, example: int, off: Off, to: str) -> np.ndarray:
    """Probabilities of the classes; of the right next tokens of a translation; the value of a regression, (1,)."""
    from explorer.data import dataset_of
    from explorer.probes import TwoClasses, predict, right_tokens
    from explorer.probes.ablation import without

    dataset, model = dataset_of(store().get(run_id).spec), results.rebuilt(run_id, step)
    x = results.input_of(run_id, split, example)
    right = results.to_write(run_id, split, example, step) if dataset.task == "translation" else None
    with without(model, _without(run_id, step, off, to)):
        if right is not None:
            return right_tokens(model, x, right)
        if dataset.task == "regression":
            mean, spread = dataset.scale
            return mean + spread * predict(model, x).logits[:1]
        return predict(TwoClasses(model) if dataset.task == "binary" else model, x).probabilities


@st.cache_data(max_entries=results.KEPT, show_spinner=False)
def _written(run_id: str, step: int, split: str, example: int, off: Off, to: str) -> str:
    from explorer.data import dataset_of
    from explorer.models import translate
    from explorer.probes.ablation import without

    dataset, model = dataset_of(store().get(run_id).spec), results.rebuilt(run_id, step)
    with without(model, _without(run_id, step, off, to)):
        written = translate(model, results.input_of(run_id, split, example), dataset.target_shape.size[0])
    return dataset.answer(written[0])
