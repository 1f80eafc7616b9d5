"""Data sets: one file each."""

from explorer.data.base import DATASETS, Dataset, DataSource, Split, load_dataset

__all__ = ["DATASETS", "DataSource", "Dataset", "Split", "load_dataset"]
