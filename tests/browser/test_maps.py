"""Clicks into feature maps, in a real Chromium: what is under the pointer is what opens."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.specs import RunSpec, TrainSpec
from tests.browser.server import PHONE, Server, Watched

ENDS = "path => { const {y, height} = path.getBBox(); return [y, y + height] }"
"""Where a tile begins and ends, without its outline."""


def click(page: Page, spot: Locator) -> None:
    """Move there, as a hand does, and click."""
    spot.scroll_into_view_if_needed()
    box = spot.bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*at)
    page.wait_for_timeout(300)
    page.mouse.click(*at)


def test_a_map_opens_at_a_click_and_so_does_the_arithmetic_of_a_pixel_on_a_phone(
    server: Server, tab: Callable[..., Watched]
) -> None:
    store = RunStore(server.home)
    spec = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), train=TrainSpec(epochs=1))
    with store.owners.hold() as owner:
        run = execute(store, submit(store, spec, owner=owner), owner)
    url = f"{server.url}/look_inside?run={run.id}&layer=conv2"
    look_at(tab(PHONE), url)  # where tiles are smallest


def look_at(tab: Watched, url: str) -> None:
    """Open a map by a click, and then one of its pixels."""
    page = tab.page
    page.goto(url)
    tiles = page.locator(".st-key-figure-layers .barlayer .point path")
    expect(tiles).to_have_count(32, timeout=60_000)
    tab.settle()
    picture = page.locator(".st-key-figure-layers .stPlotlyChart").bounding_box()
    first, below = (tiles.nth(n).evaluate(ENDS) for n in (0, 8))
    last = tiles.nth(31).bounding_box()
    assert below[0] - first[1] >= 12  # a line for its label
    assert 0 <= picture["y"] + picture["height"] - last["y"] - last["height"] <= 60  # the scale, and no blank
    page.evaluate("document.querySelector('.st-key-figure-layers svg').dataset.kept = 'yes'")
    opened = page.get_by_role("heading", name="Channel 9 of conv2")
    click(page, tiles.nth(9))
    expect(opened).to_be_visible()
    tab.settle()
    assert outlined(page) == [9]
    assert page.locator(".st-key-figure-layers svg[data-kept]").count() == 1  # it was not drawn anew
    click(page, page.locator(".st-key-figure-channel .barlayer .point path").nth(8 * 5 + 2))
    expect(page.locator(".st-key-figure-channel .gtitle", has_text="conv2, channel 9: value at 5, 2")).to_be_visible()
    tab.settle()
    expect(page.get_by_text("144 products")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    click(page, tiles.nth(9))
    expect(opened).to_have_count(0)
    click(page, tiles.nth(4))
    expect(page.get_by_role("heading", name="Channel 4 of conv2")).to_be_visible()
    page.get_by_label("Enlarge channel (0 to 31)").fill("30")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Channel 30 of conv2")).to_be_visible()
    tab.settle()
    assert outlined(page) == [30]


def outlined(page: Page) -> list[int]:
    """Numbers of the tiles whose outline is seen."""
    seen = page.locator(".st-key-figure-layers .barlayer .point path").evaluate_all(
        "paths => paths.map(path => getComputedStyle(path).opacity)"
    )
    return [n for n, opacity in enumerate(seen) if float(opacity) == 1]
