"""Redraw: what one live redraw costs the server, and how long the list of two thousand runs takes to open.

The server is a real one, asked by Streamlit's own websocket protocol and by a real Chromium. A redraw is the part of
the Train page that a browser asks for again and again; its cost is all the processor time that the server takes for it,
from the message that asks to the last one that is sent. New points are written before each, as a worker would.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import submit
from explorer.runs.run import Run, Status
from explorer.runs.store import RunStore, new_id
from explorer.specs import RunSpec, TrainSpec
from tests.benchmarks._wire import Tab, newest, tab
from tests.benchmarks.base import Bar, at_most
from tests.benchmarks.browser import opened
from tests.browser.server import WIDE, Server, Watched, browser

STEPS, EPOCH, REDRAWS = 10_000, 50, 50
"""Steps that were recorded, steps of an epoch, and redraws of which the processor time is taken together."""
RUNS = 2000
COST, OPEN = 10.0, 0.5
"""Milliseconds of a redraw, seconds of the list."""
READY, QUIET = 60.0, 0.05
"""Seconds that a server that was just started has to import what it needs; share of a core below which it has."""
SPEC = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), train=TrainSpec(epochs=400), family="cnn")


def measure(repeats: int) -> list[Bar]:
    """All bars of what is drawn again and again, and of the list."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        store = RunStore(home)
        many(store)
        with store.owners.hold() as owner:
            run = submit(store, SPEC, owner=owner)
            write(store, run, owner, 1, STEPS)
            server = Server(home, Path(folder) / "log.txt")
            try:
                server.wait()
                costs, walls, lists = asyncio.run(_asked(server, store, run, owner, repeats))
                drawn = _clicked(server, repeats)
            finally:
                server.stop()
                store.close()
    redraw = f"one live redraw with {STEPS:,} recorded steps, processor time of the server"
    answered = f"{min(costs):.1f} to {max(costs):.1f}; answered within {median(walls) * 1000:.0f} ms"
    return [
        at_most(redraw, COST, median(costs), "ms", answered),
        at_most(f"list of {RUNS:,} runs, answered by the server", OPEN, median(lists), "s", _all(lists)),
        at_most(f"list of {RUNS:,} runs, click to drawn in Chromium", OPEN, median(drawn), "s", _all(drawn)),
    ]


def _all(times: list[float]) -> str:
    return f"{min(times):.2f} to {max(times):.2f}"


def write(store: RunStore, run: Run, owner: str, first: int, last: int) -> None:
    """Report steps of a run as a worker does, with a loss that falls."""
    place = {"step": last, "epoch": 1 + last // EPOCH, "total_steps": 2 * STEPS, "rate": 5000.0}
    store.report(run.id, owner, _rows(first, last), **place)


def _rows(first: int, last: int) -> Iterator[dict[str, Any]]:
    for step in range(first, last + 1):
        loss = 2 / math.sqrt(step) + 0.1 * math.sin(step * step)
        place = {"step": step, "epoch": 1 + (step - 1) // EPOCH, "seconds": step / 100}
        for split in ("batch",) if step % EPOCH else ("batch", "train", "validation"):
            values = {"loss": loss, "accuracy": 1 - loss / 3} | ({"learning_rate": 1e-3} if split == "batch" else {})
            yield from ({"split": split, "name": name, "value": value, **place} for name, value in values.items())


def many(store: RunStore) -> None:
    """Fill a store with runs that are over."""
    with store.owners.hold() as owner:
        made = store.create(SPEC, owner=owner, total_steps=100)
        store.report(made.id, owner, step=100, epoch=4)
        store.end(made.id, Status.FINISHED, test={"loss": 0.1, "accuracy": 0.97})
    with sqlite3.connect(store.home / "runs.sqlite") as database:  # one by one they would take longer than all the rest
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT * FROM runs").fetchone())
        del row["number"]
        places = ", ".join(f":{name}" for name in row)
        copies = [row | {"id": new_id(), "title": f"Convolutions on digits #{number}"} for number in range(RUNS - 1)]
        database.executemany(f"INSERT INTO runs ({', '.join(row)}) VALUES ({places})", copies)


async def _asked(
    server: Server, store: RunStore, run: Run, owner: str, repeats: int
) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of processor time of a redraw, seconds until it is answered, seconds until the list is."""
    process = psutil.Process(server.process.pid)
    costs, walls, lists, last = [], [], [], STEPS
    async with tab(server.port, "train", f"run={run.id}") as train:
        part = min(train.intervals, key=train.intervals.__getitem__)  # asked for most often: what changes all the time
        train.rest()
        await _quiet(process)
        for _ in range(repeats):
            before = _spent(process)
            for _ in range(REDRAWS):
                write(store, run, owner, last + 1, last + 2)
                last += 2
                walls.append(await _again(train, part))
            costs.append((_spent(process) - before) / REDRAWS * 1000)
        shown = max(newest(spec) for key, spec in train.charts.items() if key.startswith(f"loss-{run.id}"))
        if shown != last or train.errors:
            raise RuntimeError(f"Step {shown:.0f} was drawn where step {last} was written. {train.errors}")
    async with tab(server.port, "runs") as page:
        page.rest()
        lists += [await _again(page) for _ in range(2 * repeats)]
    return costs, walls, lists


async def _quiet(process: psutil.Process) -> None:
    """Wait until a server does nothing any more."""
    for _ in range(int(READY)):
        before = _spent(process)
        await asyncio.sleep(1)
        if _spent(process) - before < QUIET:
            return
    raise TimeoutError(f"The server was not at rest within {READY:g} s.")


async def _again(page: Tab, fragment: str = "") -> float:
    page.finished.clear()
    began = time.perf_counter()
    await page.ask(fragment=fragment, automatic=bool(fragment))
    await page.next()
    return time.perf_counter() - began


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _clicked(server: Server, repeats: int) -> list[float]:
    with browser() as program:
        window = Watched(program, WIDE)
        window.page.goto(server.url)
        window.settle(3000)
        times = []
        for _ in range(repeats + 1):  # the first time the browser loads what it needs
            times.append(opened(window.page, "Runs"))
            window.settle()
            opened(window.page, "Build")
            window.settle()
        window.check()
    return times[1:]
