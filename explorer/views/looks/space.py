"""Where a layer puts the examples: its space in two or three dimensions, and the neighbours of one example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from explorer.figures.quality import short
from explorer.figures.space import Cloud, cloud
from explorer.views import coloured, jobs, opened, page, representations, state
from explorer.views.looks.base import COLUMNS, Look
from explorer.views.view import move

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.models import Planned
    from explorer.views.options import Options
    from explorer.views.representations import Layer, Split
    from explorer.views.view import View

WAYS = {"pca": "PCA", "tsne": "t-SNE"}
MEASURES = {"cosine": "cosine distance", "euclidean": "Euclidean distance"}
SEEDS = 99
PERPLEXITIES = (5, 15, 30, 50)
COMPONENTS = 50
"""As `explorer.probes.tsne.COMPONENTS`, which is imported late."""
WIDTH = 190
"""Pixels of a choice."""


@dataclass(frozen=True)
class Chosen:
    """All that the picture is made from beside the place in the run.

    Attributes:
        layer: Which layer, and how its output becomes a vector.
        way: PCA or t-SNE.
        fitted: Step whose principal components are the axes of all steps; None if each has its own.
        perplexity, seed: Of t-SNE.
        measure: How far apart examples are, for the neighbours.
    """

    layer: Layer
    way: str
    dimensions: int
    colour: str
    fitted: int | None
    perplexity: int
    seed: int
    measure: str

    def of(self, view: View) -> int:
        """Step whose principal components are the axes."""
        return view.step if self.fitted is None else self.fitted


class EmbeddingSpace(Look):
    """Every example is a point, and examples that this layer represents alike lie close together. The one you look at
    has a thick ring, its nearest neighbours thin ones. Click a point to look at its example; where there are three
    dimensions, choose it from the list below.
    """

    name = "space"
    title = "Embedding space"
    order = 20
    misleads = (
        "Two or three dimensions show only a part of what a layer tells apart: points that overlap here may be far "
        "from each other."
    )

    def settle(self, view: View, options: Options) -> Chosen:
        layers = view.layers
        with st.container(horizontal=True, vertical_alignment="bottom", key=options.key("space-choice")):
            name = options.one("layer", "Layer", list(layers), _telling(view), few=0, width=WIDTH)
            way = options.one("way", "By", list(WAYS), words=WAYS.__getitem__)
            colours = coloured.known(view)
            colour = options.one("colour", "Colour", list(colours), words=colours.__getitem__, few=0, width=WIDTH)
        with (
            st.expander("More choices", key=options.key("space-more")),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            dimensions = options.one("axes", "Dimensions", [2, 3])
            how = _how(layers[name], options)
            measure = options.one(
                "near", "Neighbours by", list(MEASURES), words=MEASURES.__getitem__, few=0, width=WIDTH
            )
            fitted, perplexity, seed = view.steps[-1], 30, 0
            if way == "tsne":
                most = len(representations.rows((view.run.id, view.split), (name, how))) - 1
                fitting = [one for one in PERPLEXITIES if one < most] or [max(1, most // 3)]
                perplexity = options.one(
                    "perplexity", "Perplexity", fitting, fitting[min(2, len(fitting) - 1)], help=_PERPLEXITY
                )
                seed = options.number("seed", "Seed", 0, SEEDS, width=110, help="Another one lays the map out anew.")
            elif len(view.steps) > 1 and options.one("basis", "Axes of", list(_AXES), words=_AXES.__getitem__) == "own":
                fitted = None
        return Chosen((name, how), way, dimensions, colour, fitted, perplexity, seed, measure)

    def draw(self, view: View, options: Options) -> None:
        chosen = self.settle(view, options)
        if chosen.way == "pca" or _mapped(view, chosen, options.key(self.name)):
            self.show(view, chosen, options.key(self.name))
            self.say()
            st.caption(_explained(view, chosen))
            if chosen.dimensions == 3:
                _pick(view, chosen, options.key("space-pick"))
        self.more(view, chosen, options)

    def draw_steps(self, view: View, options: Options, columns: int = COLUMNS) -> None:
        if options.value("way", list(WAYS), "pca") == "pca":
            super().draw_steps(view, options, columns)
            st.caption(
                "Axes are the principal components of each step: one may turn into another from step to step."
                if options.value("basis", list(_AXES), "last") == "own"
                else f"All steps lie on the principal components of the last one, {view.steps[-1]}."
            )
            return
        st.info(
            "t-SNE lays every step out anew, so that maps of several steps cannot be compared; PCA can, on the same "
            "axes. This is the map of one step.",
            icon=":material/info:",
        )
        self.draw(view, options)

    def show(self, view: View, chosen: Chosen, key: str) -> None:
        if chosen.dimensions == 3 or state.playing():
            super().show(view, chosen, key)
            return
        key = f"{key}-{state.lens().revision}"
        page.choose(self.figure(view, chosen, page.dark()), key, partial(_clicked, view.split))

    def figure(self, view: View, chosen: Chosen, dark: bool) -> go.Figure:
        of, layer = _of(view), chosen.layer
        rows = representations.rows(of, layer)
        if chosen.way == "tsne":
            points = jobs.jobs().result(_key(view, chosen))
            axes, span = [f"axis {n} (no unit)" for n in range(1, chosen.dimensions + 1)], None
        else:
            points, shares = representations.projected(of, view.step, chosen.of(view), layer)
            if view.changed or view.example not in rows:
                placed = representations.placed(of, view.step, chosen.of(view), layer, view.shown)
                points, rows = np.concatenate([points, placed[None]]), np.append(rows, view.example)
            there = representations.projected(of, chosen.of(view), chosen.of(view), layer)[0]
            span = _span([points, there], chosen.dimensions)
            axes = [f"component {n} ({share:.0%})" for n, share in enumerate(shares[: chosen.dimensions], 1)]
        near = np.flatnonzero(np.isin(rows, representations.neighbours(*_near(view, chosen))[0])).tolist()
        found = np.flatnonzero(rows == view.example)[-1:]
        said = coloured.colours(view, rows, chosen.colour)
        if view.changed and chosen.way == "pca":
            said["hover"][-1] = f"your copy of {said['hover'][-1]}"
        elif view.changed:
            found = found[:0]
        shown = Cloud(
            points[:, : chosen.dimensions],
            rows,
            **said,
            marked=int(found[0]) if len(found) else None,
            near=tuple(near),
        )
        title = f"{layer[0]}: {len(points)} examples by {WAYS[chosen.way]}"
        alt = (
            f"{len(points)} {view.split} examples as {layer[0]} represents them at step {view.step}, in "
            f"{chosen.dimensions} dimensions by {WAYS[chosen.way]}, coloured by {coloured.known(view)[chosen.colour]}."
        )
        return cloud(shown, axes, title, alt, span, ticks=chosen.way == "pca", dark=dark)

    def more(self, view: View, chosen: Chosen, options: Options) -> None:
        rows, far = representations.neighbours(*_near(view, chosen))
        distance = dict(zip(rows.tolist(), far.tolist(), strict=True))
        what = f"your copy of example {view.example}" if view.changed else f"example {view.example}"
        st.markdown(f"**Nearest to {what}** in {chosen.layer[0]}")
        st.caption(
            f"By {MEASURES[chosen.measure]} in all dimensions of the layer, not in the picture. Each: the true answer "
            "· the distance. Click one to look closer."
        )
        opened.list_of(view, rows, lambda row: _label(view, row, distance[row]), options.key(f"near-{chosen.layer[0]}"))


def _pick(view: View, chosen: Chosen, key: str) -> None:
    """Choose one of the points from a list: in three dimensions none can be clicked."""
    rows = representations.rows(_of(view), chosen.layer)
    words = dict(zip(rows.tolist(), coloured.colours(view, rows, chosen.colour)["hover"], strict=True))
    revision = state.lens().revision
    key = f"{key}-{revision}"
    st.session_state[key] = view.example if view.example in words else None
    st.selectbox(
        "Look at another point",
        list(words),
        key=key,
        format_func=words.__getitem__,
        placeholder="In three dimensions none can be clicked",
        on_change=move,
        args=(revision, "example", key),
        width=360,
    )


_AXES = {"last": "the last step", "own": "each step"}
_PERPLEXITY = "About how many neighbours each point tries to keep near. Small: many small clumps. Large: the whole."


def _telling(view: View) -> str:
    """The layer whose vectors the answer is made from; of a translator the last of its encoder."""
    names = list(view.layers)
    encoder = [name for name in names if name.startswith("encoder.")]
    return encoder[-1] if encoder else names[max(0, len(names) - 2)]


def _how(layer: Planned, options: Options) -> str:
    """Choose how an output of several places becomes one vector."""
    if len(layer.output.size) == 1:
        return "flattened"
    place = "positions" if layer.output.kind == "sequence" else "places"
    words = {"flattened": "all values", "averaged": f"mean over {place}"}
    default = "averaged" if layer.output.padded else "flattened"
    return options.one("how", "Vector of", list(words), default, words=words.__getitem__)


def _of(view: View) -> Split:
    return view.run.id, view.split


def _near(view: View, chosen: Chosen) -> tuple[Any, ...]:
    return _of(view), view.step, chosen.layer, view.shown, chosen.measure


def _key(view: View, chosen: Chosen) -> tuple[Any, ...]:
    """All that a t-SNE depends on."""
    return "tsne", _of(view), view.step, chosen.layer, chosen.dimensions, chosen.perplexity, chosen.seed


def _mapped(view: View, chosen: Chosen, name: str) -> bool:
    """Whether the t-SNE is there; else what starts it or says how far it is was drawn."""

    def work() -> jobs.Work:
        from explorer.probes.tsne import tsne

        values = representations.represented(_of(view), view.step, chosen.layer).values
        return tsne(values, chosen.dimensions, chosen.perplexity, chosen.seed)

    count = len(representations.rows(_of(view), chosen.layer))
    about = f"Of {count} examples it takes {3 * chosen.dimensions - 4} to {8 * chosen.dimensions - 4} seconds or so."
    return jobs.outcome(_key(view, chosen), name, work, "Work out t-SNE", about) is not None


def _span(points: list[np.ndarray], dimensions: int) -> np.ndarray:
    """(2, D) lowest and highest place of all: at every step there is room for those of the fitted one."""
    every = np.concatenate(points)[:, :dimensions]
    return np.stack([every.min(axis=0), every.max(axis=0)])


def _explained(view: View, chosen: Chosen) -> str:
    """What the picture keeps of the whole."""
    of, layer = _of(view), chosen.layer
    rows, size = representations.rows(of, layer), len(view.dataset.split(view.split))
    some = (
        f"{len(rows)} of the {size:,} {view.split} examples, spread evenly"
        if len(rows) < size
        else f"All {size} examples"
    )
    length = representations.represented(of, view.step, layer).values.shape[1]
    vector = "all values side by side" if layer[1] == "flattened" else "means, padding left out"
    said = f"{some}. Each is a vector of {length:,} numbers ({vector})."
    if chosen.way == "tsne":
        return (
            f"{said} t-SNE (scikit-learn, perplexity {chosen.perplexity}, seed {chosen.seed}, from the first "
            f"{COMPONENTS} principal components) keeps neighbours near each other and nothing else: distances between "
            "clusters, their sizes and the axes mean nothing."
            + ("" if view.example in rows and not view.changed else " The example you look at is not among them.")
        )
    fitted = chosen.of(view)
    shares = representations.projected(of, view.step, fitted, layer)[1][: chosen.dimensions]
    axes = "of this step" if fitted == view.step else f"of the last step, {fitted}, for all steps"
    return (
        f"{said} The axes are the principal components {axes}; they hold {shares.sum():.0%} of the variance at this "
        "step."
    )


def _label(view: View, row: int, distance: float) -> str:
    target = view.dataset.split(view.split).targets[row]
    said = short(view.dataset.answer(target))
    if view.dataset.task == "regression":  # without its unit, which would take most of the room
        mean, spread = view.dataset.scale
        said = f"{mean + spread * float(target):.4g}"
    return page.plain(f"{said} · {distance:.2g}")


def _clicked(split: str, points: list[dict[str, Any]]) -> None:
    state.look(split=split, example=int(points[0]["customdata"][0]))
