"""The tables of the store."""

from __future__ import annotations

import sqlalchemy as sa

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
    sa.Column("command", sa.String, nullable=False, server_default=""),
    sa.Column("owner", sa.String, nullable=False, server_default=""),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total_steps", sa.Integer, nullable=False, server_default="0"),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("parameters", sa.Integer, nullable=False, server_default="0"),
    sa.Column("device", sa.String, nullable=False, server_default=""),
    sa.Column("rate", sa.Float, nullable=False, server_default="0"),
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
)
METRIC_COLUMNS = ["id", "split", "name", "step", "epoch", "seconds", "value"]
