"""Explaining: methods against Captum, checks against Quantus, a whole table, memory, and a click to its picture."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

import explorer as ex
from explorer.attribution import METHODS, ask
from explorer.attribution.question import Question
from explorer.attribution.regions import regions
from explorer.runs.execute import execute, submit
from explorer.training.device import training_threads
from explorer.trust import CHECKS, Trial
from explorer.trust.table import Cell, Table
from tests.benchmarks._memory import _open, _pick
from tests.benchmarks.base import Bar, at_least, at_most
from tests.benchmarks.browser import DRAWN, _change, _next
from tests.browser.server import WIDE, Server, Watched, browser

AS_FAST, BATCHED = 1.05, 0.6
"""How much of Captum's time a method may take, and one for which working in batches helps."""
IN_BATCHES = ("integrated_gradients", "occlusion", "feature_ablation", "shapley_sampling")
TABLE = ("saliency", "input_x_gradient", "integrated_gradients", "smooth_grad", "deep_lift", "guided_backprop")
TABLE += ("grad_cam", "occlusion")
IN_TABLE = ("randomisation", "infidelity", "faithfulness", "deletion", "insertion", "sensitivity")
SEEN = dict.fromkeys(("input_x_gradient", "guided_backprop", "integrated_gradients", "grad_cam"), 0.5)
SEEN |= dict.fromkeys(("occlusion", "feature_ablation", "shapley_sampling", "kernel_shap"), 2.0)
"""Methods that are clicked on, and after how many seconds they should be seen."""
EXAMPLES = 16
CLASS = 4


def measure(repeats: int) -> list[Bar]:
    """All bars of explaining."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(training_threads())
    dataset = ex.load_dataset("mnist5k")
    model = ex.build(ex.preset("cnn", dataset), dataset, seed=0)
    for _ in ex.train(model, dataset, ex.TrainSpec(epochs=1)):
        pass
    model.eval()
    bars = against_captum(model, dataset, max(3, repeats))
    return [*bars, *against_quantus(model, dataset), whole_table(model, dataset), memory(), *clicks(repeats)]


# -- Captum -----------------------------------------------------------------------------------------------------------


def _by_hand(model: nn.Module, x: torch.Tensor, others: torch.Tensor, mask: torch.Tensor) -> dict[str, Any]:
    """Captum called directly, with its defaults; each returns values."""
    import captum.attr as of
    from captum.attr._utils.lrp_rules import EpsilonRule

    last = [module for module in model.modules() if isinstance(module, nn.Conv2d)][-1]
    inner = model[-2]  # the layer that methods look at where none is named

    def slope() -> torch.Tensor:
        return x.clone().requires_grad_()

    def cam() -> torch.Tensor:
        return of.LayerAttribution.interpolate(of.LayerGradCam(model, last).attribute(x, target=CLASS), (28, 28))

    def relevance() -> torch.Tensor:
        for module in model:
            if isinstance(module, nn.Flatten):
                module.rule = EpsilonRule()  # it has none of its own
        return of.LRP(model).attribute(slope(), target=CLASS)

    return {
        "saliency": lambda: of.Saliency(model).attribute(slope(), target=CLASS, abs=False),
        "input_x_gradient": lambda: of.InputXGradient(model).attribute(slope(), target=CLASS),
        "integrated_gradients": lambda: of.IntegratedGradients(model).attribute(x, target=CLASS),
        "smooth_grad": lambda: of.NoiseTunnel(of.Saliency(model)).attribute(
            slope(), nt_samples=25, stdevs=0.15, target=CLASS, abs=False
        ),
        "gradient_shap": lambda: of.GradientShap(model).attribute(x, others, n_samples=50, target=CLASS),
        "deep_lift": lambda: of.DeepLift(model).attribute(x, target=CLASS),
        "deep_lift_shap": lambda: of.DeepLiftShap(model).attribute(x, others, target=CLASS),
        "guided_backprop": lambda: of.GuidedBackprop(model).attribute(slope(), target=CLASS),
        "deconvolution": lambda: of.Deconvolution(model).attribute(slope(), target=CLASS),
        "lrp": relevance,
        "layer_conductance": lambda: of.LayerConductance(model, inner).attribute(x, target=CLASS),
        "layer_gradient_x_activation": lambda: of.LayerGradientXActivation(model, inner).attribute(
            slope(), target=CLASS
        ),
        "neuron_gradient": lambda: of.NeuronGradient(model, inner).attribute(slope(), 0),
        "grad_cam": cam,
        "guided_grad_cam": lambda: of.GuidedGradCam(model, last).attribute(slope(), target=CLASS),
        "occlusion": lambda: of.Occlusion(model).attribute(
            x, sliding_window_shapes=(1, 6, 6), strides=(1, 2, 2), target=CLASS
        ),
        "feature_ablation": lambda: of.FeatureAblation(model).attribute(x, target=CLASS, feature_mask=mask),
        "shapley_sampling": lambda: of.ShapleyValueSampling(model).attribute(x, target=CLASS, feature_mask=mask),
        "kernel_shap": lambda: of.KernelShap(model).attribute(x, target=CLASS, feature_mask=mask, n_samples=200),
        "lime": lambda: of.Lime(model).attribute(x, target=CLASS, feature_mask=mask, n_samples=200),
    }


def against_captum(model: nn.Module, dataset: ex.Dataset, repeats: int) -> list[Bar]:
    """The time of each method over Captum's, by turns: the median of the ratios of one round."""
    x, others = dataset.test.inputs[:1], dataset.train.inputs[:16]
    mask = regions(ask(model, x, CLASS)).contiguous()
    bars = []
    for name, theirs in _by_hand(model, x, others, mask).items():

        def ours(name: str = name) -> None:
            ex.attribute(name, model, x, CLASS, references=others)

        for act in (ours, theirs):
            act()
        rounds = max(repeats, min(40, int(1 / max(_seconds(theirs), 1e-4))))  # about a second in all
        pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(rounds)]
        note = f"{1e3 * median(our for our, _ in pairs):.1f} to {1e3 * median(their for _, their in pairs):.1f} ms"
        ratio = median(our / their for our, their in pairs)
        bar = BATCHED if name in IN_BATCHES else AS_FAST
        bars.append(at_most(f"{METHODS[name].title}, to Captum by hand", bar, ratio, "×", note))
    return bars


def _seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


# -- Quantus ----------------------------------------------------------------------------------------------------------


def _questions(model: nn.Module, dataset: ex.Dataset) -> list[Question]:
    rows = range(EXAMPLES)
    return [ask(model, dataset.test.inputs[n : n + 1], int(dataset.test.targets[n])) for n in rows]


def against_quantus(model: nn.Module, dataset: ex.Dataset) -> list[Bar]:
    """Checks of the same explanations with the same settings: Quantus' time over ours.

    That the numbers are the same, too, given what both draw, is said of deletion here and tested of every check.
    """
    import quantus

    questions = _questions(model, dataset)
    trial = Trial(METHODS.make("integrated_gradients"), questions)
    given = np.stack(trial.explained).reshape(EXAMPLES, 1, 28, 28)
    batch = {"x_batch": dataset.test.inputs[:EXAMPLES].numpy(), "y_batch": dataset.test.targets[:EXAMPLES].numpy()}
    batch |= {"model": model, "a_batch": given, "channel_first": True}
    flipping = quantus.PixelFlipping(features_in_step=28, normalise=False, disable_warnings=True)
    correlation = quantus.FaithfulnessCorrelation(
        nr_runs=100, subset_size=196, normalise=False, return_aggregate=False, disable_warnings=True
    )
    infidelity = quantus.Infidelity(
        perturb_patch_sizes=[7], n_perturb_samples=6, disable_warnings=True
    )  # 96 of our 100
    sensitivity = quantus.MaxSensitivity(nr_samples=8, disable_warnings=True)
    rivals = {
        "deletion": lambda: flipping(softmax=True, **batch),
        "faithfulness": lambda: correlation(softmax=False, **batch),
        "infidelity": lambda: infidelity(softmax=False, **batch),
        "sensitivity": lambda: sensitivity(explain_func=_explained, **batch),
    }
    bars = []
    for name, theirs in rivals.items():

        def ours(name: str = name) -> object:
            fresh = Trial(trial.method, questions, given=trial.explained)
            return CHECKS.make(name).of(fresh)

        ratios = [_seconds(theirs) / _seconds(ours) for _ in range(3)]
        bar = 1 if name == "sensitivity" else 8  # which is spent in the method, the same for both
        bars.append(at_least(f"{CHECKS[name].title} of {EXAMPLES} examples, Quantus to ours", bar, median(ratios), "×"))
    far = np.abs(np.mean(rivals["deletion"](), 0) - ours_curve(trial)).max()
    bars.append(at_most("the same numbers: largest difference of the deletion curves", 1e-4, float(far)))
    return bars


def _explained(model: nn.Module, inputs: np.ndarray, targets: np.ndarray, **_: Any) -> np.ndarray:
    """Explanations as Quantus asks for them."""
    pairs = zip(torch.as_tensor(inputs).float(), np.asarray(targets).tolist(), strict=True)
    return np.stack([ex.attribute("integrated_gradients", model, x[None], target).values for x, target in pairs])


def ours_curve(trial: Trial) -> np.ndarray:
    """The mean deletion curve without its start, (28,)."""
    return CHECKS.make("deletion").of(trial).curves["method"][1:, 1]


# -- the whole --------------------------------------------------------------------------------------------------------


def whole_table(model: nn.Module, dataset: ex.Dataset) -> Bar:
    """Eight methods, six checks, sixteen examples."""
    table = Table(_questions(model, dataset))
    began = time.perf_counter()
    found = [table.mark(Cell(method, name)) for method in TABLE for name in IN_TABLE]
    assert all(mark.score is not None for mark in found), found
    what = f"{len(TABLE)} methods × {len(IN_TABLE)} checks × {EXAMPLES} examples"
    return at_most(what, 60, time.perf_counter() - began, "s")


_MEMORY = """
import sys, threading, psutil, torch, explorer as ex
torch.set_num_threads(1)
dataset = ex.load_dataset(sys.argv[1])
model = ex.build(ex.preset(sys.argv[2], dataset), dataset).eval()
x = dataset.test.inputs[:1]
ex.attribute("saliency", model, x, 0)
me, done = psutil.Process(), threading.Event()
seen = [me.memory_info().rss]
def watch():
    while not done.wait(0.002):
        seen.append(me.memory_info().rss)
watching = threading.Thread(target=watch)
watching.start()
ex.attribute("integrated_gradients", model, x, 0, steps=500)
done.set()
watching.join()
print((max(seen) - seen[0]) / 2**20)
"""


def memory() -> Bar:
    """What 500 steps of integrated gradients take over idle, on the starter that computes most; looked at while they
    run, in a process that has read that data set alone.
    """
    starters = {}
    for data in ("mnist5k", "photos", "textures"):
        dataset = ex.load_dataset(data)
        for family in ("cnn", "transformer"):
            starters[data, family] = int(ex.summarize(ex.preset(family, dataset), dataset)["macs"].sum())
    data, family = max(starters, key=starters.__getitem__)
    run = subprocess.run([sys.executable, "-c", _MEMORY, data, family], capture_output=True, text=True, check=True)
    what = f"memory of integrated gradients with 500 steps over idle, {family} on {data}"
    return at_most(what, 500, float(run.stdout), "MiB")


# -- the page ---------------------------------------------------------------------------------------------------------


def clicks(repeats: int) -> list[Bar]:
    """From the click on a method until its picture is seen in Chromium: the default CNN on mnist5k, Attributions."""
    spec = ex.RunSpec(dataset="mnist5k", model=ex.preset("cnn", ex.load_dataset("mnist5k")), family="cnn")
    spec = spec.model_copy(update={"train": ex.TrainSpec(epochs=1)})
    times: dict[float, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, browser() as program:
        store = ex.RunStore(Path(folder) / "home")
        with store.owners.hold() as owner:
            run = execute(store, submit(store, spec, owner=owner), owner)
        server = Server(store.home, Path(folder) / "log.txt")
        try:
            server.wait()
            tab = Watched(program, WIDE)
            tab.page.goto(f"{server.url}/attributions?run={run.id}")
            tab.settle(8000)  # what the server imports behind the first page
            for number in range(repeats + 1):
                _next(tab.page)
                tab.settle()
                for name, bar in SEEN.items():
                    _open(tab.page, "Method")
                    option = f"{METHODS[name].group} · {METHODS[name].title}"
                    seconds = _change(tab.page, DRAWN["Attributions"], lambda option=option: _pick(tab.page, option))
                    tab.settle()
                    if number:  # the first of each has the server and the browser load what it needs
                        times.setdefault(bar, []).append(seconds)
            tab.check()
        finally:
            server.stop()
    said = {0.5: "one gradient or few", 2.0: "covering"}
    notes = {bar: f"{min(taken):.2f} to {max(taken):.2f}" for bar, taken in times.items()}
    return [
        at_most(f"click to seen, methods of {said[bar]}", bar, median(of), "s", notes[bar]) for bar, of in times.items()
    ]
