"""From a cell of the confusion matrix to the example behind it, and on to why."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from playwright.sync_api import expect

import explorer as ex
from explorer.probes import answers, quality
from explorer.runs.execute import execute, submit
from tests.browser.server import Server, Watched

Tab = Callable[..., Watched]


def test_a_cell_is_clicked_an_example_opened_and_asked_why(server: Server, tab: Tab) -> None:
    store = ex.RunStore(server.home)
    model = ex.ModelSpec.of({"kind": "flatten"}, {"kind": "output"})
    with store.owners.hold() as owner:
        spec = ex.RunSpec(dataset="digits", model=model, train=ex.TrainSpec(epochs=2))
        run = execute(store, submit(store, spec, owner=owner), owner)
    one = tab()
    page = one.page
    page.goto(f"{server.url}/evaluate?run={run.id}")
    cells = page.locator("[class*=st-key-confusion-]:visible .barlayer .point")
    cells.first.wait_for()
    one.settle()
    found = answers(ex.model_at(store, run.id, run.step), ex.load_dataset("digits"))
    counts = quality.confusion(found.truth, found.predicted, 10)
    place, (truth, answer) = next((n, cell) for n, cell in enumerate(np.argwhere(counts).tolist()) if len({*cell}) == 2)
    count = int(counts[truth, answer])
    box = cells.nth(place).locator("path").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tiles = page.locator("[class*=st-key-tile-]:visible button")
    expect(tiles).to_have_count(count)
    expect(page.get_by_role("combobox", name="Show")).to_have_value(f"{truth} taken for {answer} ({count})")

    tiles.first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The answer:")
    example = re.search(r"example (\d+)", dialog.inner_text()).group(1)
    dialog.get_by_role("link", name="Ask why it answers so").click()
    expect(page.locator(".st-key-example-bar")).to_contain_text(f"Test example {example}")
    expect(page).to_have_url(re.compile(rf"attributions\?.*example={example}\b"))
