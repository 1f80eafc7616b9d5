"""Families: what each default model reaches on the test split of its data, and how long it trains.

Every model is trained by ``python -m explorer train --json``, as a person would. Beside reviews and phrases stand
simple baselines: words counted by scikit-learn, and the translation of the most similar phrase.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from explorer.data import DATASETS, Dataset, load_dataset
from explorer.training.tasks import bleu
from tests.benchmarks.base import Bar, at_least, at_most
from tests.browser.server import ROOT


@dataclass(frozen=True)
class Case:
    """A family on a data set: the metric, what it should reach (0: only reported), and the seconds it may train."""

    dataset: str
    family: str
    bar: float
    metric: str = "accuracy"
    seconds: float = 60.0


CASES = (
    Case("textures", "cnn", 0.95),
    Case("photos", "cnn", 0.72),
    Case("mnist1d", "cnn", 0.93),
    Case("mnist1d", "rnn", 0.94, seconds=120),
    Case("mnist1d", "mlp", 0),
    Case("mnist5k", "transformer", 0.90, seconds=120),
    Case("mnist5k", "rnn", 0.94, seconds=120),
    Case("surnames", "rnn", 0.68, seconds=120),
    Case("reviews", "attention", 0.77),
    Case("reviews", "transformer", 0.77),
    Case("evidence_words", "mlp", 0.98),
    Case("evidence_words", "rnn", 0.98, seconds=120),
    Case("evidence_words", "attention", 0.98),
    Case("evidence_words", "transformer", 0.98),
    Case("dates", "seq2seq_transformer", 0.95, "exact_match", 180),
    Case("dates", "seq2seq_rnn", 0.90, "exact_match", 180),
    Case("phrases", "seq2seq_transformer", 0, "bleu", 180),
    Case("breast_cancer", "mlp", 0.95),
    Case("diabetes", "mlp", 0.40, "r2"),
)


def measure(_repeats: int) -> list[Bar]:
    """All bars of the families; each model is trained once, from seed 0."""
    bars: list[Bar] = []
    for case in CASES:
        if DATASETS[case.dataset].missing():
            continue
        with tempfile.TemporaryDirectory() as home:
            said = trained(case, home)
        bar, note = case.bar, ""
        if case.dataset == "reviews":
            note = f"words counted: {counted(load_dataset('reviews')):.3f}"
        if case.dataset == "phrases":
            bar, nearest = copied(load_dataset("phrases")), similar(load_dataset("phrases"))
            note = f"the most similar phrase: {nearest:.1f}"
        what = f"{case.dataset} {case.family}"
        bars.append(at_least(f"{what}: {case.metric}", bar, said["test"][case.metric], note=note))
        bars.append(at_most(f"{what}: training time", case.seconds, said["seconds"], "s"))
    return bars


def trained(case: Case, home: str) -> dict:
    """What the command line says of a run from default settings."""
    command = [sys.executable, "-m", "explorer", "train", "--dataset", case.dataset, "--model", case.family]
    done = subprocess.run([*command, "--home", home, "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def counted(dataset: Dataset) -> float:
    """Accuracy of logistic regression on TF-IDF word counts."""
    texts = {name: [dataset.text(x) for x in dataset.split(name).inputs] for name in ("train", "test")}
    words = TfidfVectorizer(token_pattern=r"\S+")
    model = LogisticRegression(max_iter=1000).fit(words.fit_transform(texts["train"]), dataset.train.targets)
    return float(model.score(words.transform(texts["test"]), dataset.test.targets))


def copied(dataset: Dataset) -> float:
    """BLEU of leaving the phrases as they are."""
    return bleu([dataset.text(x) for x in dataset.test.inputs], [dataset.answer(y) for y in dataset.test.targets])


def similar(dataset: Dataset) -> float:
    """BLEU of answering with the translation of the most similar phrase of the train split, by TF-IDF."""
    words = TfidfVectorizer(token_pattern=r"\S+")
    known = words.fit_transform([dataset.text(x) for x in dataset.train.inputs])
    nearest = np.asarray((words.transform([dataset.text(x) for x in dataset.test.inputs]) @ known.T).argmax(1)).ravel()
    said = [dataset.answer(dataset.train.targets[row]) for row in nearest]
    return bleu(said, [dataset.answer(y) for y in dataset.test.targets])
