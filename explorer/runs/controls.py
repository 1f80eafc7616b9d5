"""What people ask of a run while it goes on: messages in the store, which its worker takes."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from explorer.runs.tables import controls_table, runs_table


class Verb(enum.StrEnum):
    """What can be asked."""

    PAUSE = "pause"
    PLAY = "play"
    STEP = "step"
    EPOCH = "epoch"
    STOP = "stop"
    SPEED = "speed"
    CHANGE = "change"


PASSING = tuple(verb for verb in Verb if verb is not Verb.CHANGE)
"""What is asked of a run that trains, and means nothing to it once it trains no more."""


@dataclass(frozen=True)
class Control:
    """One thing asked for.

    Attributes:
        value: Steps a second for ``SPEED`` (0 for as fast as it goes), what changes for ``CHANGE``; else None.
        id: Its number in the store; what is asked later has a higher one.
    """

    verb: Verb
    value: Any = None
    id: int = field(default=0, compare=False)


def put(connection: sa.Connection, run_id: str, control: Control) -> None:
    """Leave a message for a run."""
    row = {"run": run_id, "verb": control.verb, "value": json.dumps(control.value)}
    connection.execute(controls_table.insert().values(row))


def take(connection: sa.Connection, run_id: str, done: int) -> list[Control]:
    """The messages for a run that were not done, oldest first; those up to this number were, and are gone then."""
    mine = controls_table.c.run == run_id
    found = pending(connection, run_id)
    if any(control.id <= done for control in found):
        connection.execute(controls_table.delete().where(mine, controls_table.c.id <= done))
    return [control for control in found if control.id > done]


def pending(connection: sa.Connection, run_id: str) -> list[Control]:
    """All messages for a run, oldest first."""
    mine = controls_table.c.run == run_id
    rows = connection.execute(sa.select(controls_table).where(mine).order_by(controls_table.c.id))
    return [Control(Verb(row.verb), json.loads(row.value), row.id) for row in rows]


def waiting(run_id: str) -> sa.Exists:
    """Whether there are messages for a run."""
    return sa.exists().where(controls_table.c.run == run_id)


def forget(connection: sa.Connection, run_id: str, *verbs: Verb) -> None:
    """Drop the messages for a run, or those with these verbs."""
    which = [controls_table.c.verb.in_(verbs)] if verbs else []
    connection.execute(controls_table.delete().where(controls_table.c.run == run_id, *which))


def queue(connection: sa.Connection) -> list[tuple[int, str]]:
    """Numbers and ids of the queued runs in the order in which they will be taken.

    People take turns: whoever trains the fewest runs now is next, then whoever's last turn is longest ago, then the
    older run. Turns are counted: a clock may be set back.
    """
    from explorer.runs.run import Status

    columns = (runs_table.c.number, runs_table.c.id, runs_table.c.session)
    queued = connection.execute(sa.select(*columns).where(runs_table.c.status == Status.QUEUED).order_by("number"))
    left = [(number, run_id, session or run_id) for number, run_id, session in queued]
    if len({session for *_, session in left}) < 2:
        return [(number, run_id) for number, run_id, _ in left]
    training = sa.func.sum(sa.case((runs_table.c.status == Status.RUNNING, 1), else_=0))
    query = sa.select(runs_table.c.session, training, _last_turn(runs_table)).group_by(runs_table.c.session)
    known = {session: [running, turn] for session, running, turn in connection.execute(query)}
    order, turn = [], max(turn for _, turn in known.values())
    while left:
        state = [known.setdefault(session, [0, 0]) for *_, session in left]
        chosen = min(range(len(left)), key=lambda n: (*state[n], left[n][0]))
        turn += 1
        state[chosen][:] = [state[chosen][0] + 1, turn]
        order.append(left.pop(chosen)[:2])
    return order


def next_turn() -> sa.ScalarSelect[int]:
    """The number of the turn that a run takes now."""
    every = runs_table.alias()
    return sa.select(sa.func.coalesce(_last_turn(every), 0) + 1).select_from(every).scalar_subquery()


def _last_turn(runs: sa.FromClause) -> sa.ColumnElement[int]:
    return sa.func.max(sa.cast(runs.c.turn, sa.Integer))  # whatever a damaged row holds there is a number then
