"""Coloured words as a picture that the browser makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import explorer as ex
from explorer.figures.shades import shades
from explorer.runs.execute import execute, submit
from tests.browser.server import Server, Watched


def test_the_words_of_a_text_are_saved_as_png_in_their_colours(
    server: Server, tab: Callable[..., Watched], tmp_path: Path
) -> None:
    store, words = ex.RunStore(server.home), ex.load_dataset("evidence_words")
    model = ex.preset("attention", words)
    with store.owners.hold() as owner:
        spec = ex.RunSpec(dataset="evidence_words", model=model, train=ex.TrainSpec(epochs=1), examples=64)
        run = execute(store, submit(store, spec, owner=owner), owner)
    page = tab().page
    page.goto(f"{server.url}/attributions?run={run.id}&method=constant")
    with page.expect_download(timeout=60_000) as saved:
        page.get_by_role("button", name="Picture (PNG)").click()
    saved.value.save_as(tmp_path / "words.png")
    assert saved.value.suggested_filename.startswith("constant-")
    seen = np.array(Image.open(tmp_path / "words.png").convert("RGB")).reshape(-1, 3)
    assert len(np.unique(seen, axis=0)) > 20
    strongest = (seen == shades(np.array([1.0]), 1.0)[0]).all(axis=1).mean()
    assert strongest > 0.05, "each word stands on the strongest colour"
