"""Data people bring themselves: read from a file, checked, and kept like any other data set."""

from explorer.data.own.arrays import read_arrays
from explorer.data.own.images import SIDES, read_images
from explorer.data.own.reading import FILE_BYTES, Reading
from explorer.data.own.shelf import Card, called, forget, keep, kept
from explorer.data.own.tables import answers, columns, read_csv, read_table
from explorer.data.own.texts import read_texts

__all__ = [
    "FILE_BYTES",
    "SIDES",
    "Card",
    "Reading",
    "answers",
    "called",
    "columns",
    "forget",
    "keep",
    "kept",
    "read_arrays",
    "read_csv",
    "read_images",
    "read_table",
    "read_texts",
]
