"""Data sets: one file each."""

from explorer.data.base import END, PAD, START, UNKNOWN, Dataset, Split
from explorer.data.parts import dataset_of
from explorer.data.source import DATASETS, DataSource, load_dataset

__all__ = ["DATASETS", "END", "PAD", "START", "UNKNOWN", "DataSource", "Dataset", "Split", "dataset_of", "load_dataset"]
