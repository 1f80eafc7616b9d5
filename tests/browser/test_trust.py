"""The page *Trust* as people use it: start, progress, stop, go on, and it is there again after a reload."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

import explorer as ex
from explorer.runs.execute import execute, submit
from tests.browser.server import PHONE, Server, Watched

Tab = Callable[..., Watched]


def test_a_table_is_started_stopped_gone_on_with_and_kept(server: Server, tab: Tab) -> None:
    store, data = ex.RunStore(server.home), ex.load_dataset("digits")
    with store.owners.hold() as owner:
        spec = ex.RunSpec(dataset="digits", model=ex.preset("cnn", data, width=8), train=ex.TrainSpec(epochs=1))
        run = execute(store, submit(store, spec, owner=owner), owner)
    one = tab()
    page = one.page
    page.goto(f"{server.url}/trust?run={run.id}&count=2")
    page.get_by_role("button", name="Check these explanations").click()
    expect(page.locator(".st-key-trust-progress")).to_contain_text(re.compile(r"[1-9]\d* of \d+ cells"), timeout=90_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    begin = page.get_by_role("button", name="Go on")
    expect(begin).to_be_visible()
    left, cells = re.search(r"(\d+) of (\d+) cells are", page.locator(".st-key-trust-begin").inner_text()).groups()
    assert 0 < int(left) < int(cells)
    begin.click()
    expect(page.locator(".st-key-trust-begin, .st-key-trust-progress")).to_have_count(0, timeout=120_000)
    one.settle()

    bar = page.locator(".st-key-marks-wide .subplot.x6y6 .barlayer .point path").first  # deletion of saliency
    bar.wait_for()
    bar.scroll_into_view_if_needed()
    one.settle()
    box = bar.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".st-key-trust-cell")).to_contain_text("Saliency: Deletion")
    expect(page).to_have_url(re.compile("check=deletion"))
    page.reload()
    expect(page.locator(".st-key-trust-cell")).to_contain_text("random places")
    expect(page.locator(".st-key-trust-begin")).to_have_count(0)

    phone = tab(PHONE)
    phone.page.goto(page.url)
    phone.page.locator(".st-key-marks-narrow .barlayer .point path").first.wait_for()
    assert not phone.page.locator(".st-key-marks-wide").is_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
