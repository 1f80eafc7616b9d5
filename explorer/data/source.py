"""Where data sets come from: one class, one file each, found by looking into this folder."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from explorer.data.assemble import Table, assemble
from explorer.data.base import Dataset, Task
from explorer.data.own import shelf
from explorer.errors import DataError
from explorer.places import is_own
from explorer.registry import Declared, Registry
from explorer.specs import Modality


class DataSource(Declared):
    """Base of all data sets: reads the arrays; shuffling, splitting and standardising are done here for all."""

    seed: int = Field(0, ge=0, lt=2**32, description="Fixes which examples fall into which split.")

    modality: ClassVar[Modality]
    task: ClassVar[Task] = "classification"
    order: ClassVar[int] = 100
    source: ClassVar[str]
    licence: ClassVar[str]
    unit: ClassVar[str] = ""
    needs: ClassVar[str] = ""
    """An optional package it is read from: without it the set is listed, but cannot be chosen."""
    longest: ClassVar[int] = 64
    """Most tokens kept of a text."""
    rare: ClassVar[int] = 1
    """Tokens seen fewer times than this in the train split become `UNKNOWN`."""
    distinct: ClassVar[bool] = True
    """Whether examples that are equal are one example: all but the first are dropped, so that none is in two splits."""

    @abstractmethod
    def read(self) -> Table:
        """Everything there is, in any order."""

    @classmethod
    def missing(cls) -> str | None:
        """How to get what the set needs, or None if it is there."""
        if cls.needs and find_spec(cls.needs) is None:
            return f"{cls.title} is read from the package {cls.needs}: pip install {cls.needs}"
        return None

    def load(self) -> Dataset:
        """Read, shuffle and split 70 / 15 / 15, each split with the same share of every class.

        Raises:
            DataError: A package it needs is missing.
        """
        if reason := self.missing():
            raise DataError(reason)
        return assemble(
            self.read(),
            name=self.name,
            title=self.title,
            about=self.help(),
            source=self.source,
            licence=self.licence,
            modality=self.modality,
            task=self.task,
            unit=self.unit,
            seed=self.seed,
            longest=self.longest,
            rare=self.rare,
            once=self.distinct,
        )


def shipped(package: str, path: str) -> Path:
    """A file inside an installed package, found without importing the package: many take seconds.

    Raises:
        ImportError: The package is not installed.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ImportError(f"there is no package {package}")
    return Path(found.submodule_search_locations[0]) / path


DATASETS = Registry("data set", DataSource, "explorer.data")


def load_dataset(name: str, **params: Any) -> Dataset:
    """Load a data set by name; the same arguments give the same object again.

    Args:
        name: A registered name, such as ``"digits"``.
        **params: Its parameters, such as ``seed`` for the split.

    Returns:
        A `Dataset` whose splits hold ``.inputs`` (N, *shape) and ``.targets`` (N,). Shared: do not change them.

    Raises:
        UnknownName: No such data set.
        SpecError: No such parameter, or a wrong value.
        DataError: The data cannot be read.
    """
    if is_own(name) and not params:
        return shelf.load(name)
    return _load(DATASETS.make(name, **params))


@lru_cache(maxsize=32)
def _load(made: DataSource) -> Dataset:
    try:
        return made.load()
    except (OSError, ImportError) as error:
        raise DataError(f"Data set {made.name!r} cannot be read ({error}). Install requirements.txt again.") from error
