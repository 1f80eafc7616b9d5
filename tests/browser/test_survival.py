"""What happens to runs and pages when tabs, workers and servers go."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

import psutil
from playwright.sync_api import expect

import explorer as ex
from explorer.runs.execute import submit
from explorer.runs.store import RunStore, Status
from tests.browser.server import Server, Watched, go

Tab = Callable[..., Watched]
Serve = Callable[..., Server]


def start_long(one: Watched, server: Server) -> str:
    """Queue a run that would take hours, and wait until it is seen to learn; return its id."""
    dataset = ex.load_dataset("digits")
    spec = ex.RunSpec(dataset="digits", model=ex.preset("cnn", dataset), train=ex.TrainSpec(epochs=10_000))
    run = submit(RunStore(server.home), spec)
    one.page.goto(f"{server.url}/train?run={run.id}")
    one.page.wait_for_selector("text=samples per second", timeout=20_000)
    return run.id


def test_a_run_goes_on_when_its_page_is_left_refreshed_or_opened_twice(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    page.goto(f"{server.url}/train")
    page.wait_for_selector("text=New run")
    one.settle()
    field = page.get_by_role("spinbutton", name="Epochs")
    if not field.is_visible():  # a run is shown, and the form is folded
        page.get_by_text("New run").click()
    field.fill("10000")
    field.press("Enter")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_selector("text=samples per second", timeout=20_000)
    store = RunStore(server.home)
    run_id = store.list(1)[0].id
    go(page, "Build")
    page.wait_for_selector(".st-key-layer-list")
    first = store.get(run_id).step
    page.wait_for_timeout(500)
    assert store.get(run_id).step > first
    go(page, "Train")
    page.wait_for_selector("text=samples per second")
    page.reload()
    page.wait_for_selector("text=samples per second")
    other = tab().page
    other.goto(f"{server.url}/train?run={run_id}")
    other.wait_for_selector("text=samples per second")
    other.get_by_role("button", name="Stop", exact=True).click()
    for one in (other, page):
        expect(one.locator(".st-key-run-head")).to_contain_text("stopped", timeout=15_000)


def test_the_curve_grows_while_one_looks_and_polling_ends_with_the_run(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    start_long(one, server)
    line = page.locator("[class*=st-key-loss-]:visible .scatterlayer .trace path.js-line").first
    line.wait_for()
    before = line.get_attribute("d")
    expect(line).not_to_have_attribute("d", before, timeout=5000)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".st-key-run-head")).to_contain_text("stopped", timeout=15_000)
    one.settle(1500)
    sent: list[str] = []
    page.on("websocket", lambda _: sent.append("opened"))
    page.evaluate(
        "() => { window.redraws = 0; new MutationObserver(() => window.redraws++)"
        ".observe(document.querySelector('[data-testid=stMain]'), {childList: true, subtree: true}); }"
    )
    page.wait_for_timeout(1500)
    assert page.evaluate("window.redraws") == 0
    assert not sent


def test_a_killed_worker_fails_its_run_and_the_app_lives(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    run_id = start_long(one, server)
    os.kill(worker_of(server), signal.SIGKILL)
    expect(page.get_by_role("alert").first).to_contain_text("worker died", timeout=15_000)
    assert RunStore(server.home).get(run_id).status is Status.FAILED
    page.get_by_role("button", name="Run again").click()
    page.wait_for_selector("text=samples per second", timeout=20_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".st-key-run-head")).to_contain_text("stopped", timeout=15_000)


def worker_of(server: Server) -> int:
    """The process that trains: the busiest of the server's descendants besides itself."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    for process in family:
        process.cpu_percent()
    time.sleep(0.5)
    return max(family, key=lambda process: process.cpu_percent()).pid


def test_a_killed_server_leaves_an_interrupted_run_with_everything_written(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    run_id = start_long(one, server)
    store = RunStore(server.home)
    page.wait_for_timeout(500)
    engine = psutil.Process(server.process.pid).children(recursive=True)
    one.outage = True
    server.kill()
    _gone, alive = psutil.wait_procs(engine, timeout=10)
    assert not alive
    written, steps = len(store.metrics(run_id)), store.snapshots.steps(run_id)
    assert written > 0
    assert steps[0] == 0
    server.start()
    server.wait()
    fresh = tab().page
    fresh.goto(f"{server.url}/train?run={run_id}")
    expect(fresh.locator(".st-key-run-head")).to_contain_text("interrupted", timeout=20_000)
    assert len(store.metrics(run_id)) == written
    assert store.snapshots.steps(run_id) == steps
    fresh.wait_for_selector("[class*=st-key-loss-]:visible .scatterlayer .trace path.js-line")
    # The tab that was open all the time finds the server again by itself and shows the same.
    expect(page.locator(".st-key-run-head")).to_contain_text("interrupted", timeout=60_000)
    one.outage = False


def test_streamlit_run_works_too(serve: Serve, tab: Tab) -> None:
    server = serve([sys.executable, "-m", "streamlit", "run", "explorer/app.py", "--server.port", "{port}"])
    page = tab().page
    page.goto(server.url)
    page.get_by_role("button", name="Train a CNN on digits now").click()
    page.wait_for_selector("text=samples per second", timeout=60_000)
