"""One server and one browser for all tests here; a tab of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import WIDE, Server, Watched, browser

expect.set_options(timeout=20_000)  # how quick the app is, benchmarks measure; here other programs may be at work
ARTIFACTS = Path(__file__).parents[1] / "artifacts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test; the newcomer's road comes first, while the home is empty."""
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(240))  # many waits, of which each may be long while others work
    items.sort(key=lambda item: "browser/test_road" not in str(item.path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of each tab of a test that failed."""
    report = yield
    for number, one in enumerate(getattr(item, "funcargs", {}).get("opened", []) if report.failed else []):
        one.page.screenshot(path=str(ARTIFACTS / f"failed-{item.name}-{number}.png"))
    return report


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots are kept."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as program:
        yield program


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server with an empty home; a traceback in its log fails the last test."""
    folder = tmp_path_factory.mktemp("server")
    running = Server(folder / "home", folder / "log.txt")
    running.wait()
    yield running
    running.stop()
    assert "Traceback" not in running.log.read_text(), running.log.read_text()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server of the test's own, which outlives its tabs."""
    servers: list[Server] = []

    def start(command: list[str] | None = None) -> Server:
        servers.append(Server(tmp_path / "home", tmp_path / "log.txt", command))
        servers[-1].wait()
        return servers[-1]

    yield start
    for running in servers:
        running.stop()
        assert "Traceback" not in running.log.read_text(), running.log.read_text()


@pytest.fixture
def opened(serve: Callable[..., Server]) -> Iterator[list[Watched]]:
    """The tabs a test opened; afterwards each must have stayed free of complaints."""
    tabs: list[Watched] = []
    yield tabs
    for one in tabs:
        one.check()
        one.context.close()


@pytest.fixture
def tab(chromium: Browser, opened: list[Watched]) -> Callable[..., Watched]:
    """Open a tab."""

    def open_tab(size: dict[str, int] = WIDE, theme: str = "light") -> Watched:
        opened.append(Watched(chromium, size, theme))
        return opened[-1]

    return open_tab
