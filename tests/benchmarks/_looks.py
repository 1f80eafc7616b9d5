"""Every look of *Look inside* in a real Chromium: from another step, or choice, until its figure is drawn anew.

Part of the benchmark ``views``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, expect

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.specs import RunSpec, TrainSpec
from explorer.views.looks import LOOKS
from tests.benchmarks.base import Bar, at_most
from tests.browser.server import WIDE, Server, Watched

REDRAW, ANSWERED = 0.4, 1.0
"""Seconds from a press to the new figure, at the median; to the first progress of a climb, and to its stop."""
MOST = 8
"""Presses for each look."""
RUNS = {"cnn": "digits", "rnn": "mnist1d", "transformer": "evidence_words", "seq2seq_transformer": "phrases"}
"""Each look is measured on the first of these that it fits."""
CHOICES = {"positions": ("Similarity", "Code")}
"""What is chosen in turn where the step changes nothing: fixed codes of places."""
CLIMBS = (".st-key-climb-stop-made button", ".st-key-climb-on-made button")
LAST = """() => {
    const drawn = [...document.querySelectorAll('.stMain .js-plotly-plot')].filter(one => one.checkVisibility());
    return drawn.length ? drawn.at(-1).innerHTML : '';
}"""
"""The last figure of the page."""


def looks(program: Browser, folder: Path, repeats: int) -> list[Bar]:
    """All bars of all looks.

    Args:
        program: A browser.
        folder: An empty one, for runs and a log.
        repeats: How often each timing is taken.
    """
    store, runs = RunStore(folder / "home"), {}
    for family, data in RUNS.items():
        model = preset(family, load_dataset(data))
        spec = RunSpec(dataset=data, model=model, train=TrainSpec(epochs=1, batch_size=64), examples=64 * (MOST + 1))
        with store.owners.hold() as owner:
            runs[family] = execute(store, submit(store, spec, owner=owner), owner).id
    server = Server(store.home, folder / "log.txt")
    try:
        server.wait()
        tab = Watched(program, WIDE)
        bars, place = [], f"{server.url}/look_inside?run="
        offered = {run: _offered(tab, place + run) for run in runs.values()}
        for look in LOOKS.values():
            run, choices = next(one for one in offered if look.title in offered[one]), CHOICES.get(look.name)
            times = _stepped(tab, f"{place}{run}&look={look.name}&climb=64", min(repeats, MOST), choices)
            what = f"another {'choice' if choices else 'step'}, {look.title}, median"
            bars.append(at_most(what, REDRAW, median(times), "s", f"{min(times):.2f} to {max(times):.2f}"))
        return [*bars, *_climbs(tab, place + runs["cnn"], min(repeats, MOST))]
    finally:
        server.stop()


def _offered(tab: Watched, place: str) -> list[str]:
    """Titles of the looks that fit a run."""
    tab.page.goto(place)
    tab.settle(1500)
    return tab.page.locator(".st-key-looks [role=radio]").all_inner_texts()


def _stepped(tab: Watched, place: str, repeats: int, choices: tuple[str, str] | None) -> list[float]:
    """Seconds from a press of a key on the slider of steps, or a click, until the last figure is another one."""
    page, times = tab.page, []
    page.goto(place)
    tab.settle(1500)
    slider = page.locator("[data-testid=stSidebar]").get_by_role("slider").first
    for number in range(repeats):
        before, act = page.evaluate(LAST), partial(page.keyboard.press, "ArrowLeft")
        if choices:
            act = page.get_by_role("radio", name=choices[number % 2], exact=True).click
        else:
            slider.focus()
        times.append(_until(tab, act, before))
        tab.settle()
    return times


def _until(tab: Watched, act: Callable[[], None], before: str) -> float:
    began = time.perf_counter()
    act()
    changed = f"before => {{ const now = ({LAST})(); return now && now !== before }}"
    tab.page.wait_for_function(changed, arg=before, polling="raf", timeout=30_000)
    return time.perf_counter() - began


def _climbs(tab: Watched, url: str, repeats: int) -> list[Bar]:
    """How soon a climb shows that it goes on, and how soon it stops; each time from other noise."""
    page, shown, stopped = tab.page, [], []
    stop, on = map(page.locator, CLIMBS)
    for seed in range(1, repeats + 1):
        page.goto(f"{url}&look=excites&climb=2048&seed={seed}")
        stop.wait_for()
        stop.click()
        on.wait_for()
        tab.settle()
        before = page.locator("[data-testid=stProgress]").inner_text()
        began = time.perf_counter()
        on.click()
        expect(page.locator("[data-testid=stProgress]")).not_to_have_text(before, timeout=30_000)
        shown.append(time.perf_counter() - began)
        began = time.perf_counter()
        stop.click()
        on.wait_for()
        stopped.append(time.perf_counter() - began)
        tab.settle()
    return [
        at_most("a climb, click to its progress", ANSWERED, max(shown), "s", f"from {min(shown):.2f}"),
        at_most("a climb, stop to stopped", ANSWERED, max(stopped), "s", f"from {min(stopped):.2f}"),
    ]
