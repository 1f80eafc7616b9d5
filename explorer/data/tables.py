"""Tables of measurements, from scikit-learn."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from explorer.data.assemble import Table
from explorer.data.source import DataSource, shipped


class _Classes(DataSource):
    modality = "vector"
    file: ClassVar[str]
    classes: ClassVar[tuple[str, ...]]
    features: ClassVar[tuple[str, ...]]
    licence = "CC BY 4.0"

    def read(self) -> Table:
        # The first line says how many rows and columns there are.
        table = pd.read_csv(shipped("sklearn", f"datasets/data/{self.file}"), header=None, skiprows=1).to_numpy()
        return Table(table[:, :-1], table[:, -1].astype(np.int64), self.classes, self.features)


class Iris(_Classes):
    """149 irises of three species, each measured at four places: the oldest example there is, learned at once, and
    small enough to check everything by hand (Fisher, 1936).
    """

    name = "iris"
    title = "Iris"
    order = 80
    source = "R. A. Fisher, with measurements by Edgar Anderson (UCI), through scikit-learn"
    file = "iris.csv"
    classes = ("setosa", "versicolor", "virginica")
    features = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


class Wine(_Classes):
    """178 Italian wines of three grape varieties, each with 13 chemical measurements of very different sizes."""

    name = "wine"
    title = "Wine"
    order = 81
    source = "UCI Wine (Aeberhard & Forina, 1991), through scikit-learn"
    file = "wine_data.csv"
    classes = ("variety 1", "variety 2", "variety 3")
    features = (
        "alcohol",
        "malic acid",
        "ash",
        "alcalinity of ash",
        "magnesium",
        "total phenols",
        "flavanoids",
        "nonflavanoid phenols",
        "proanthocyanins",
        "colour intensity",
        "hue",
        "OD280/OD315 of diluted wine",
        "proline",
    )


NUCLEUS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)


class BreastCancer(_Classes):
    """569 breast tumours, malignant or benign, each with 30 measurements of cell nuclei under the microscope. Many of
    them say nearly the same: which one gets the credit?
    """

    name = "breast_cancer"
    title = "Breast cancer"
    task = "binary"
    order = 82
    source = (
        "UCI Breast Cancer Wisconsin, Diagnostic (Wolberg, Mangasarian, Street & Street, 1995), through scikit-learn"
    )
    file = "breast_cancer.csv"
    classes = ("malignant", "benign")
    features = tuple(words.format(what) for words in ("mean {}", "{} error", "worst {}") for what in NUCLEUS)


PATIENT = (
    "age (years)",
    "sex",
    "body mass index",
    "blood pressure",
    "total cholesterol",
    "LDL cholesterol",
    "HDL cholesterol",
    "total / HDL cholesterol",
    "log of triglycerides",
    "blood sugar",
)


class Diabetes(DataSource):
    """442 people with diabetes, ten measurements of each: how far will the disease have progressed a year later? A
    regression: the answer is a number from 25 to 346, and nobody predicts it well.
    """

    name = "diabetes"
    title = "Diabetes"
    modality = "vector"
    task = "regression"
    unit = "points of disease progression"
    order = 83
    source = "Efron, Hastie, Johnstone & Tibshirani (2004), through scikit-learn"
    licence = "BSD 3-Clause, as a part of scikit-learn"

    def read(self) -> Table:
        folder = shipped("sklearn", "datasets/data")
        measured = pd.read_csv(folder / "diabetes_data_raw.csv.gz", sep=r"\s+", header=None).to_numpy()
        progress = pd.read_csv(folder / "diabetes_target.csv.gz", header=None).to_numpy()[:, 0]
        return Table(measured, progress, features=PATIENT)
