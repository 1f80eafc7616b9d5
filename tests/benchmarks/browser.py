"""Browser: how long a person waits for the first page, the first point of a curve, another page, example or layer.

Everything is timed in a real Chromium against a real server, from the click until what was asked for is drawn.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.specs import RunSpec, TrainSpec
from tests.benchmarks.base import Bar, at_most
from tests.browser.server import WIDE, Server, Watched, browser, go

FIRST_PAGE, FIRST_POINT, REDRAW = 5.0, 2.0, 0.5
"""Seconds a person should wait at most."""
READING_SECONDS = 5.0
"""What a newcomer takes to read the first page; the server imports the rest meanwhile."""

DRAWN = {
    "Build": ".st-key-architecture .barlayer",
    "Train": "[class*=st-key-accuracy-] .scatterlayer path.js-line",
    "Runs": "[class*=st-key-run-] [class*=st-key-open-]",
    "Look inside": ".st-key-layers .heatmaplayer image",
    "Attributions": ".st-key-why .heatmaplayer image",
}
"""What is drawn last on each page."""


def measure(repeats: int) -> list[Bar]:
    """All bars of the browser."""
    with browser() as program, tempfile.TemporaryDirectory() as folder:
        starts = [_start(program, Path(folder) / str(n)) for n in range(repeats)]
        pages = _redraws(program, Path(folder) / "pages", repeats)
    first_page, first_point = ([start[n] for start in starts] for n in (0, 1))
    bars = [
        at_most("process start to first page readable", FIRST_PAGE, median(first_page), "s", _all(first_page)),
        at_most("Start to first point, default run on Home", FIRST_POINT, median(first_point), "s", _all(first_point)),
    ]
    bars += [at_most(f"{what}, redrawn", REDRAW, median(times), "s", _all(times)) for what, times in pages.items()]
    everything = [seconds for times in pages.values() for seconds in times]
    return [*bars, at_most("all redraws together", REDRAW, median(everything), "s", f"slowest {max(everything):.2f}")]


def _all(times: list[float]) -> str:
    return f"{min(times):.2f} to {max(times):.2f}"


def _start(program: Browser, folder: Path) -> tuple[float, float]:
    """Seconds from starting a server to a readable page, and from the click on Start to the first point."""
    folder.mkdir(parents=True)
    began = time.perf_counter()
    server = Server(folder / "home", folder / "log.txt")
    try:
        server.wait()
        page = Watched(program, WIDE).page
        page.goto(server.url)
        button = page.get_by_role("button", name="Train a CNN on digits now")
        button.wait_for()
        readable = time.perf_counter() - began
        page.wait_for_timeout(READING_SECONDS * 1000)
        began = time.perf_counter()
        button.click()
        _await(page, _visible("[class*=st-key-loss-] .scatterlayer path.js-line"))
        point = time.perf_counter() - began
        page.context.close()
        return readable, point
    finally:
        server.stop()


def _redraws(program: Browser, folder: Path, repeats: int) -> dict[str, list[float]]:
    folder.mkdir(parents=True)
    store = RunStore(folder / "home")
    spec = RunSpec(dataset="mnist5k", model=preset("cnn", load_dataset("mnist5k")), train=TrainSpec(epochs=2))
    with store.owners.hold() as owner:
        execute(store, submit(store, spec, owner=owner), owner)
    server = Server(folder / "home", folder / "log.txt")
    times: dict[str, list[float]] = {}
    try:
        server.wait()
        tab = Watched(program, WIDE)
        page = tab.page
        page.goto(server.url)
        tab.settle(5000)
        for name in DRAWN:  # once for the browser to load its libraries, as in any session
            opened(page, name)
            tab.settle()
        for _ in range(repeats):
            for name in DRAWN:
                times.setdefault(f"page {name}", []).append(opened(page, name))
                tab.settle()
                if name in ("Look inside", "Attributions"):
                    seconds = _change(page, DRAWN[name], lambda: _next(page))
                    times.setdefault(f"another example, {name}", []).append(seconds)
                    tab.settle()
                if name == "Look inside":
                    for layer in ("relu2", "conv1"):
                        seconds = _change(page, DRAWN[name], lambda layer=layer: _layer(page, layer))
                        times.setdefault("another layer, Look inside", []).append(seconds)
                        tab.settle()
    finally:
        server.stop()
    return times


def opened(page: Page, name: str) -> float:
    """Seconds from a click on a page in the sidebar until it is drawn."""
    began = time.perf_counter()
    go(page, name)
    _await(page, f"{_visible('h2')}?.innerText.startsWith('{name}')")
    _await(page, _visible(DRAWN[name]))
    return time.perf_counter() - began


def _change(page: Page, drawn: str, act: Callable[[], None], attribute: str = "href") -> float:
    """Seconds from an act until the picture is another one, or another attribute that says what is drawn."""
    image = f"{_visible(drawn)}?.getAttribute('{attribute}')"
    before = page.evaluate(image)
    began = time.perf_counter()
    act()
    _await(page, f"![undefined, '{before}'].includes({image})")
    return time.perf_counter() - began


def _visible(drawn: str) -> str:
    """The first visible element of a selector, in JavaScript."""
    return f"[...document.querySelectorAll('{drawn}')].find(element => element.checkVisibility())"


def _await(page: Page, condition: str) -> None:
    """Wait for a condition, looked at on every frame: Playwright's own waiting soon looks only twice a second."""
    page.wait_for_function(f"() => {condition}", polling="raf", timeout=30_000)


def _next(page: Page) -> None:
    page.locator(".st-key-example-bar").get_by_role("button", name="Next").click()


def _layer(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
