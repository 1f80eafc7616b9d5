"""Attention looked at in a real Chromium: from a click until it is drawn, and what a model of many heads sends."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Locator, Page, TimeoutError

from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from tests.benchmarks._lag import percentile
from tests.benchmarks.base import Bar, at_most
from tests.browser.server import WIDE, Server, Watched, browser

REDRAW, SLOWEST = 0.4, 1.0
"""Seconds from a click until its picture is drawn: the median, and 95 of 100."""
SENT = 1.0
"""Megabytes for the small maps of 4 layers of 8 heads over 64 patches, and one of them enlarged."""
LAYERS, HEADS = 4, 8
GRID = "[class*=st-key-heads-grid]"
TRIES = 5
"""How often a list is opened, if it closes."""
BAR = ".barlayer .point path"

TITLE = """selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility())
    .map(e => e.querySelector('.gtitle')?.textContent).filter(Boolean).join()"""
"""What the visible figures of a selector are called."""


def measure(repeats: int) -> list[Bar]:
    """All bars of attention."""
    with tempfile.TemporaryDirectory() as folder, browser() as program:
        store = RunStore(Path(folder) / "home")
        run = many_heads(store)
        server = Server(store.home, Path(folder) / "log.txt")
        try:
            server.wait()
            return [*sent(program, server, run), *redraws(program, server, run, repeats)]
        finally:
            server.stop()


def many_heads(store: RunStore) -> Run:
    """A Vision Transformer of 4 layers of 8 heads that reads each of 64 pixels as a patch, trained on a few digits."""
    block = {"kind": "transformer", "heads": HEADS, "units": 64}
    model = ModelSpec.of(
        {"kind": "patches", "patch": 1, "size": 32},
        {"kind": "positions"},
        *[block] * LAYERS,
        {"kind": "meanpool"},
        {"kind": "output"},
    )
    spec = RunSpec(dataset="digits", model=model, train=TrainSpec(epochs=1), examples=128)
    with store.owners.hold() as owner:
        return execute(store, submit(store, spec, owner=owner), owner)


def sent(program: Browser, server: Server, run: Run) -> list[Bar]:
    """Megabytes the page gets of the server over its websocket when it is opened at the small maps."""
    tab, received = Watched(program, WIDE), []
    tab.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(len(frame))))
    tab.page.goto(f"{server.url}/look_inside?run={run.id}&look=heads&head=1")
    tab.settle(3000)
    tab.context.close()
    size = sum(received) / 1e6
    return [at_most(f"sent for {LAYERS} × {HEADS} heads over 64 patches", SENT, size, "MB", "the whole page")]


def redraws(program: Browser, server: Server, run: Run, repeats: int) -> list[Bar]:
    """Seconds from a click until drawn: on a small map, another head in the list, another place that looks."""
    tab = Watched(program, WIDE)
    page = tab.page
    page.goto(f"{server.url}/look_inside?run={run.id}&look=heads&head=1")
    tab.settle(5000)  # what the server imports behind the first page
    times: dict[str, list[float]] = {}

    def timed(what: str, named: str, act: Callable[[], None]) -> None:
        began = time.perf_counter()
        act()
        page.wait_for_function(
            f"named => ({TITLE})('.js-plotly-plot').includes(named)", arg=named, polling="raf", timeout=30_000
        )
        times.setdefault(what, []).append(time.perf_counter() - began)
        tab.settle()

    for number in range(repeats):
        layer, head = number % LAYERS, (3 * number + 1) % HEADS
        named = f"transformer{layer + 1} · head {head + 1}"
        timed("a small map clicked, enlarged", named, lambda layer=layer, head=head: _tile(page, layer, head))
        other = (head + 2) % (HEADS - 1)  # "8" would also find "mean of 8"
        named = f"transformer{layer + 1} · head {other + 1}"
        timed("another head of the list, enlarged", named, _option(page, "Head", str(other + 1)).click)
    page.get_by_role("radio", name="On the image").click()
    tab.settle()
    for number in range(repeats):
        row, column = divmod(7 * number + 3, 8)
        named = f"from row {row % 8}, column {column}"
        timed("a patch clicked, where it looks", named, lambda place=8 * (row % 8) + column: _patch(page, place))
    tab.context.close()
    bars = []
    for what, took in times.items():
        note = f"{min(took):.2f} to {max(took):.2f}"
        bars.append(at_most(f"{what}, median", REDRAW, median(took), "s", note))
        bars.append(at_most(f"{what}, 95 of 100", SLOWEST, percentile(took, 0.95), "s"))
    return bars


def _tile(page: Page, layer: int, head: int) -> None:
    _click(page, GRID, HEADS * layer + head)


def _patch(page: Page, place: int) -> None:
    _click(page, "[class*='st-key-heads-']:not([class*=grid]):not([class*=choice])", place)


def _click(page: Page, figure: str, number: int) -> None:
    """Click the middle of a bar of a figure, as a mouse does: Plotly listens to the mouse, not to the bar."""
    bar = page.locator(f"{figure} {BAR}").nth(number)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def _option(page: Page, label: str, option: str) -> Locator:
    """An option of a list, found by typing: only those in sight are on the page."""
    found = page.get_by_role("option", name=option, exact=True)
    for _ in range(TRIES):  # a list that is drawn anew just then closes again
        page.get_by_role("combobox", name=label).fill(option)
        with suppress(TimeoutError):
            found.wait_for(timeout=2000)
            return found
        page.keyboard.press("Escape")
    raise TimeoutError(f"{option!r} is not in the list {label!r}")
