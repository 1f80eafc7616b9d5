"""Data sets: one file each."""

from explorer.data.base import END, PAD, SPECIAL, START, UNKNOWN, Dataset, Split, by_character
from explorer.data.parts import dataset_of
from explorer.data.source import DATASETS, DataSource, load_dataset

__all__ = [
    "DATASETS",
    "END",
    "PAD",
    "SPECIAL",
    "START",
    "UNKNOWN",
    "DataSource",
    "Dataset",
    "Split",
    "by_character",
    "dataset_of",
    "load_dataset",
]
