"""Feature maps in a real Chromium: another layer, a channel enlarged, and what a page of 64 channels weighs."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, WebSocket

from explorer.data import load_dataset
from explorer.models import preset
from explorer.runs.execute import execute, submit
from explorer.runs.store import Run, RunStore
from explorer.specs import ModelSpec, RunSpec, TrainSpec
from tests.benchmarks.base import Bar, at_most
from tests.benchmarks.browser import _change, _layer
from tests.browser.server import WIDE, Server, Watched

MEDIAN, SLOWEST = 0.4, 1.0
"""Seconds from a click to the picture, for half and for 95 of 100."""
PAGE = 1.0
"""Megabytes that one page of channels may weigh."""
CHANNELS = 64
MAPS = ".st-key-figure-layers .heatmaplayer image"
LARGE = ".st-key-figure-channel .subplot.x2y2 .heatmaplayer image"
"""The channel, which stands behind the input."""


def maps(program: Browser, folder: Path, repeats: int) -> list[Bar]:
    """All bars of feature maps.

    Args:
        program: A browser.
        folder: An empty one, for runs and a log.
        repeats: How often each timing is taken.
    """
    store = RunStore(folder / "home")
    data = load_dataset("mnist5k")
    wide = ModelSpec.of({"kind": "conv", "channels": CHANNELS}, {"kind": "globalpool"}, {"kind": "output"})
    with store.owners.hold() as owner:
        small, large = (
            execute(store, submit(store, _spec(model), owner=owner), owner) for model in (preset("cnn", data), wide)
        )
    server = Server(store.home, folder / "log.txt")
    try:
        server.wait()
        tab, received = _tab(program, server, small)
        layers, channels = _times(tab, repeats)
        weight = _weight(tab, server, large, received)
    finally:
        server.stop()
    return [
        at_most("another layer, Feature maps, median", MEDIAN, median(layers), "s", _all(layers)),
        at_most("another layer, Feature maps, 95 of 100", SLOWEST, _late(layers), "s"),
        at_most("a channel enlarged, median", MEDIAN, median(channels), "s", _all(channels)),
        at_most("a channel enlarged, 95 of 100", SLOWEST, _late(channels), "s"),
        at_most(f"page of {CHANNELS} channels of 28×28, opened by a link", PAGE, weight / 1e6, "MB"),
    ]


def _spec(model: ModelSpec) -> RunSpec:
    return RunSpec(dataset="mnist5k", model=model, train=TrainSpec(epochs=1))


def _tab(program: Browser, server: Server, run: Run) -> tuple[Watched, list[int]]:
    """A tab that looks at feature maps, and a list of the bytes of all that it receives."""
    tab, received = Watched(program, WIDE), []

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: received.append(len(frame)))

    tab.page.on("websocket", watch)
    tab.page.goto(f"{server.url}/look_inside?run={run.id}&layer=conv1")
    tab.settle(8000)  # what the server imports behind the first page
    return tab, received


def _times(tab: Watched, repeats: int) -> tuple[list[float], list[float]]:
    """Seconds until another layer is drawn, and until a channel is."""
    page, layers, channels = tab.page, [], []
    for n in range(-1, repeats):  # the first time is not counted: the server imports
        for name in ("relu2", "conv1"):
            layers.append(_change(page, MAPS, lambda name=name: _layer(page, name)))
            tab.settle()
        for number in (n + 2, n + 8):
            at = _point_at(tab, number)
            channels.append(_change(page, LARGE, lambda at=at: page.mouse.click(*at)))
            tab.settle()
        page.mouse.click(*_point_at(tab, n + 8))
        page.wait_for_selector(LARGE, state="detached")
        tab.settle()
    return layers[2:], channels[2:]


def _point_at(tab: Watched, number: int) -> tuple[float, float]:
    """Put the pointer on the map of a channel, as a person does before a click; returns where it is."""
    tile = tab.page.locator(".st-key-figure-layers .barlayer .point path").nth(number)
    tile.scroll_into_view_if_needed()
    box = tile.bounding_box()
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(*at)
    tab.settle()
    return at


def _weight(tab: Watched, server: Server, run: Run, received: list[int]) -> int:
    """Bytes of the whole page with all its channels, opened by a link in a session of its own."""
    received.clear()
    tab.page.goto(f"{server.url}/look_inside?run={run.id}&layer=conv1")
    tab.page.wait_for_selector(MAPS, state="attached")
    tab.settle(2000)
    return sum(received)


def _late(times: list[float]) -> float:
    """What 95 of 100 stay below."""
    return sorted(times)[max(0, -(-95 * len(times) // 100) - 1)]


def _all(times: list[float]) -> str:
    return f"{min(times):.2f} to {max(times):.2f}"
