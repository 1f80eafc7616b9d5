"""What moves: kept steps played a second in a real Chromium, and what the live microscope takes of the server."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore
from explorer.specs import RunSpec
from tests.benchmarks.base import Bar, at_least, at_most
from tests.browser.server import ROOT, WIDE, Server, Watched, browser

SPEED, PLAYED = 4, 2.0
"""Steps a second that are asked for, and how many should be seen at least."""
REDRAW = 150.0
"""Milliseconds of one of the server's cores a redraw of the microscope should take at most."""

FRAMES = """() => {
    window.frames = [];
    const look = () => {
        const bar = document.querySelector('.st-key-example-bar')?.innerText.match(/step (\\d+) of/);
        if (bar && bar[1] !== window.frames.at(-1)?.[1]) window.frames.push([performance.now(), bar[1]]);
        requestAnimationFrame(look);
    };
    look();
}"""
"""Notes when each step appears on the screen."""


def measure(repeats: int) -> list[Bar]:
    """All bars of what moves."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "home")
        spec = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), family="cnn")
        with store.owners.hold() as owner:
            run = execute(store, submit(store, spec, owner=owner), owner)
        rates = _played(store, run, Path(folder) / "log.txt", repeats)
        redraws = _redraws(store, run)
    return [
        at_least(f"steps played, feature maps, {SPEED} asked for", PLAYED, median(rates), "a second", _all(rates)),
        at_most("a core for one redraw of the microscope, CNN on digits", REDRAW, median(redraws), "ms", _all(redraws)),
    ]


def _all(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"


def _played(store: RunStore, run: Run, log: Path, repeats: int) -> list[float]:
    """Steps a second from the first step on to the last."""
    server = Server(store.home, log)
    try:
        server.wait()
        with browser() as program:
            tab = Watched(program, WIDE)
            page = tab.page
            page.goto(f"{server.url}/look_inside?run={run.id}&step=0")
            tab.settle(8000)  # what the server imports behind the first page
            page.get_by_role("combobox", name="Steps a second").click()
            page.get_by_role("option", name=f"{SPEED} a second").click()
            tab.settle()
            return [_play(page) for _ in range(repeats)]
    finally:
        server.stop()


def _play(page: Page) -> float:
    page.evaluate(FRAMES)
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    page.get_by_role("button", name="Play", exact=True).wait_for(timeout=120_000)
    times = [moment for moment, _ in page.evaluate("window.frames")]
    return 1000 * (len(times) - 2) / (times[-1] - times[1])


def _redraws(store: RunStore, run: Run) -> list[float]:
    """Milliseconds of a core that the microscope takes at each kept step, seen and drawn for the first time."""
    from streamlit.testing.v1 import AppTest

    from explorer.views import microscope

    os.environ["EXPLORER_HOME"] = str(store.home)
    app = AppTest.from_file(str(ROOT / "explorer/app.py"), default_timeout=60)
    app.query_params["run"] = run.id
    app.run()
    app.switch_page("../pages/train.py").run()
    app.toggle(key="microscope-open-toggle").set_value(True).run()
    took, draw = [], microscope.microscope

    def timed(run: Run) -> None:
        began = time.thread_time()
        draw(run)
        took.append(1000 * (time.thread_time() - began))

    microscope.microscope = timed
    for step in store.snapshots.steps(run.id)[:-1]:
        next(slider for slider in app.select_slider if slider.key.startswith("lens-step")).set_value(step).run()
    return took
