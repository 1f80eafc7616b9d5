"""A real server process and a real Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def chromium() -> str | None:
    """Path of the browser, or None for Playwright's own."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return found or None


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        try:
            yield program
        finally:
            program.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """``python -m explorer`` as a user starts it, with its log kept.

    Args:
        home: Folder of its store.
        log: File that gets everything it prints.
        command: Another way to start it; ``{port}`` stands for the port.
    """

    def __init__(self, home: Path, log: Path, command: list[str] | None = None, workers: int = 2) -> None:
        self.home, self.log, self.workers = home, log, workers
        self.command = command or [sys.executable, "-m", "explorer", "--port", "{port}"]
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Start it, without waiting."""
        environment = os.environ | {
            "EXPLORER_HOME": str(self.home),
            "EXPLORER_WORKERS": str(self.workers),
            "STREAMLIT_SERVER_HEADLESS": "true",
        }
        command = [part.format(port=self.port) for part in self.command]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, seconds: float = 30) -> None:
        """Wait until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).read()
                return
            except OSError:
                assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
                assert time.monotonic() < end, f"the server does not answer: {self.log.read_text()}"
                time.sleep(0.05)

    def kill(self) -> None:
        """End it as a crash would: SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


QUIET = """milliseconds => new Promise(done => {
    const began = performance.now();
    let changed = began;
    const watch = new MutationObserver(() => { changed = performance.now(); });
    watch.observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
    const look = () => {
        const now = performance.now();
        const drawn = document.querySelector("[data-testid=stSkeleton]") === null;
        if ((drawn && now - changed >= milliseconds) || now - began > 10000) { watch.disconnect(); done(); }
        else setTimeout(look, 50);
    };
    look();
})"""
"""Waits until nothing was added, removed or changed for so long, and nothing is left to be drawn; 10 s at most."""


class Watched:
    """A browser tab whose complaints are gathered."""

    def __init__(self, program: Browser, size: dict[str, int], theme: str = "light") -> None:
        self.context = program.new_context(viewport=size, color_scheme=theme, accept_downloads=True)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.outage = False  # a test that takes the server away says so: streamlit's page then logs each failed knock
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        # Opened below its root, streamlit's page first asks for its own files there, is told 404, and goes on.
        probing = "404" in message.text and "_stcore" in (message.location or {}).get("url", "")
        if message.type == "error" and not probing and not self.outage:
            self.complaints.append(f"console: {message.text} {message.location}")

    def check(self) -> None:
        """Fail on a console error or a Streamlit exception box."""
        assert not self.complaints, self.complaints
        assert self.page.locator("[data-testid=stException]").count() == 0

    def settle(self, milliseconds: int = 400) -> None:
        """Wait until the page has not changed for so long."""
        self.page.wait_for_selector("h1, h2")
        self.page.wait_for_selector("[data-test-script-state=notRunning]", timeout=30_000)
        self.page.evaluate(QUIET, milliseconds)


def go(page: Page, name: str) -> None:
    """Go to another page by the sidebar, as a person does."""
    page.locator("[data-testid=stSidebarNav]").get_by_role("link", name=name, exact=True).click()
