"""Drawing on an example in a real browser: each stroke is answered, and the link shows the same to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.sync_api import Locator, Page, expect

import explorer as ex
from explorer.data.made import example_of
from explorer.runs.execute import execute, submit
from tests.browser.server import PHONE, Server, Watched

Tab = Callable[..., Watched]


def stroke(page: Page, pad: Locator, *points: tuple[float, float]) -> None:
    """Draw a line through points of the picture, given as shares of its sides."""
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()


def made(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("made", [""])[0]


def test_a_drawn_digit_is_answered_undone_and_opened_by_its_link(server: Server, tab: Tab) -> None:
    store, dataset = ex.RunStore(server.home), ex.load_dataset("digits")
    with store.owners.hold() as owner:
        spec = ex.RunSpec(dataset="digits", model=ex.preset("cnn", dataset), train=ex.TrainSpec(epochs=6))
        run = execute(store, submit(store, spec, owner=owner), owner)
    model = ex.model_at(store, run.id, run.step)
    one = tab()
    page = one.page
    page.goto(f"{server.url}/look_inside?run={run.id}&example=4")
    page.get_by_text("Change it", exact=True).click()
    pad = page.locator("canvas")
    answers = page.locator(".st-key-copies")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.get_by_text("The picture is empty")).to_be_visible()
    one.settle()
    empty = made(page)
    assert not example_of(dataset, "test", empty).any()

    stroke(page, pad, (0.5, 0.06), (0.5, 0.94))
    expect(answers).to_contain_text("1 to the copy")
    one.settle()
    drawn = example_of(dataset, "test", made(page))
    assert (drawn[0, 0, :, 3:5] > 0.5).all()  # as wide as those of the data: about a pixel
    assert not drawn[0, 0, :, [0, 1, 6, 7]].any()
    assert ex.predict(model, drawn).answer == 1
    expect(page.get_by_text("The picture is empty")).to_have_count(0)

    page.get_by_role("button", name="Erase", exact=True).click()
    before = drawn.clone()
    stroke(page, pad, (0.3, 0.94), (0.7, 0.94))
    one.settle()
    drawn = example_of(dataset, "test", made(page))
    assert not drawn[0, 0, 7].any()
    np.testing.assert_array_equal(drawn[0, 0, :6], before[0, 0, :6])
    page.get_by_role("button", name="Undo", exact=True).click()
    one.settle()
    np.testing.assert_array_equal(example_of(dataset, "test", made(page)), before)

    other = tab(PHONE, "dark")
    other.page.goto(page.url)
    expect(other.page.locator(".st-key-copies")).to_contain_text("1 to the copy")
    other.settle()
    assert other.page.locator(".st-key-copies table").inner_text() == answers.locator("table").inner_text()
    assert made(other.page) == made(page)
    box = other.page.locator("canvas").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]


def test_quick_strokes_are_all_kept(server: Server, tab: Tab) -> None:
    store, dataset = ex.RunStore(server.home), ex.load_dataset("digits")
    run = store.list(1)[0]
    one = tab()
    page = one.page
    page.goto(f"{server.url}/look_inside?run={run.id}")
    page.get_by_text("Change it", exact=True).click()
    pad = page.locator("canvas")
    page.get_by_role("button", name="Clear", exact=True).click()
    for row in (0, 2, 4, 6):
        stroke(page, pad, (0.1, (row + 0.5) / 8), (0.9, (row + 0.5) / 8))
    page.wait_for_timeout(1500)
    one.settle()
    drawn = example_of(dataset, "test", made(page))[0, 0]
    assert (drawn[[0, 2, 4, 6], 2:6] > 0.8).all()
