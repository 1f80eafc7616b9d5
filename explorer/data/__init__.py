"""Data sets: one file each."""

from explorer.data.base import DATASETS, PAD, UNKNOWN, Dataset, DataSource, Split, load_dataset

__all__ = ["DATASETS", "PAD", "UNKNOWN", "DataSource", "Dataset", "Split", "load_dataset"]
