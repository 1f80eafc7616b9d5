"""The whole model: what it costs, its picture, its table, its source."""

from __future__ import annotations

import streamlit as st

from explorer.data import Dataset
from explorer.errors import SpecError
from explorer.figures.architecture import architecture
from explorer.models import Plan, table, to_code
from explorer.views import page, state

VIEWS = ("Picture", "Table", "PyTorch source")


def totals(plan: Plan, batch_size: int) -> SpecError | None:
    """What the model costs as a whole; returns what is wrong with it, if anything."""
    problem = plan.problem
    if problem is None:
        try:
            plan.check_memory(batch_size)
        except SpecError as error:
            problem = error
    if problem:
        st.error(page.plain(str(problem)), icon=":material/build:")
    with st.container(horizontal=True, key="totals"):
        st.metric("Parameters", f"{plan.parameters:,}", help="Weights that training changes.", width="content")
        st.metric(
            "Multiply-adds",
            _short(plan.macs),
            width="content",
            help="Multiplications with additions for one example, in convolutions and matrix products.",
        )
        st.metric(
            "Memory to train",
            _bytes(plan.memory(batch_size)),
            width="content",
            help="Estimate: weights, gradients, two optimiser moments, and the activations of one batch.",
        )
    return problem


def model_card(plan: Plan, dataset: Dataset) -> None:
    """The model as a picture, a table or source."""
    chosen = st.segmented_control("The model as", VIEWS, default=VIEWS[0], key="model-view", required=True)
    if chosen == "Picture":
        page.show(architecture(plan, dataset.shape, page.dark(), dataset.target_shape), key="architecture")
    elif chosen == "Table":
        _table(plan)
    elif plan.problem:
        st.caption("The source appears here once the model works.")
    else:
        code = to_code(state.draft().model, dataset)
        st.download_button(
            "Download model.py", code, "model.py", "text/x-python", icon=":material/download:", on_click="ignore"
        )
        st.code(code, language="python")


def _table(plan: Plan) -> None:
    st.dataframe(
        table(plan),
        hide_index=True,
        key="layer-table",
        alt="What every layer makes and costs",
        column_config={
            "layer": st.column_config.TextColumn("Layer", pinned=True),
            "kind": None,
            "output_shape": st.column_config.TextColumn("Output", help="Shape of what comes out for one example."),
            "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
            "macs": st.column_config.NumberColumn("Multiply-adds", format="localized"),
            "receptive_field": st.column_config.TextColumn(
                "Receptive field", help="How many input pixels one output value depends on."
            ),
        },
    )


def _short(count: int) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return str(count)


def _bytes(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"
