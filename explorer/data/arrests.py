"""Arrests in Toronto."""

from __future__ import annotations

import numpy as np
import pandas as pd

from explorer.data.assemble import Table
from explorer.data.source import DataSource, shipped

COLUMNS = {
    "black": ("colour", "Black"),
    "male": ("sex", "Male"),
    "employed": ("employed", "Yes"),
    "citizen": ("citizen", "Yes"),
}
"""Name of a 0 or 1: the column it is made of, and which of its two values is 1."""
NUMBERS = {"age": "age", "year": "year", "police records found": "checks"}


class Arrests(DataSource):
    """5,226 people arrested in Toronto for a little marijuana, from 1997 to 2002: released with a summons, or not? Does
    a model use the colour of their skin? Five of six were released, so look at more than the accuracy.
    """

    name = "arrests"
    title = "Arrests"
    modality = "vector"
    task = "binary"
    order = 84
    source = "Toronto Star (2002), by Michael Friendly in R's carData, through scikit-lego"
    licence = "MIT, as a part of scikit-lego (in carData: GPL-2 or later)"
    # Seven coarse columns: most people equal somebody else, and some of these were released and others not. Dropping
    # them would leave the unusual ones.
    distinct = False

    def read(self) -> Table:
        table = pd.read_csv(shipped("sklego", "data/arrests.zip"))
        columns = {name: table[column] == one for name, (column, one) in COLUMNS.items()}
        columns |= {name: table[column] for name, column in NUMBERS.items()}
        inputs = np.stack([column.to_numpy(np.float32) for column in columns.values()], 1)  # (N, 7)
        return Table(inputs, (table["released"] == "Yes").to_numpy(np.int64), ("not released", "released"), (*columns,))
