"""Crowd: thirty people on one server, each watching a run that trains, with two workers that train all the time.

Each is a session of Streamlit's own websocket protocol, on loopback: it opens the Train page of a run and asks for it
again as often as the server tells it to. Half-way the runs are stopped, two others begin, and everybody closes the page
and opens that of another. The people take processor time, too: what they are sent is taken apart as a browser would.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from explorer.runs.execute import submit
from explorer.runs.run import Run
from explorer.runs.store import RunStore
from tests.benchmarks._lag import Seen, Written, lags, percentile
from tests.benchmarks._wire import Tab, newest, tab
from tests.benchmarks.base import Bar, at_most
from tests.benchmarks.latency import LONG
from tests.browser.server import Server

PEOPLE = 30
WORKERS = 2
SECONDS = 30
READY = 10.0
"""Seconds that a server that was just started has to import what it needs."""
SETTLED = 5.0
"""Seconds that the server has to open all pages at once, before lags count."""
SLOW, MEMORY, WAIT = 3.0, 1.2, 5.0
"""Seconds that all but a twentieth of the points may take; GiB of the server; seconds until a page is open."""


class Person:
    """What one person saw of one run."""

    def __init__(self, run_id: str) -> None:
        self.run = run_id
        self.seen: Seen = []
        self.opened = float("inf")
        self.tab: Tab | None = None

    async def open(self, port: int, stack: AsyncExitStack) -> None:
        """Open the page of the run."""
        began = time.monotonic()
        self.tab = await stack.enter_async_context(tab(port, "train", f"run={self.run}", self._drawn))
        self.opened = time.monotonic() - began

    def _drawn(self, key: str, spec: str, moment: float) -> None:
        if key.startswith(f"loss-{self.run}") and (step := newest(spec)) > (self.seen[-1][1] if self.seen else 0):
            self.seen.append((moment, step))


@dataclass
class Phase:
    """Everybody watches; lags count between two moments."""

    people: list[Person]
    began: float = 0.0
    until: float = 0.0
    interval: float = 0.0


def measure(repeats: int) -> list[Bar]:
    """The bars of a room; half a minute, whatever `repeats` says."""
    with tempfile.TemporaryDirectory() as folder:
        home, log = Path(folder) / "home", Path(folder) / "log.txt"
        server = Server(home, log, workers=WORKERS)
        store = RunStore(home)
        try:
            server.wait()
            runs = [submit(store, LONG, session=str(number)) for number in range(2 * WORKERS)]
            return asyncio.run(_crowd(server, store, runs))
        finally:
            server.stop()
            store.close()


async def _crowd(server: Server, store: RunStore, runs: list[Run]) -> list[Bar]:
    written = {run.id: Written(server.home, run.id) for run in runs}
    for each in written.values():
        each.start()
    memory = Memory(server.process.pid)
    async with tab(server.port, "train"):  # whoever invites a room has opened the page before
        await asyncio.sleep(READY)
    first, second = (
        Phase([Person(now[number % WORKERS].id) for number in range(PEOPLE)])
        for now in (runs[:WORKERS], runs[WORKERS:])
    )
    await _watch(first, server.port, memory)
    for run in runs[:WORKERS]:
        store.stop(run.id)
    await _watch(second, server.port, memory)
    steps = {run_id: each.stop() for run_id, each in written.items()}
    return _bars([first, second], steps, memory, _complaints(server.log))


async def _watch(phase: Phase, port: int, memory: Memory) -> None:
    stacks = [AsyncExitStack() for _ in phase.people]
    try:
        await asyncio.gather(*(person.open(port, stack) for person, stack in zip(phase.people, stacks, strict=True)))
        await asyncio.sleep(SETTLED)
        phase.began = time.time()
        for _ in range(SECONDS // 2):
            await asyncio.sleep(1)
            memory.look()
        phase.until = time.time()
        phase.interval = median(min(person.tab.intervals.values(), default=0) for person in phase.people)
    finally:
        await asyncio.gather(*(stack.aclose() for stack in stacks))


def _bars(phases: list[Phase], steps: dict[str, Seen], memory: Memory, complaints: list[str]) -> list[Bar]:
    people = [person for phase in phases for person in phase.people]
    found, without = [], 0
    for phase in phases:
        for person in phase.people:
            found += lags(steps[person.run], person.seen, phase.began, phase.until)
            without += not any(phase.began <= moment <= phase.until for moment, _ in person.seen)
    opened = [person.opened for person in people]
    errors = complaints + [error for person in people for error in person.tab.errors]
    redraws = sum(person.tab.redraws for person in people)
    note = f"median {median(found):.2f}, slowest {max(found):.2f}; asked for every {phases[-1].interval:.2g} s"
    point = f"point written to point received, {PEOPLE} sessions, 95 of 100"
    return [
        at_most(point, SLOW, percentile(found, 0.95), "s", note),
        at_most("sessions without a new point", 0, without, note=f"{redraws} redraws"),
        at_most("Train page opened by all at once, slowest", WAIT, max(opened), "s", f"median {median(opened):.2f}"),
        at_most("memory of the server", MEMORY, memory.most / 2**30, "GiB", memory.said()),
        at_most("errors", 0, len(errors), note="; ".join(errors)[:200]),
    ]


class Memory:
    """The most that the server and its engine take, without the workers that train."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        self.most, self._parts = 0, (0, 0)

    def look(self) -> None:
        """Look now."""
        engines = [child for child in self._server.children() if "explorer.runs.engine" in " ".join(child.cmdline())]
        helpers = [each for engine in engines for each in (engine, *engine.children())]  # workers are grandchildren
        parts = self._server.memory_info().rss, sum(each.memory_info().rss for each in helpers)
        if sum(parts) > self.most:
            self.most, self._parts = sum(parts), parts

    def said(self) -> str:
        """Of whom."""
        server, engine = (part / 2**20 for part in self._parts)
        return f"web server {server:.0f} MiB, engine with its fork server {engine:.0f} MiB, resident"


def _complaints(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if "Traceback" in line or " ERROR " in line]
