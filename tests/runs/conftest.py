"""What the tests of runs share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import explorer as ex

SPEC = ex.RunSpec(
    dataset="digits",
    model=ex.ModelSpec.of({"kind": "flatten"}, {"kind": "output"}),
    train=ex.TrainSpec(epochs=2),
    family="mlp",
)


@pytest.fixture
def store(home: Path) -> Iterator[ex.RunStore]:
    """An empty store."""
    store = ex.RunStore(home)
    yield store
    store.close()


@pytest.fixture
def sql(store: ex.RunStore) -> Callable[..., list[Any]]:
    """Reach into the database behind the store's back, as another program or a failing disk would."""

    def execute(statement: str, *values: object) -> list[Any]:
        with sqlite3.connect(store.home / "runs.sqlite") as connection:
            return connection.execute(statement, values).fetchall()

    return execute
