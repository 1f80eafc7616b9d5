"""The tables of the store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from explorer.errors import StoreError

meta = sa.MetaData()
runs_table = sa.Table(
    "runs",
    meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, unique=True, nullable=False),
    sa.Column("title", sa.String, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("status", sa.String, nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("owner", sa.String, nullable=False, server_default=""),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total_steps", sa.Integer, nullable=False, server_default="0"),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parameters", sa.Integer, nullable=False, server_default="0"),
    sa.Column("macs", sa.Integer, nullable=False, server_default="0"),
    sa.Column("device", sa.String, nullable=False, server_default=""),
    sa.Column("rate", sa.Float, nullable=False, server_default="0"),
    sa.Column("speed", sa.Float, nullable=False, server_default="0"),
    sa.Column("trained", sa.Float, nullable=False, server_default="0"),
    sa.Column("samples", sa.Integer, nullable=False, server_default="0"),
    sa.Column("memory", sa.Integer, nullable=False, server_default="0"),
    sa.Column("best_step", sa.Integer),
    sa.Column("session", sa.String, nullable=False, server_default=""),
    sa.Column("turn", sa.Integer, nullable=False, server_default="0"),  # the how-manieth run it was to be taken
    sa.Column("sweep", sa.String, nullable=False, server_default="", index=True),
    sa.Column("test", sa.Text, nullable=False, server_default="{}"),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
)
metrics_table = sa.Table(
    "metrics",
    meta,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("split", sa.String, nullable=False),  # batch, train or validation
    sa.Column("name", sa.String, nullable=False),  # loss, accuracy, …
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("value", sa.Float, nullable=False),
    sa.Index("metrics_of_a_run", "run", "id"),
    # Many runs are compared by these rows, of which there are few among those of the batches.
    sa.Index("epochs_of_a_run", "run", "id", sqlite_where=sa.text("split != 'batch'")),
    sqlite_autoincrement=True,  # no id is given twice: who reads on must not take new rows for those that are gone
)
flow_table = sa.Table(
    "flow",
    meta,
    sa.Column("run", sa.String, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("layer", sa.String, nullable=False),
    sa.Column("gradient", sa.Float, nullable=False),
    sa.Column("weight", sa.Float, nullable=False),
    sa.Column("update_share", sa.Float, nullable=False),
    sa.Index("flow_of_a_run", "run", "step"),
)
controls_table = sa.Table(
    "controls",
    meta,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run", sa.String, nullable=False, index=True),
    sa.Column("verb", sa.String, nullable=False),
    sa.Column("value", sa.Text, nullable=False, server_default="null"),
    sqlite_autoincrement=True,  # what is asked later has a higher number, also where nothing waits
)
marks_table = sa.Table(
    "marks",
    meta,
    sa.Column("run", sa.String, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("split", sa.String, nullable=False),
    sa.Column("examples", sa.Integer, nullable=False),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("method", sa.String, nullable=False),
    sa.Column("of_check", sa.String, nullable=False),
    sa.Column("parameters", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
# One mark of each kind: who works it out again replaces it.
sa.Index("marks_of_a_run", *(column for column in marks_table.c if column.name != "content"), unique=True)
PARTS = (metrics_table, flow_table, controls_table, marks_table)
"""Tables whose rows go with their run."""
VERSION = 4
"""Which tables these are; a store that has others is not touched."""


def _insert(table: sa.Table) -> tuple[str, list[str]]:
    """The statement that adds a row of a run, and the columns it takes after ``run``, as the driver wants them."""
    columns = [column.name for column in table.columns if column.name not in ("id", "run")]
    marks = ", ".join("?" * (len(columns) + 1))
    return f"INSERT INTO {table.name} (run, {', '.join(columns)}) VALUES ({marks})", columns


INSERT_METRICS, INSERT_FLOW = _insert(metrics_table), _insert(flow_table)
METRIC_COLUMNS = ["id", "split", "name", "step", "epoch", "seconds", "value"]


def make_tables(connection: sa.Connection) -> None:
    """Make what is not there yet.

    Raises:
        StoreError: The store was made by another version of this program.
    """
    found = connection.exec_driver_sql("PRAGMA user_version").scalar()
    empty = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0
    if not empty and found != VERSION:
        raise StoreError(
            "The runs kept here were made by another version of this program, which keeps them differently. Choose "
            "another folder with --home, or move this one away."
        )
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    for table in meta.sorted_tables:  # create_all looks first and creates then: two who start at once collide
        connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))


def pragmas(connection: Any, _record: Any) -> None:
    """Settings of every new connection to SQLite."""
    connection.text_factory = lambda text: text.decode(errors="replace")  # one damaged row must not hide the others
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")  # with WAL: no corruption, at worst the last instant lost
    cursor.close()
