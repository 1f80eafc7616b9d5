"""Latency: how long a point takes from the worker that wrote it to the curve in a real browser.

One run trains on all the cores it may have while a Chromium shows it; in its page, every frame notes the newest point
that is drawn. What is compared are those moments and the moments at which the steps came to be in the store.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import submit
from explorer.runs.run import Status
from explorer.runs.store import RunStore
from explorer.specs import RunSpec, TrainSpec
from tests.benchmarks._lag import Seen, Written, lags, percentile
from tests.benchmarks.base import Bar, at_least, at_most
from tests.browser.server import WIDE, Server, Watched, browser
from tests.processes import wait_until

SECONDS = 30
MEDIAN, SLOW = 0.4, 1.0
"""Seconds that half of the points, and all but a twentieth, may take."""

NOTE = """
() => {
  window.seen = []
  const look = () => {
    // The figure before may still lie below the one that is seen.
    for (const figure of document.querySelectorAll("[class*=st-key-loss-] .js-plotly-plot")) {
      const x = figure._fullData?.[0]?.x
      const newest = x?.length ? Number(x[x.length - 1]) : 0
      if (figure.querySelector("path.js-line") && newest > (window.seen.at(-1)?.[1] ?? 0))
        window.seen.push([Date.now() / 1000, newest])
    }
    requestAnimationFrame(look)
  }
  look()
}
"""


def measure(repeats: int) -> list[Bar]:
    """The bars of one watcher; one run of half a minute, whatever `repeats` says."""
    with tempfile.TemporaryDirectory() as folder, browser() as program:
        home = Path(folder) / "home"
        server = Server(home, Path(folder) / "log.txt")
        try:
            server.wait()
            store = RunStore(home)
            run = submit(store, LONG)
            wait_until(lambda: store.get(run.id).status is Status.RUNNING)
            tab = Watched(program, WIDE)
            tab.page.goto(f"{server.url}/train?run={run.id}")
            tab.page.wait_for_selector("[class*=st-key-loss-] .scatterlayer path.js-line")
            tab.page.wait_for_timeout(3000)  # the server still imports what later clicks will need
            written = Written(home, run.id)
            written.start()
            tab.page.evaluate(NOTE)
            began = time.time()
            tab.page.wait_for_timeout(SECONDS * 1000)
            until = time.time()
            seen: Seen = [tuple(moment) for moment in tab.page.evaluate("window.seen")]
            steps = written.stop()
            store.stop(run.id)
            tab.check()
            store.close()
        finally:
            server.stop()
    return bars(lags(steps, seen, began, until), len(seen))


LONG = RunSpec(
    dataset="mnist5k", model=preset("cnn", load_dataset("mnist5k")), train=TrainSpec(epochs=1000), family="cnn"
)


def bars(found: list[float], redraws: int) -> list[Bar]:
    """The table."""
    note = f"{len(found)} reports of the worker, {redraws} redraws in {SECONDS} s"
    return [
        at_most("point written to point drawn in Chromium, median", MEDIAN, median(found), "s", note),
        at_most("point written to point drawn in Chromium, 95 of 100", SLOW, percentile(found, 0.95), "s"),
        at_least("redraws a second", 1.0, redraws / SECONDS),
    ]
