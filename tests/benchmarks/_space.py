"""The space of a layer, its weights, and ablation: from a click until something else is drawn in a real Chromium.

Part of the benchmark ``views``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page, expect

from tests.benchmarks._lag import percentile
from tests.benchmarks.base import Bar, at_most
from tests.browser.server import Watched

CLICK, SLOW, ANSWERED = 0.4, 1.0, 1.0
"""Seconds from a click to a drawing, at the median and for 95 of 100; seconds to the first progress, and to a stop."""


def space(tab: Watched, url: str, run: str, repeats: int) -> list[Bar]:
    """PCA of another layer, histograms of another layer, and a channel that is switched off, for a CNN.

    Args:
        tab: A browser tab.
        url: Of the server.
        run: Id of a finished run of the default CNN.
        repeats: How often each is taken; every time there is a layer or channel that was not seen before, while there
            are any.
    """
    layers = ("conv1", "batchnorm1", "relu1", "conv2", "batchnorm2", "relu2", "maxpool1", "linear1")
    weights = ("conv2", "batchnorm2", "linear1", "output1", "batchnorm1", "conv1")
    space = _taken(tab, f"{url}/look_inside?run={run}&look=space", "space", layers, repeats)
    spread = _taken(tab, f"{url}/look_inside?run={run}&look=spread", "spread", weights, repeats)
    off = _ablated(tab, f"{url}/look_inside?run={run}&look=ablation&layer=relu1", repeats)
    return [
        *_bars("PCA of another layer, click to drawn", space),
        *_bars("histograms of another layer, click to drawn", spread),
        *_bars("a channel switched off, click to drawn", off),
    ]


def tsne(tab: Watched, url: str, run: str, repeats: int) -> list[Bar]:
    """How soon t-SNE shows its progress, and how soon it stops; each time with another seed.

    Args:
        tab: A browser tab.
        url: Of the server.
        run: Id of a finished run.
        repeats: How often.
    """
    shown, stopped = [], []
    for seed in range(1, repeats + 1):
        page = _opened(tab, f"{url}/look_inside?run={run}&look=space&way=tsne&seed={seed}")
        began = time.perf_counter()
        page.get_by_role("button", name="Work out t-SNE").click()
        page.wait_for_selector(".st-key-job-space [data-testid=stProgress]")
        shown.append(time.perf_counter() - began)
        began = time.perf_counter()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Work out t-SNE")).to_be_visible()
        stopped.append(time.perf_counter() - began)
    return [
        at_most("t-SNE, click to its progress", ANSWERED, max(shown), "s", _all(shown)),
        at_most("t-SNE, stop to stopped", ANSWERED, max(stopped), "s", _all(stopped)),
    ]


def _bars(what: str, times: list[float]) -> list[Bar]:
    return [
        at_most(f"{what}, median", CLICK, median(times), "s", _all(times)),
        at_most(f"{what}, 95 of 100", SLOW, percentile(times, 0.95), "s"),
    ]


def _all(times: list[float]) -> str:
    return f"{min(times):.2f} to {max(times):.2f}"


def _opened(tab: Watched, url: str) -> Page:
    tab.page.goto(url)
    tab.settle(1500)
    return tab.page


def _taken(tab: Watched, url: str, key: str, layers: tuple[str, ...], repeats: int) -> list[float]:
    """Seconds from choosing a layer in the list until the figure's title names it."""
    page, times = _opened(tab, url), []
    for number in range(repeats):
        layer = layers[number % len(layers)]
        page.get_by_role("combobox", name="Layer", exact=True).click()
        option = page.get_by_role("option", name=layer, exact=True)
        option.wait_for()
        times.append(_until(page, option.click, f"[class*=st-key-{key}] .gtitle", f"{layer}:"))
        tab.settle()
    return times


def _ablated(tab: Watched, url: str, repeats: int) -> list[float]:
    """Seconds from switching a channel off until the figure's title names it, one more each time."""
    page, times = _opened(tab, url), []
    for number in range(min(repeats, 16)):
        page.get_by_role("combobox", name="Switched off").click()
        option = page.get_by_role("option", name=str(number), exact=True)
        option.wait_for()
        said = f" {number} of relu1" if number < 3 else f"{number + 1} channels"
        times.append(_until(page, option.click, "[class*=st-key-ablation] .gtitle", said))
        page.keyboard.press("Escape")
        tab.settle()
    return times


def _until(page: Page, act: Callable[[], None], selector: str, said: str) -> float:
    """Seconds from an act until a title says something; looked at on every frame of the screen."""
    began = time.perf_counter()
    act()
    page.wait_for_function(
        "([selector, said]) => [...document.querySelectorAll(selector)]"
        ".some(title => title.checkVisibility() && title.textContent.includes(said))",
        arg=[selector, said],
        polling="raf",
        timeout=30_000,
    )
    return time.perf_counter() - began
