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


def layer_list(plan: Plan, shape: Shape) -> None:
    """Every layer as a button that opens its form; the one that cannot work is marked."""
    draft = state.draft()
    wrong = plan.problem.layer if plan.problem else None
    with st.container(gap="xxsmall", key="layer-list"):
        st.caption(f"Input: {shape} values")
        for index, layer in enumerate(draft.model.layers):
            st.button(
                _label(layer, index, plan, wrong),
                key=f"layer-{draft.revision}-{index}",
                width="stretch",
                type="primary" if index == draft.selected else "secondary",
                on_click=state.select,
                args=(index,),
                icon=":material/error:" if index + 1 == wrong else None,
            )
        _add(plan, shape)


def _label(layer: LayerSpec, index: int, plan: Plan, wrong: int | None) -> str:
    if index >= len(plan.layers):
        return f"{index + 1}. {page.plain(layer.kind)}" + ("" if index + 1 == wrong else " (waits)")
    planned = plan.layers[index]
    weights = f" · {planned.parameters:,} weights" if planned.parameters else ""
    return f"{index + 1}. {planned.name} → {planned.output}{weights}"


def _add(plan: Plan, shape: Shape) -> None:
    draft = state.draft()
    layers = draft.model.layers
    after = draft.selected if layers else -1
    given = plan.layers[after].output if 0 <= after < len(plan.layers) else shape if after < 0 else None
    kinds = LAYERS.values()
    fitting = [kind for kind in kinds if given is None or given.kind in kind.accepts]
    others = [kind for kind in kinds if kind not in fitting]
    words = {kind.name: kind.title for kind in fitting}
    words |= {kind.name: f"{kind.title} (needs {WORDS[kind.accepts[0]]})" for kind in others}
    key = f"add-{draft.revision}-{draft.selected}"
    st.selectbox(
        f"Add after layer {after + 1}" if layers else "Add the first layer",
        list(words),
        index=None,
        format_func=words.__getitem__,
        placeholder="Choose a layer to add",
        key=key,
        on_change=_add_chosen,
        args=(key,),
        disabled=len(layers) >= MAX_LAYERS,
        help=f"A model has at most {MAX_LAYERS} layers.",
    )


def layer_form(plan: Plan) -> None:
    """The form of the chosen layer, and what can be done with it."""
    draft = state.draft()
    if not draft.model.layers:
        st.info("There are no layers yet. Add one, or start from a family above.", icon=":material/layers:")
        return
    index = draft.selected
    layer = draft.model.layers[index]
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
            count = len(draft.model.layers)
            _tool("Up", "arrow_upward", index == 0, _move, -1)
            _tool("Down", "arrow_downward", index == count - 1, _move, 1)
            _tool("Duplicate", "content_copy", count >= MAX_LAYERS, _duplicate)
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
    layers = list(state.draft().model.layers)
    value = form.read(LAYERS[layers[index].kind].model_fields[name], key)
    layers[index] = layers[index].with_params(**{name: value})
    state.edit(layers, structural=False)


def _drop(index: int, names: list[str]) -> None:
    layers = list(state.draft().model.layers)
    kept = {name: value for name, value in layers[index].params.items() if name not in names}
    layers[index] = LayerSpec(kind=layers[index].kind, **kept)
    state.edit(layers)


# What follows works on the layer that is chosen now, not on the one that was when the button was drawn: a quick hand
# chooses a layer and removes it before the page has caught up.


def _add_chosen(key: str) -> None:
    if kind := st.session_state.get(key):
        _insert(LayerSpec(kind=kind))


def _insert(layer: LayerSpec) -> None:
    draft = state.draft()
    layers = list(draft.model.layers)
    place = draft.selected + 1 if layers else 0
    if len(layers) < MAX_LAYERS:
        layers.insert(place, layer)
        state.edit(layers, selected=place)


def _duplicate() -> None:
    draft = state.draft()
    _insert(draft.model.layers[draft.selected])


def _remove() -> None:
    draft = state.draft()
    layers = list(draft.model.layers)
    if layers:
        del layers[draft.selected]
        state.edit(layers, selected=max(0, draft.selected - 1))


def _move(by: int) -> None:
    draft = state.draft()
    layers, index = list(draft.model.layers), draft.selected
    if 0 <= index + by < len(layers):
        layers[index], layers[index + by] = layers[index + by], layers[index]
        state.edit(layers, selected=index + by)
