"""Handwritten digits, 8×8, from scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from explorer.data.assemble import Table
from explorer.data.source import DataSource, shipped


class Digits(DataSource):
    """1,797 handwritten digits as 8×8 grey images: small enough to learn in seconds.

    Pixels hold 0 to 16 in the source and 0 to 1 here.
    """

    name = "digits"
    title = "Digits 8×8"
    modality = "image"
    order = 1
    source = "UCI Optical Recognition of Handwritten Digits (Alpaydin & Kaynak, 1998), through scikit-learn"
    licence = "CC BY 4.0"

    def read(self) -> Table:
        table = pd.read_csv(shipped("sklearn", "datasets/data/digits.csv.gz"), header=None).to_numpy()
        images = (table[:, :-1].reshape(-1, 1, 8, 8) / 16).astype(np.float32)
        return Table(images, table[:, -1].astype(np.int64), tuple("0123456789"))
