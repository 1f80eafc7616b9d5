"""The whole road, as a newcomer walks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from explorer.runs.store import RunStore
from tests.browser.server import PHONE, WIDE, Server, Watched, go
from tests.data.test_own import people

Tab = Callable[..., Watched]
PAGES = {"home": "", "build": "build", "train": "train", "runs": "runs", "look_inside": "look_inside"}
PAGES |= {name: name for name in ("compare", "evaluate", "attributions", "trust")}


def test_a_newcomer_sees_a_cnn_learn_looks_inside_and_asks_why(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    page.goto(server.url)
    page.get_by_role("button", name="Train a CNN on digits now").click()
    page.wait_for_selector("[class*=st-key-loss-]:visible .scatterlayer .trace path.js-line")
    page.wait_for_selector("text=Test accuracy", timeout=60_000)
    store = RunStore(server.home)
    run = store.list()[0]
    assert run.test["accuracy"] >= 0.97
    assert f"{run.test['accuracy']:.1%}" in page.content()

    page.get_by_role("button", name="Look inside").click()
    page.wait_for_selector(".st-key-layers:visible .heatmaplayer image")
    before = page.locator(".st-key-layers:visible .heatmaplayer image").get_attribute("href")
    page.locator(".st-key-example-bar").get_by_role("button", name="Next").click()
    expect(page.locator(".st-key-layers:visible .heatmaplayer image")).not_to_have_attribute("href", before)
    page.get_by_role("radio", name="relu2").or_(page.get_by_role("button", name="relu2")).first.click()
    expect(page.locator(".st-key-layers:visible")).to_contain_text("relu2: 32 of 32 channels")
    assert f"run={run.id}" in page.url
    assert "example=1" in page.url

    go(page, "Attributions")
    expect(page.locator(".st-key-why:visible .heatmaplayer image")).to_have_count(1)
    expect(page.locator(".st-key-why:visible")).to_contain_text("Integrated gradients")
    expect(page.locator(".st-key-probabilities:visible")).to_contain_text("The answer:")
    page.locator("[class*=st-key-target-class]:visible").get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile("^3")).click()
    expect(page.locator(".st-key-why:visible")).to_contain_text("Why 3?")
    one.settle()
    assert "target=3" in page.url
    page.get_by_role("radio", name="Side by side").or_(page.get_by_role("button", name="Side by side")).first.click()
    for method in ("Saliency", "Integrated gradients", "Grad-CAM", "Occlusion", "Random"):
        expect(page.locator(".st-key-why:visible")).to_contain_text(method)
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    assert "Completeness error" in Path(download.value.path()).read_text()
    one.settle()
    assert "part=beside" in page.url

    other = tab()
    other.page.goto(page.url)
    expect(other.page.locator(".st-key-why:visible")).to_contain_text("Why 3?")
    expect(other.page.locator(".st-key-example-bar")).to_contain_text("example 1")


WATCH_STEPS = """() => {
    window.steps = new Set(); window.blanks = 0;
    const look = () => {
        const bar = document.querySelector('.st-key-example-bar')?.innerText.match(/step (\\d+) of/);
        if (bar) window.steps.add(Number(bar[1]));
        const figures = [...document.querySelectorAll('.st-key-figure-layers > :not([data-retained])')];
        const seen = one => one.querySelector('.gtitle') && getComputedStyle(one).visibility === 'visible';
        if (!figures.some(seen)) window.blanks++;
        requestAnimationFrame(look);
    };
    look();
}"""
"""Notes, on every frame of the screen, which step is shown and whether its feature maps are there."""


def test_the_kept_steps_play_without_a_blank_until_they_are_stopped(server: Server, tab: Tab) -> None:
    run = next(run for run in RunStore(server.home).list() if run.spec.family == "cnn")
    one = tab()
    page = one.page
    page.goto(f"{server.url}/look_inside?run={run.id}&step=0")
    page.wait_for_selector(".st-key-figure-layers:visible .gtitle")
    one.settle()
    page.evaluate(WATCH_STEPS)
    page.get_by_role("button", name="Play", exact=True).press("Space")
    page.wait_for_function("window.steps.size >= 4", polling="raf", timeout=15_000)
    page.get_by_role("button", name="Pause", exact=True).press("Space")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    one.settle()
    seen = page.evaluate("[...window.steps]")
    page.wait_for_timeout(800)
    assert page.evaluate("[...window.steps]") == seen
    assert seen == RunStore(server.home).snapshots.steps(run.id)[: len(seen)]
    assert page.evaluate("window.blanks") == 0
    assert f"step={seen[-1]}" in page.url


def test_a_model_of_ones_own_is_built_and_trained(server: Server, tab: Tab) -> None:
    one = tab()
    page = one.page
    page.goto(f"{server.url}/build")
    page.get_by_role("button", name="Start from MLP").click()
    expect(page.locator(".st-key-layer-list")).to_contain_text("2. linear1 → 64")
    page.get_by_role("button", name=re.compile("2. linear1")).click()
    field = page.get_by_role("spinbutton", name="Units")
    field.fill("24")
    field.press("Enter")
    expect(page.locator(".st-key-layer-list")).to_contain_text("2. linear1 → 24 · 1,560 weights")
    expect(page.locator(".st-key-totals")).to_contain_text("3,810")
    add = page.get_by_role("combobox", name="Add after layer 2")
    add.press_sequentially("Dropout")
    page.get_by_role("option", name="Dropout").click()
    expect(page.locator(".st-key-layer-list")).to_contain_text("3. dropout1 → 24")
    page.get_by_text("PyTorch source", exact=True).click()
    expect(page.locator("[data-testid=stCode]")).to_contain_text("nn.Linear(64, 24)")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download model.py").click()
    assert "nn.Dropout(0.25)" in Path(download.value.path()).read_text()
    one.settle()
    link = page.url
    page.get_by_role("button", name="Train this model").click()
    page.wait_for_selector("text=Test accuracy", timeout=60_000)

    other = tab()
    other.page.goto(link)
    expect(other.page.locator(".st-key-layer-list")).to_contain_text("3. dropout1 → 24")


def test_a_model_that_cannot_work_says_which_layer_and_how_to_mend_it(server: Server, tab: Tab) -> None:
    page = tab().page
    page.goto(f"{server.url}/build")
    page.get_by_role("button", name=re.compile("flatten1")).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert").first).to_contain_text("Layer 8 (linear)")
    expect(page.get_by_role("alert").first).to_contain_text("Put Global average pool, Flatten")
    expect(page.get_by_role("button", name="Train this model")).to_be_disabled()
    page.locator(".st-key-undo button").click()
    expect(page.get_by_role("button", name="Train this model")).to_be_enabled()


def test_runs_are_renamed_and_deleted_after_asking(server: Server, tab: Tab) -> None:
    store = RunStore(server.home)
    run = store.list()[0]
    page = tab().page
    page.goto(f"{server.url}/runs")
    row = page.locator(f".st-key-run-{run.id}")
    row.get_by_text("Rename").click()
    page.get_by_label("New name").fill("My first net")
    page.get_by_label("New name").press("Enter")
    expect(row).to_contain_text("My first net")
    page.keyboard.press("Escape")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(row).to_have_count(0)
    assert store.find(run.id) is None


def test_every_page_keeps_within_the_screen_wide_and_on_a_phone(server: Server, tab: Tab, artifacts: Path) -> None:
    one = tab(theme="dark")
    page = one.page
    for name, path in PAGES.items():
        for size, screen in (("wide", WIDE), ("phone", PHONE)):
            page.set_viewport_size(screen)
            if size == "wide":
                page.goto(f"{server.url}/{path}")
            one.settle(200)
            page.screenshot(path=str(artifacts / f"{name}-{size}-dark.png"))
            main = page.locator("[data-testid=stMain]")
            assert main.evaluate("node => node.scrollWidth - node.clientWidth") <= 1, f"{name} is wider than the {size}"
            assert page.locator("[data-testid=stAlertContentError]").count() == 0, name


def test_no_developer_toolbar_is_shown(server: Server, tab: Tab) -> None:
    page = tab().page
    page.goto(server.url)
    page.wait_for_selector("h1")
    assert page.get_by_text("Deploy").count() == 0


def test_a_file_of_ones_own_becomes_a_data_set_and_is_learned(server: Server, tab: Tab, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(people(200))
    (tmp_path / "bad.csv").write_bytes(b"\0")
    one = tab()
    page = one.page
    page.goto(f"{server.url}/build")
    page.get_by_role("button", name="Bring your own data").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(tmp_path / "bad.csv")
    expect(dialog).to_contain_text("This is not a text file")
    dialog.locator("input[type=file]").set_input_files(tmp_path / "people.csv")
    expect(dialog).to_contain_text("2 classes")
    expect(dialog).to_contain_text("1 of 200 are missing")
    dialog.get_by_label("Name").fill("Shoppers")
    dialog.get_by_label("Name").press("Enter")
    dialog.get_by_role("button", name="Use this data").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("combobox", name="Data set")).to_have_value("Shoppers (uploaded tables)")
    page.get_by_role("button", name="Train this model").click()
    page.wait_for_selector("text=Test accuracy", timeout=60_000)
    expect(page.locator("[data-testid=stMain]")).to_contain_text("MLP on Shoppers")

    page.goto(f"{server.url}/build")
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Shoppers").click()
    one.settle()
    page.get_by_text("See the examples and classes").click()
    expect(page.get_by_role("button", name="Remove this data set")).to_be_visible()
    one.settle()
    page.get_by_role("button", name="Remove this data set").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its 1 trained run(s) stay in the list")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_role("combobox", name="Data set")).to_have_value(re.compile("Digits"))
