"""The one place that reads and writes session state and the URL: the lens and the draft."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from explorer.errors import DataError, ExplorerError, NotApplicable
from explorer.specs import LayerSpec, ModelSpec, TrainSpec
from explorer.views.links import decode, encode
from explorer.views.page import plain

SPLITS = ("test", "validation", "train")
URL_BYTES = 1800
"""Longest draft that is put into the URL; some programs cut longer links."""
HISTORY = 100
COMPARED = 50
"""Most runs that are chosen one by one to be compared."""
OPTIONS, OPTION_LENGTH = 24, 4096
"""Most options of looking pages taken from a link, and the longest."""
MADE = 8192
"""Longest code of a changed example taken from a link."""
_OPTION = re.compile(r"[a-z]{1,16}2?")
_LENS = frozenset(("run", "step", "target", "split", "example", "made", "shown", "sweep", "compare", "data", "model"))
"""Names in the URL that are no options."""


@dataclass(frozen=True)
class Lens:
    """What the person looks at, on every page.

    Attributes:
        run: Id of a run, or empty for none.
        step: A kept step, or None for the last.
        split, example: Which example.
        target: Class that is explained, or None for the model's answer.
        made: Code of a changed copy of the example, or empty for none.
        original: Whether it is the example itself that is looked into, although there is a changed copy.
        revision: Counts changes that the widgets showing the lens do not know of yet. It is part of their keys: a
            browser that has not caught up repeats their old values with the next click, which must not count.
    """

    run: str = ""
    step: int | None = None
    split: str = "test"
    example: int = 0
    target: int | None = None
    made: str = ""
    original: bool = False
    revision: int = 0


@dataclass(frozen=True)
class Draft:
    """The model being built, and every state before and after, for undo and redo."""

    dataset: str = "digits"
    family: str = "cnn"
    model: ModelSpec | None = None
    selected: int = 0
    revision: int = 0
    past: tuple[tuple[str, ModelSpec], ...] = ()
    future: tuple[tuple[str, ModelSpec], ...] = ()


@dataclass(frozen=True)
class Compared:
    """Which runs are compared.

    Attributes:
        runs: Ids of the chosen ones; None until any were chosen.
        sweep: The id of a sweep, all of whose runs are; or empty.
        revision: As that of the lens.
    """

    runs: tuple[str, ...] | None = None
    sweep: str = ""
    revision: int = 0


@dataclass(frozen=True)
class Chosen:
    """What is chosen on the looking pages beyond the lens.

    Attributes:
        values: By name, each as the URL has it.
        link: What the link brought and nobody has asked for yet, by the name in the URL.
        page: The page it opened: on another one it has no meaning.
        linked: Names whose value the link brought, each with who asked for it; none once anything was chosen here.
        revision: As that of the lens.
    """

    values: dict[str, str] = field(default_factory=dict)
    link: dict[str, str] = field(default_factory=dict)
    page: str = ""
    linked: dict[str, str] = field(default_factory=dict)
    revision: int = 0


Place = tuple[str, int, str]
"""Split, example, and the code of its changed copy."""


@dataclass
class _Session:
    lens: Lens = field(default_factory=Lens)
    before: tuple[Place, ...] = ()
    after: tuple[Place, ...] = ()
    chosen: Chosen = field(default_factory=Chosen)
    draft: Draft = field(default_factory=Draft)
    training: TrainSpec = field(default_factory=TrainSpec)
    compared: Compared = field(default_factory=Compared)
    page: str = ""
    gone: str = ""
    adopted: bool = False
    playing: bool = False


def _session() -> _Session:
    if "explorer" not in st.session_state:
        st.session_state["explorer"] = _Session()
    return st.session_state["explorer"]


# -- the lens ---------------------------------------------------------------------------------------------------------


def lens() -> Lens:
    """What this person looks at."""
    return _session().lens


def look(**changes: Any) -> None:
    """Change what this person looks at; another run is looked at from its last step."""
    if "run" in changes and changes["run"] != lens().run:
        changes = {"step": None, "target": None, **changes}
        _session().gone = ""
    if {"split", "example"} & set(changes):  # another example has no changed copy yet
        changes = {"made": "", "original": False, **changes}
    _remember(changes.get("made", lens().made))
    _session().lens = replace(lens(), revision=lens().revision + 1, **changes)


def miss(run: str) -> None:
    """Keep that a run that is looked for is not here, until another one is chosen or the page is left."""
    _session().gone = run


def missed() -> str:
    """Id of that run, or empty."""
    return _session().gone


def look_by(revision: int, **changes: Any) -> None:
    """Change it by a widget that was drawn for this revision of the lens; an outdated one changes nothing."""
    current = lens()
    if revision == current.revision:
        look(**changes)
        if not {"run", "split"} & set(changes):  # the widget itself stays in place, so that it keeps the focus
            _session().lens = replace(lens(), revision=revision)


def _place() -> Place:
    return lens().split, lens().example, lens().made


def _remember(made: str) -> None:
    """Before a changed copy is replaced, keep where one was, so that nothing is lost."""
    if made != lens().made:
        session = _session()
        session.before, session.after = (*session.before, _place())[-HISTORY:], ()


def changes_kept() -> tuple[bool, bool]:
    """Whether there is a change of the example to take back, and one to do again."""
    return bool(_session().before), bool(_session().after)


def take_back() -> None:
    """Take the last change of the example back, or return to a changed copy that was left."""
    session = _session()
    if session.before:
        place, before, after = session.before[-1], session.before[:-1], (*session.after, _place())
        _return_to(place, before, after)


def do_again() -> None:
    """Do the change again that was taken back."""
    session = _session()
    if session.after:
        place, before, after = session.after[-1], (*session.before, _place()), session.after[:-1]
        _return_to(place, before, after)


def _return_to(place: Place, before: tuple[Place, ...], after: tuple[Place, ...]) -> None:
    split, example, made = place
    look(split=split, example=example, made=made)
    _session().before, _session().after = before, after


def playing() -> bool:
    """Whether the kept steps are being played one after the other."""
    return _session().playing


def play(on: bool) -> None:
    """Play them, or stop."""
    _session().playing = on


# -- options of the looking pages -------------------------------------------------------------------------------------


def option(name: str, called: str = "", by: str = "") -> str:
    """What was chosen for an option; empty if nothing was.

    Args:
        name: What it is kept as.
        called: Its name in the URL: what a link brought is kept for the first who asks.
        by: Who asks.
    """
    chosen = _session().chosen
    if called in chosen.link and chosen.page == _session().page:
        link = {key: value for key, value in chosen.link.items() if key != called}
        values, linked = {**chosen.values, name: chosen.link[called]}, {**chosen.linked, name: by}
        chosen = _session().chosen = replace(chosen, values=values, link=link, linked=linked)
    return chosen.values.get(name, "")


def from_link(name: str, by: str) -> bool:
    """Whether it was the link that chose it, for who asks now."""
    return _session().chosen.linked.get(name) == by


def option_revision() -> int:
    """Counts the changes that the widgets of options do not know of."""
    return _session().chosen.revision


def keep_option(name: str, value: str) -> None:
    """Take over what an option's own widget says."""
    chosen = _session().chosen
    _session().chosen = replace(chosen, values={**chosen.values, name: value}, link={}, linked={})


def set_option(name: str, value: str) -> None:
    """Choose by something else than the option's widget, which is drawn anew."""
    keep_option(name, value)
    _session().chosen = replace(_session().chosen, revision=option_revision() + 1)


# -- the draft --------------------------------------------------------------------------------------------------------


def draft() -> Draft:
    """The model this person is building."""
    session = _session()
    if session.draft.model is None:
        session.draft = replace(session.draft, model=_preset(session.draft.family, session.draft.dataset))
    return session.draft


def choose_dataset(name: str) -> None:
    """Build for another data set; a starter model that was not edited is sized anew, an edited one is kept."""
    current = draft()
    if name == current.dataset:
        return
    model, family = current.model, current.family
    if family != "custom" and _untouched(current):
        family, model = _suited(family, name)
        _suit_training(family, name)
    _change(current, dataset=name, model=model, family=family, revision=current.revision + 1)


def _untouched(current: Draft) -> bool:
    """Whether a draft is its family's starter; so it is taken to be if its data were removed since."""
    try:
        return current.model == _preset(current.family, current.dataset)
    except DataError:
        return True


def start_from(family: str) -> None:
    """Replace the model by the starter of a family, or by nothing if it is empty."""
    current = draft()
    model = _preset(family, current.dataset) if family else ModelSpec()
    if family:
        _suit_training(family, current.dataset)
    _change(current, model=model, family=family or "custom", selected=0, revision=current.revision + 1)


def stacked(model: ModelSpec) -> list[LayerSpec]:
    """All layers of a model in one list, those of a decoder behind those of its encoder."""
    return [*model.layers, *model.decoder]


def edit(
    layers: list[LayerSpec], selected: int | None = None, structural: bool = True, encoder: int | None = None
) -> None:
    """Put other layers in place.

    Args:
        layers: All of them, as from `stacked`.
        selected: The one whose form is open; the same place as before if None.
        structural: Whether layers moved, so that their forms are drawn anew.
        encoder: How many of them are the encoder's; as many as before if None.
    """
    current = draft()
    chosen = current.selected if selected is None else selected
    encoder = len(current.model.layers) if encoder is None else encoder
    _change(
        current,
        model=ModelSpec(layers=tuple(layers[:encoder]), decoder=tuple(layers[encoder:])),
        selected=max(0, min(chosen, len(layers) - 1)),
        revision=current.revision + structural,
    )


def select(index: int) -> None:
    """Open another layer's form."""
    current = draft()
    _session().draft = replace(current, selected=max(0, min(index, len(stacked(current.model)) - 1)))


def undo() -> None:
    """Take the last edit back."""
    current = draft()
    if current.past:
        (dataset, model), past = current.past[-1], current.past[:-1]
        future = (*current.future, (current.dataset, current.model))
        _restore(current, dataset, model, past, future)


def redo() -> None:
    """Do the edit again that was taken back."""
    current = draft()
    if current.future:
        (dataset, model), future = current.future[-1], current.future[:-1]
        _restore(current, dataset, model, (*current.past, (current.dataset, current.model)), future)


def _restore(current: Draft, dataset: str, model: ModelSpec, past: tuple, future: tuple) -> None:
    selected = max(0, min(current.selected, len(stacked(model)) - 1))
    _session().draft = replace(
        current,
        dataset=dataset,
        model=model,
        past=past,
        future=future,
        selected=selected,
        revision=current.revision + 1,
    )


def _change(current: Draft, **changes: Any) -> None:
    if (changes.get("dataset", current.dataset), changes["model"]) != (current.dataset, current.model):
        changes["past"] = (*current.past, (current.dataset, current.model))[-HISTORY:]
        changes["future"] = ()
    _session().draft = replace(current, **changes)


def _preset(family: str, dataset: str) -> ModelSpec:
    from explorer.data import load_dataset
    from explorer.models import preset

    return preset(family, load_dataset(dataset))


def _suited(family: str, dataset: str) -> tuple[str, ModelSpec]:
    """The starter of a family, or of the data set's own where the family does not fit."""
    from explorer.data import load_dataset
    from explorer.models import default_family

    try:
        return family, _preset(family, dataset)
    except NotApplicable:
        other = default_family(load_dataset(dataset))
        return other, _preset(other, dataset)


def _suit_training(family: str, dataset: str) -> None:
    """Settings that suit a starter; the seed and the device stay."""
    from explorer.data import load_dataset
    from explorer.models import preset_training

    current = training()
    suited = preset_training(family, load_dataset(dataset))
    set_training(suited.model_copy(update={"seed": current.seed, "device": current.device}))


def family_of(model: ModelSpec, dataset: str) -> str:
    """The family whose untouched starter a model is, or custom."""
    from explorer.models import FAMILIES

    for name in FAMILIES:
        try:
            if _preset(name, dataset) == model:
                return name
        except ExplorerError:
            continue
    return "custom"


def training() -> TrainSpec:
    """Settings for the next run."""
    return _session().training


def set_training(spec: TrainSpec) -> None:
    """Change the settings for the next run."""
    _session().training = spec


def compared() -> Compared:
    """Which runs are compared."""
    return _session().compared


def compare(runs: tuple[str, ...] | None = None, sweep: str = "") -> None:
    """Compare these runs, or all of a sweep."""
    _session().compared = Compared(runs, sweep, compared().revision + 1)


def compare_by(revision: int, runs: tuple[str, ...] | None, sweep: str = "") -> None:
    """Compare them by a widget that was drawn for this revision; it stays in place, an outdated one changes nothing."""
    if revision == compared().revision:
        _session().compared = Compared(runs, sweep, revision)


# -- the URL ----------------------------------------------------------------------------------------------------------


def adopt_url(page: str) -> None:
    """Take over what the URL says when a session begins; later it is this session that writes it.

    Nothing in it is trusted: what cannot be used is left out and said.

    Args:
        page: The page that is about to be drawn.
    """
    session = _session()
    left, session.page = page != session.page, page
    if session.adopted:
        session.gone = "" if left else session.gone
        return
    session.adopted = True
    given = {name: st.query_params[name] for name in st.query_params}
    _adopt_lens(given)
    session.chosen = Chosen(link=_options(given), page=page)
    sweep = _ids(given.get("sweep", ""))[:1]
    if sweep or "compare" in given:
        compare(tuple(_ids(given.get("compare", ""))) or None, *sweep)
    if "model" in given:
        _adopt_draft(given)


def _options(given: dict[str, str]) -> dict[str, str]:
    """What a link says beyond the lens; what is too long, or too much, is said."""
    found = {name: value for name, value in given.items() if _OPTION.fullmatch(name) and name not in _LENS}
    kept = {name: value for name, value in found.items() if len(value) <= OPTION_LENGTH}
    kept = dict(list(kept.items())[:OPTIONS])
    if gone := [name for name in found if name not in kept]:
        st.toast(f"The link says more than can be read: {', '.join(gone[:4])}.", icon=":material/link_off:")
    return kept


def _adopt_lens(given: dict[str, str]) -> None:
    found: dict[str, Any] = {}
    if given.get("run", "")[:40]:
        found["run"] = given["run"][:40]
    unread = [name for name in ("step", "example", "target") if name in given and not _is_number(given[name])]
    found |= {name: int(given[name]) for name in ("step", "example", "target") if name in given and name not in unread}
    if given.get("split") in SPLITS:
        found["split"] = given["split"]
    elif "split" in given:
        unread.append("split")
    if given.get("made"):
        found |= {"made": given["made"][:MADE], "original": given.get("shown") == "original"}
    if found:
        look(**found)
        _session().before = ()  # there was nothing before
    for name in unread:
        st.toast(f"The link's {name} {plain(repr(given[name][:40]))} cannot be read.", icon=":material/link_off:")


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= 9


def _ids(text: str) -> list[str]:
    """The ids of runs in a text that may be anything."""
    return re.findall(r"\b[0-9a-f]{8}\b", text[: COMPARED * 9])


def _adopt_draft(given: dict[str, str]) -> None:
    from explorer.data import load_dataset

    try:
        dataset = given.get("data", "digits")
        load_dataset(dataset)
        model = decode(given["model"])
    except ExplorerError as error:
        st.toast(f"The link holds a model that cannot be used. {plain(str(error))}", icon=":material/link_off:")
        return
    current = draft()
    _change(current, dataset=dataset, model=model, family=family_of(model, dataset), revision=current.revision + 1)


def session() -> str:
    """A name for this browser tab, so that people take turns in the queue."""
    return st.session_state.setdefault("session", secrets.token_hex(8))


def mirror_lens(**more: str) -> None:
    """Write the lens, and what else makes this view, into the URL, so that a link opens exactly it; not each step of
    those that are played.
    """
    if not playing():  # each would be a page of the browser's history
        _write(_of_lens(lens()) | {name: value for name, value in more.items() if value})


def _of_lens(current: Lens) -> dict[str, str]:
    """The lens, as the URL has it."""
    values = {"run": current.run, "step": current.step, "target": current.target}
    if current.run:
        values |= {"split": current.split, "example": current.example, "made": current.made}
        values["shown"] = "original" if current.made and current.original else ""
    return {name: str(value) for name, value in values.items() if value not in (None, "")}


def mirror_compared() -> None:
    """Write into the URL which runs are compared, with the lens."""
    mirror_lens(sweep=compared().sweep, compare=",".join(compared().runs or ()))


def mirror_draft() -> None:
    """Write the draft into the URL, if it is short enough for a link, and the lens, so that a reload keeps both."""
    current = draft()
    code, seen = encode(current.model), _of_lens(lens())
    said = {"data": current.dataset} | ({"model": code} if len(code) <= URL_BYTES else {})
    if sum(map(len, (said | seen).values())) > URL_BYTES:  # a changed copy is the longest of it
        seen = {name: value for name, value in seen.items() if name not in ("made", "shown")}
    _write(seen | said)


def _write(values: dict[str, str]) -> None:
    if values != {name: st.query_params[name] for name in st.query_params}:
        st.query_params.from_dict(values)
