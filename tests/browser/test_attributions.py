"""The page *Attributions* in a real browser: coloured words as a picture that it makes, and their place on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

import explorer as ex
from explorer.figures.shades import shades
from explorer.runs.execute import execute, submit
from tests.browser.server import PHONE, Server, Watched

Tab = Callable[..., Watched]


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    """Where an answer of a model of texts is explained."""
    store, words = ex.RunStore(server.home), ex.load_dataset("evidence_words")
    model = ex.preset("attention", words)
    with store.owners.hold() as owner:
        spec = ex.RunSpec(dataset="evidence_words", model=model, train=ex.TrainSpec(epochs=1), examples=64)
        run = execute(store, submit(store, spec, owner=owner), owner)
    return f"{server.url}/attributions?run={run.id}&method=constant"


def test_the_words_of_a_text_are_saved_as_png_in_their_colours(url: str, tab: Tab, tmp_path: Path) -> None:
    page = tab().page
    page.goto(url)
    with page.expect_download(timeout=60_000) as saved:
        page.get_by_role("button", name="Picture (PNG)").click()
    saved.value.save_as(tmp_path / "words.png")
    assert saved.value.suggested_filename.startswith("constant-")
    seen = np.array(Image.open(tmp_path / "words.png").convert("RGB")).reshape(-1, 3)
    assert len(np.unique(seen, axis=0)) > 20
    strongest = (seen == shades(np.array([1.0]), 1.0)[0]).all(axis=1).mean()
    assert strongest > 0.05, "each word stands on the strongest colour"


def test_on_a_phone_the_explanation_comes_before_the_example(url: str, tab: Tab) -> None:
    one = tab(PHONE)
    page = one.page
    page.goto(url)
    one.settle()
    example, saving = page.locator(".st-key-example-panel"), page.locator(".st-key-saving")
    expect(example).to_be_visible(timeout=60_000)
    expect(saving).to_be_visible()
    assert saving.bounding_box()["y"] < example.bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
