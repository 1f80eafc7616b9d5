"""How long a person waits for another gate, layer, unit or example of hidden states, and for a pattern's units."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.specs import RunSpec, TrainSpec
from tests.benchmarks._lag import percentile
from tests.benchmarks.base import Bar, at_most
from tests.benchmarks.browser import _change, _next
from tests.browser.server import WIDE, Server, Watched

MEDIAN, SLOW = 0.4, 1.0
"""Seconds from the click until it is drawn: median, and 95 of 100."""
PLACES = ("ahead", "back")
PARTS = ("Forget gate", "Cell state", "Input gate", "Hidden state")
STATES = ".st-key-states .heatmaplayer image"
UNIT = ".st-key-figure-unit-over-time .scatterlayer path.js-line"
FOUND = ".st-key-finder .barlayer path"


def measure(program: Browser, folder: Path, repeats: int) -> list[Bar]:
    """All bars of hidden states: the default RNN on surnames, an LSTM that reads both ways.

    Args:
        program: The browser.
        folder: An empty one, for the store.
        repeats: How often each timing is taken.
    """
    store = RunStore(folder / "home")
    spec = RunSpec(dataset="surnames", model=preset("rnn", load_dataset("surnames")), train=TrainSpec(epochs=1))
    with store.owners.hold() as owner:
        run = execute(store, submit(store, spec, owner=owner), owner)
    server = Server(store.home, folder / "log.txt")
    try:
        server.wait()
        tab = Watched(program, WIDE)
        tab.page.goto(f"{server.url}/look_inside?run={run.id}&look=states")
        tab.settle(5000)
        times = _timed(tab, repeats)
        tab.check()
    finally:
        server.stop()
    bars = []
    for what, taken in times.items():
        note = f"{min(taken):.2f} to {max(taken):.2f}"
        bars.append(at_most(f"{what}, redrawn", MEDIAN, median(taken), "s", note))
        bars.append(at_most(f"{what}, redrawn, 95 of 100", SLOW, percentile(taken, 0.95), "s"))
    return bars


def _timed(tab: Watched, repeats: int) -> dict[str, list[float]]:
    page, times = tab.page, {}

    def take(what: str, drawn: str, act: Callable[[], None]) -> None:
        times.setdefault(what, []).append(_change(page, drawn, act, "d" if drawn != STATES else "href"))
        tab.settle()

    for number in range(repeats):
        for part in PARTS:
            _open(page, "Part")
            take("another gate, hidden states", STATES, lambda part=part: _pick(page, part))
        for way in reversed(PLACES):
            take("another layer, hidden states", STATES, lambda way=way: _radio(page, f"lstm1, {way}"))
        for bar in (3 + number, 40 + number):
            take("another unit, hidden states", UNIT, lambda bar=bar: _click_bar(page, bar))
        take("another example, hidden states", STATES, lambda: _next(page))
    _radio(page, "Unit finder")
    tab.settle(2000)
    for _ in range(repeats):
        for pattern in ("Consonants", "The last place", "Vowels"):
            _open(page, "Pattern")
            take("another pattern, unit finder", FOUND, lambda pattern=pattern: _pick(page, pattern))
    return times


def _open(page: Page, label: str) -> None:
    page.get_by_role("combobox", name=label).click()


def _pick(page: Page, option: str) -> None:
    page.get_by_role("option", name=option, exact=True).click()


def _radio(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).click()


def _click_bar(page: Page, row: int) -> None:
    page.locator(".st-key-states .barlayer .point path").nth(row).click(force=True)
