"""Data sets: one file each."""

from explorer.data.base import DATASETS, END, PAD, START, UNKNOWN, Dataset, DataSource, Split, load_dataset

__all__ = ["DATASETS", "END", "PAD", "START", "UNKNOWN", "DataSource", "Dataset", "Split", "load_dataset"]
