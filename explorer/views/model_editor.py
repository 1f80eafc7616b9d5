"""The layers as a list one can click, and the form of the chosen one."""

from __future__ import annotations

import streamlit as st

from explorer.data import Dataset
from explorer.errors import UnknownName
from explorer.models import FAMILIES, LAYERS, Plan
from explorer.models.layers import Layer
from explorer.models.layers.base import WORDS
from explorer.specs import MAX_LAYERS, LayerSpec, Shape
from explorer.views import form, page, state


def starters(dataset: Dataset) -> None:
    """Start from a family or from nothing; take edits back."""
    draft = state.draft()
    with st.container(horizontal=True, vertical_alignment="bottom", key="starters"):
        for family in FAMILIES.values():
            if dataset.task not in family.tasks:
                continue
            reason = family().why_not(dataset)
            st.button(
                f"Start from {family.title}",
                key=f"start-{family.name}",
                help=reason or family.help(),
                disabled=bool(reason),
                on_click=state.start_from,
                args=(family.name,),
            )
        st.button("Empty", key="start-empty", on_click=state.start_from, args=("",), help="Begin with no layers.")
        st.button(
            "Undo", key="undo", icon=":material/undo:", disabled=not draft.past, on_click=state.undo, shortcut="Ctrl+Z"
        )
        st.button(
            "Redo",
            key="redo",
            icon=":material/redo:",
            disabled=not draft.future,
            on_click=state.redo,
            shortcut="Ctrl+Y",
        )


def layer_list(plan: Plan, dataset: Dataset) -> None:
    """Every layer as a button that opens its form; the one that cannot work is marked. A translator has two columns."""
    model = state.draft().model
    written = dataset.target_shape
    if not written and not model.decoder:
        st.markdown("##### Layers")
        _stack(plan, range(len(model.layers)), dataset.shape, f"Input: {dataset.shape} values", "")
        return
    count, all_of_it = len(model.layers), len(state.stacked(model))
    left, right = st.columns(2, gap="small")
    with left:
        st.markdown("##### Encoder", help="Reads the source and makes a vector of each of its positions.")
        _stack(plan, range(count), dataset.shape, f"Source: {dataset.shape} tokens", "encoder")
    with right:
        st.markdown("##### Decoder", help="Writes the translation token by token, looking at what the encoder made.")
        so_far = f"Written so far: {written} tokens" if written else "There is nothing to translate here."
        _stack(plan, range(count, all_of_it), written or dataset.shape, so_far, "decoder")


def _stack(plan: Plan, places: range, given: Shape, says: str, side: str) -> None:
    draft = state.draft()
    wrong = plan.problem.layer if plan.problem else None
    with st.container(gap="xxsmall", key=f"layer-list-{side}" if side else "layer-list"):
        st.caption(says)
        for index in places:
            st.button(
                _label(state.stacked(draft.model)[index], index, plan, wrong),
                key=f"layer-{draft.revision}-{index}",
                width="stretch",
                type="primary" if index == draft.selected else "secondary",
                on_click=state.select,
                args=(index,),
                icon=":material/error:" if index + 1 == wrong else None,
            )
        if not side or draft.selected in places or not places:
            _add(plan, places, given, side)


def _label(layer: LayerSpec, index: int, plan: Plan, wrong: int | None) -> str:
    if index >= len(plan.layers):
        return f"{index + 1}. {page.plain(layer.kind)}" + ("" if index + 1 == wrong else " (waits)")
    planned = plan.layers[index]
    weights = f" · {planned.parameters:,} weights" if planned.parameters and plan.encoder is None else ""
    return f"{index + 1}. {planned.name.split('.')[-1]} → {planned.output}{weights}"


def _add(plan: Plan, places: range, shape: Shape, side: str) -> None:
    draft = state.draft()
    after = draft.selected if draft.selected in places else places.stop - 1
    given = plan.layers[after].output if after in places and after < len(plan.layers) else None
    given = given or (None if places else shape)
    kinds = [kind for kind in LAYERS.values() if side == "decoder" or not kind.crosses]
    fitting = [kind for kind in kinds if given is None or given.kind in kind.accepts]
    others = [kind for kind in kinds if kind not in fitting]
    words = {kind.name: kind.title for kind in fitting}
    words |= {kind.name: f"{kind.title} (needs {WORDS[kind.accepts[0]]})" for kind in others}
    key = f"add-{side}-{draft.revision}-{draft.selected}"
    count = len(places)
    st.selectbox(
        f"Add after layer {after + 1}" if count else "Add the first layer",
        list(words),
        index=None,
        format_func=words.__getitem__,
        placeholder="Choose a layer to add",
        key=key,
        on_change=_add_chosen,
        args=(key, side, not count),
        disabled=count >= MAX_LAYERS,
        help=f"A model has at most {MAX_LAYERS} layers.",
    )


def layer_form(plan: Plan) -> None:
    """The form of the chosen layer, and what can be done with it."""
    draft = state.draft()
    layers = state.stacked(draft.model)
    if not layers:
        st.info("There are no layers yet. Add one, or start from a family above.", icon=":material/layers:")
        return
    index = draft.selected
    layer = layers[index]
    try:
        kind = LAYERS[layer.kind]
    except UnknownName as error:
        st.markdown(f"**Layer {index + 1}**")
        st.caption(f"{page.plain(str(error))} Remove this layer, or choose another.")
        kind = None
    with st.container(border=True, key="layer-form"):
        if kind:
            _fields(kind, layer, index)
        with st.container(horizontal=True, gap="xsmall"):
            encoder = len(draft.model.layers)
            _tool("Up", "arrow_upward", index in (0, encoder), _move, -1)
            _tool("Down", "arrow_downward", index in (encoder - 1, len(layers) - 1), _move, 1)
            _tool("Duplicate", "content_copy", len(layers) >= MAX_LAYERS, _duplicate)
            _tool("Remove", "delete", False, _remove)


def _fields(kind: type[Layer], layer: LayerSpec, index: int) -> None:
    revision = state.draft().revision
    st.markdown(f"**Layer {index + 1}: {kind.title}**")
    st.caption(kind.help())
    unknown = [name for name in layer.params if name not in kind.model_fields]
    if unknown:
        st.button("Drop the fields this layer does not have", on_click=_drop, args=(index, unknown))
    names = list(kind.model_fields)
    for start in range(0, len(names), 2):
        for column, name in zip(st.columns(2), names[start : start + 2], strict=False):
            key = f"field-{revision}-{index}-{name}"
            field = kind.model_fields[name]
            with column:
                form.field_widget(
                    name, field, layer.params.get(name, field.default), key, _set, revision, index, name, key
                )


def _tool(label: str, icon: str, disabled: bool, action: object, *args: object) -> None:
    st.button(label, key=f"tool-{label}", icon=f":material/{icon}:", disabled=disabled, on_click=action, args=args)


def _set(revision: int, index: int, name: str, key: str) -> None:
    if revision != state.draft().revision or key not in st.session_state:
        return  # a late word from a form that is gone: the browser repeats it with the next click
    layers = state.stacked(state.draft().model)
    value = form.read(LAYERS[layers[index].kind].model_fields[name], key)
    layers[index] = layers[index].with_params(**{name: value})
    state.edit(layers, structural=False)


def _drop(index: int, names: list[str]) -> None:
    layers = state.stacked(state.draft().model)
    kept = {name: value for name, value in layers[index].params.items() if name not in names}
    layers[index] = LayerSpec(kind=layers[index].kind, **kept)
    state.edit(layers)


# What follows works on the layer that is chosen now, not on the one that was when the button was drawn: a quick hand
# chooses a layer and removes it before the page has caught up.


def _add_chosen(key: str, side: str, first: bool) -> None:
    kind = st.session_state.get(key)
    if not kind:
        return
    draft = state.draft()
    encoder = len(draft.model.layers)
    if first:
        _insert(LayerSpec(kind=kind), encoder if side == "decoder" else 0, side != "decoder")
    else:
        _insert(LayerSpec(kind=kind), draft.selected + 1, draft.selected < encoder)


def _insert(layer: LayerSpec, place: int, into_encoder: bool) -> None:
    model = state.draft().model
    layers = state.stacked(model)
    if len(layers) < MAX_LAYERS:
        layers.insert(place, layer)
        state.edit(layers, selected=place, encoder=len(model.layers) + into_encoder)


def _duplicate() -> None:
    draft = state.draft()
    layers = state.stacked(draft.model)
    _insert(layers[draft.selected], draft.selected + 1, draft.selected < len(draft.model.layers))


def _remove() -> None:
    draft = state.draft()
    layers, encoder = state.stacked(draft.model), len(draft.model.layers)
    if layers:
        del layers[draft.selected]
        state.edit(layers, selected=max(0, draft.selected - 1), encoder=encoder - (draft.selected < encoder))


def _move(by: int) -> None:
    draft = state.draft()
    layers, index, encoder = state.stacked(draft.model), draft.selected, len(draft.model.layers)
    if 0 <= index + by < len(layers) and (index < encoder) == (index + by < encoder):
        layers[index], layers[index + by] = layers[index + by], layers[index]
        state.edit(layers, selected=index + by)
