"""The pieces pages are made of: links, forms, late words."""

from __future__ import annotations

import base64
import zlib

import pytest
from pydantic import BaseModel
from streamlit.testing.v1 import AppTest

from explorer.data import DATASETS
from explorer.errors import SpecError
from explorer.models import LAYERS
from explorer.specs import ModelSpec, TrainSpec
from explorer.views import form, links, page

FORMS: list[type[BaseModel]] = [TrainSpec, *LAYERS.values()]


def test_a_model_survives_its_link() -> None:
    model = ModelSpec.of({"kind": "conv", "channels": 3}, {"kind": "dropout", "share": 0.5}, {"kind": "??"})
    assert links.decode(links.encode(model)) == model


@pytest.mark.parametrize(
    "text",
    ["", "!", "AAAA", "é" * 9, base64.urlsafe_b64encode(b"plain").decode(),
     base64.urlsafe_b64encode(zlib.compress(b"[1, 2")).decode(),
     base64.urlsafe_b64encode(zlib.compress(b"[" * 60_000)).decode(),
     base64.urlsafe_b64encode(zlib.compress(b'{"layers": 3}')).decode(),
     base64.urlsafe_b64encode(zlib.compress(b" " * 10_000_000)).decode()],
)  # fmt: skip
def test_a_link_that_is_not_a_model_is_one_expected_error(text: str) -> None:
    with pytest.raises(SpecError):
        links.decode(text)


@pytest.mark.parametrize("cls", FORMS, ids=lambda cls: cls.__name__)
def test_every_field_has_a_widget_a_fitting_default_and_help(cls: type[BaseModel]) -> None:
    for name, field in cls.model_fields.items():
        assert field.description, name
        assert form.fits(field, field.default), name


@pytest.mark.parametrize("wrong", ["many", None, True, -1, 10**30, 2.5])
def test_a_value_that_does_not_fit_is_not_forced_into_a_number_box(wrong: object) -> None:
    assert not form.fits(LAYERS["conv"].model_fields["channels"], wrong)


def test_markup_in_foreign_text_is_shown_not_run() -> None:
    assert page.plain("**a** <b>[x](y)") == r"\*\*a\*\* \<b\>\[x\]\(y\)"


def test_a_late_word_from_an_outdated_widget_changes_nothing() -> None:
    def script() -> None:
        import streamlit as st

        from explorer.views import state

        old = state.lens().revision
        state.look(example=5)
        state.look_by(old, example=0)
        st.write(f"example {state.lens().example}")
        state.look_by(state.lens().revision, example=7)
        st.write(f"then {state.lens().example}")

    app = AppTest.from_function(script, default_timeout=30).run()
    assert [element.value for element in app.markdown] == ["example 5", "then 7"]


def test_another_run_is_looked_at_from_its_end_and_for_its_answer() -> None:
    def script() -> None:
        import streamlit as st

        from explorer.views import state

        state.look(run="0000000a", step=30, target=2, example=4)
        state.look(run="0000000b")
        lens = state.lens()
        st.write(f"{lens.run} {lens.step} {lens.target} {lens.example}")

    app = AppTest.from_function(script, default_timeout=30).run()
    assert app.markdown[0].value == "0000000b None None 4"


def test_undo_and_redo_walk_the_same_way_back_and_forth() -> None:
    def script() -> None:
        import streamlit as st

        from explorer.specs import LayerSpec
        from explorer.views import state

        first = state.draft().model
        state.edit([LayerSpec(kind="flatten")])
        state.choose_dataset("mnist5k")
        state.undo()
        st.write(f"{state.draft().dataset} {len(state.draft().model.layers)}")
        state.undo()
        st.write(str(state.draft().model == first))
        state.redo()
        state.redo()
        st.write(f"{state.draft().dataset} {len(state.draft().model.layers)}")
        state.edit([])
        st.write(str(len(state.draft().future)))

    app = AppTest.from_function(script, default_timeout=30).run()
    assert [element.value for element in app.markdown] == ["digits 1", "True", "mnist5k 1", "0"]


def test_every_data_set_says_where_it_comes_from_and_under_what_licence() -> None:
    for source in DATASETS.values():
        assert source.source
        assert source.licence
        assert source.help()
