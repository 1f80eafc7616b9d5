"""``python -m tests.pictures``: take the pictures in ``assets/`` anew, from a real run in a real browser."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from plotly.colors import sample_colorscale, unlabel_rgb

from explorer.attribution import attribute
from explorer.data import load_dataset
from explorer.figures.theme import GREY, LIGHT, Scale
from explorer.models import preset
from explorer.probes import feature_maps, predict
from explorer.runs.execute import execute, submit
from explorer.runs.replay import model_at
from explorer.runs.store import Run, RunStore
from explorer.specs import RunSpec, TrainSpec
from tests.browser.server import ROOT, WIDE, Server, Watched, browser, go

ASSETS = ROOT / "assets"
EXAMPLE = 3
"""The test example in the pictures."""


def main() -> None:
    """Record the default run; train on MNIST, photograph the pages, compose the strip on Home."""
    record()
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder) / "home")
        spec = RunSpec(
            dataset="mnist5k", model=preset("cnn", load_dataset("mnist5k")), train=TrainSpec(epochs=8), family="cnn"
        )
        with store.owners.hold() as owner:
            run = execute(store, submit(store, spec, owner=owner), owner)
        strip(store, run).save(ASSETS / "strip.png", optimize=True)
        photograph(Server(store.home, Path(folder) / "log.txt"), run)


def record() -> None:
    """The accuracies of the default run."""
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        spec = RunSpec(dataset="digits", model=preset("cnn", load_dataset("digits")), family="cnn")
        with store.owners.hold() as owner:
            run = execute(store, submit(store, spec, owner=owner), owner)
        metrics = store.metrics(run.id)
    metrics = metrics[(metrics["name"] == "accuracy") & (metrics["split"] != "train")]
    metrics[["name", "split", "step", "value"]].to_csv(ASSETS / "first_run.csv", index=False, float_format="%.4g")


def photograph(server: Server, run: Run) -> None:
    """Each page of the tour, as a person sees it."""
    try:
        server.wait()
        with browser() as program:
            tab = Watched(program, WIDE)
            page = tab.page
            page.goto(f"{server.url}/train?run={run.id}&example={EXAMPLE}")
            tab.settle(6000)
            page.screenshot(path=ASSETS / "train.png")
            for name in ("Evaluate", "Look inside", "Attributions", "Trust"):
                go(page, name)
                page.locator("h2", has_text=name).wait_for()
                if name == "Trust":
                    page.get_by_role("button", name="Check these explanations").click()
                    page.get_by_role("button", name="Stop", exact=True).wait_for()
                    page.get_by_role("button", name="Stop", exact=True).wait_for(state="detached", timeout=300_000)
                tab.settle(2500)
                page.screenshot(path=ASSETS / f"{name.lower().replace(' ', '_')}.png")
    finally:
        server.stop()


def strip(store: RunStore, run: Run) -> Image.Image:
    """An input, what two layers make of it, and why the answer: four steps from left to right."""
    model, dataset = model_at(store, run.id, run.total_steps), load_dataset("mnist5k")
    x = dataset.test.inputs[EXAMPLE : EXAMPLE + 1]
    maps = {layer: feature_maps(model, x, layer).values for layer in ("relu1", "relu2")}
    why = attribute("integrated_gradients", model, x, predict(model, x).answer).values[0]
    limit = float(np.abs(why).max())
    blocks = [
        colour(x[0, 0].numpy(), GREY, 0, 1, 224),
        grid([colour(m, LIGHT.sequential, 0, float(maps["relu1"].max()), 106) for m in strongest(maps["relu1"])]),
        grid([colour(m, LIGHT.sequential, 0, float(maps["relu2"].max()), 106) for m in strongest(maps["relu2"])]),
        colour(why, LIGHT.diverging, -limit, limit, 224),
    ]
    width = sum(block.width for block in blocks) + 40 * (len(blocks) - 1)
    canvas, left = Image.new("RGBA", (width, 224)), 0
    for block in blocks:
        canvas.paste(block, (left, 0))
        left += block.width + 40
    return canvas


def strongest(maps: np.ndarray, count: int = 6) -> list[np.ndarray]:
    """The maps with the largest sums."""
    return [maps[n] for n in np.argsort(-maps.sum(axis=(1, 2)))[:count]]


def grid(tiles: list[Image.Image]) -> Image.Image:
    """Tiles in two rows."""
    columns = len(tiles) // 2
    canvas = Image.new("RGBA", (columns * 118 - 12, 224))
    for n, tile in enumerate(tiles):
        canvas.paste(tile, ((n % columns) * 118, (n // columns) * 118))
    return canvas


def colour(values: np.ndarray, scale: Scale, low: float, high: float, side: int) -> Image.Image:
    """Values (H, W) on a colour scale, enlarged to a square."""
    shares = ((values - low) / (high - low)).clip(0, 1).ravel()
    rgb = np.array([unlabel_rgb(c) for c in sample_colorscale([list(stop) for stop in scale], shares)], dtype=float)
    return (
        Image.fromarray(rgb.reshape(*values.shape, 3).round().astype(np.uint8))
        .convert("RGBA")
        .resize((side, side), Image.Resampling.NEAREST)
    )


if __name__ == "__main__":
    main()
