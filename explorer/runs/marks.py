"""Marks: what trust checks said of methods, kept with the run whose model was explained."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from explorer.errors import RunGone
from explorer.runs.tables import marks_table, runs_table


@dataclass(frozen=True)
class Asked:
    """Which answers were explained.

    Attributes:
        run, step, split: Of which model and which examples.
        examples: How many.
        seed: Fixes which, and every other random choice.
        version: Which version of the checks it was; marks of others are not found.
    """

    run: str
    step: int
    split: str
    examples: int
    seed: int
    version: int


@dataclass(frozen=True)
class Kept:
    """One mark.

    Attributes:
        method, check: Their names.
        parameters: Those of both, as JSON.
        content: The mark itself, as JSON; who reads it validates it.
    """

    method: str
    check: str
    parameters: str
    content: str


def put(connection: sa.Connection, asked: Asked, kept: Kept) -> None:
    """Keep a mark, in place of the one that was there.

    Raises:
        RunGone: Its run is not in the store.
    """
    there = sa.select(runs_table.c.id).where(runs_table.c.id == asked.run)
    if connection.execute(there).first() is None:
        raise RunGone("This run was deleted while its explanations were checked.")
    row = asdict(asked) | {
        "method": kept.method,
        "of_check": kept.check,
        "parameters": kept.parameters,
        "content": kept.content,
    }
    connection.execute(marks_table.insert().prefix_with("OR REPLACE").values(row))


def of(connection: sa.Connection, asked: Asked) -> list[Kept]:
    """All marks of some answers."""
    table = marks_table.c
    query = sa.select(table.method, table.of_check, table.parameters, table.content).where(
        *(table[name] == value for name, value in asdict(asked).items())
    )
    return [Kept(*row) for row in connection.execute(query)]


def tables(connection: sa.Connection, run: str, step: int, split: str, version: int) -> list[Asked]:
    """Which answers of a run's model to examples of a split have marks; those of the most examples first."""
    table = marks_table.c
    where = {"run": run, "step": step, "split": split, "version": version}
    query = (
        sa.select(table.examples, table.seed)
        .where(*(table[name] == value for name, value in where.items()))
        .distinct()
        .order_by(table.examples.desc(), table.seed)
    )
    return [Asked(examples=count, seed=seed, **where) for count, seed in connection.execute(query)]
