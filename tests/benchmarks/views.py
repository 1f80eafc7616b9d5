"""Views: how soon what a person does on a looking page is seen, in a real Chromium."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import RunStore
from explorer.specs import RunSpec
from tests.benchmarks._heads import measure as heads
from tests.benchmarks._lag import percentile
from tests.benchmarks._looks import looks
from tests.benchmarks._maps import maps
from tests.benchmarks._memory import measure as memory
from tests.benchmarks._space import space, tsne
from tests.benchmarks.base import Bar, at_most
from tests.browser.server import WIDE, Server, Watched, browser

FOLLOWS = 0.5
"""Seconds from the end of a stroke until its answer is seen."""
STROKES = 8
"""Strokes of each repeat."""


def measure(repeats: int) -> list[Bar]:
    """All bars of the views; every sort of view has a server and runs of its own."""
    with tempfile.TemporaryDirectory() as folder, browser() as program:
        bars = [*_digits(Path(folder) / "digits", program, repeats)]
        for what in (maps, memory, looks):
            place = Path(folder) / what.__name__
            place.mkdir()
            bars += what(program, place, repeats)
    return [*bars, *heads(repeats)]


def _digits(folder: Path, program: Browser, repeats: int) -> list[Bar]:
    """What is drawn of the default CNN on digits: drawing, the space of its layers, its weights, ablation."""
    store = RunStore(folder / "home")
    with store.owners.hold() as owner:
        spec = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), family="cnn")
        run = execute(store, submit(store, spec, owner=owner), owner)
    server = Server(store.home, folder / "log.txt")
    try:
        server.wait()
        bars = drawing(server, program, STROKES * repeats)
        tab = Watched(program, WIDE)
        return [*bars, *space(tab, server.url, run.id, repeats), *tsne(tab, server.url, run.id, min(3, repeats))]
    finally:
        server.stop()


def drawing(server: Server, program: Browser, strokes: int = STROKES) -> list[Bar]:
    """From lifting the pen to the new answer on the screen, and to the view drawn anew: CNN on digits, Look inside."""
    run = RunStore(server.home).list(1)[0]
    tab = Watched(program, WIDE)
    page = tab.page
    page.goto(f"{server.url}/look_inside?run={run.id}")
    tab.settle(8000)  # what the server imports behind the first page
    page.get_by_text("Change it", exact=True).click()
    pad = page.locator("canvas")
    pad.wait_for()
    tab.settle()
    answers, views = [], []
    for number in range(strokes + 1):
        before = page.evaluate(SEEN)
        box, place = pad.bounding_box(), (number % STROKES + 0.5) / STROKES
        if number % STROKES == 0:
            page.get_by_role("button", name="Clear", exact=True).click()
            tab.settle()
            before = page.evaluate(SEEN)
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + place * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + place * box["height"], steps=5)
        began = time.perf_counter()
        page.mouse.up()
        for which, found in enumerate((answers, views)):
            page.wait_for_function(
                f"before => {{ const now = ({SEEN})()[{which}]; return now && now !== before }}",
                arg=before[which],
                polling="raf",
            )
            found.append(time.perf_counter() - began)
        tab.settle()
    answers, views = answers[1:], views[1:]  # the first one has the browser load what it needs
    note = f"{min(answers):.2f} to {max(answers):.2f}, {len(answers)} strokes"
    return [
        at_most("stroke to new answer, drawn digit, median", FOLLOWS, median(answers), "s", note),
        at_most("stroke to new answer, drawn digit, 95 of 100", 1.0, percentile(answers, 0.95), "s"),
        at_most("stroke to feature maps drawn anew, median", FOLLOWS, median(views), "s"),
    ]


SEEN = """() => [
    document.querySelector('.st-key-copies table')?.innerText ?? '',
    [...document.querySelectorAll('[class*=st-key-layers] .heatmaplayer image')]
        .find(image => image.checkVisibility())?.getAttribute('href') ?? '',
]"""
"""What is seen of the answers and of the view."""
