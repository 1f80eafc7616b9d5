"""The run store: the only channel between those who train and those who look."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from explorer.errors import DiskFull, RunGone, SpecError
from explorer.places import is_own, look_in
from explorer.runs.owners import Owners
from explorer.runs.problems import home_error
from explorer.runs.reserve import Reserve
from explorer.runs.run import Run, Status, from_row
from explorer.runs.snapshots import Snapshots, is_run
from explorer.runs.tables import METRIC_COLUMNS, make_tables, metrics_table, pragmas, runs_table
from explorer.specs import RunSpec

if TYPE_CHECKING:
    import pandas as pd

TITLE_LENGTH = 80


class RunStore:
    """Runs, their metrics and their snapshots in one folder; safe to use from many threads and processes.

    Args:
        home: The folder; made if it is not there. It holds ``runs.sqlite``, ``snapshots/``, ``owners/``, and a
            ``reserve`` of room, given up so that runs can be read and deleted on a full disk.

    Raises:
        StoreError: The folder cannot be made, read or written, or holds something else.
    """

    def __init__(self, home: Path | str) -> None:
        self.home = Path(home)
        self.snapshots = Snapshots(self.home / "snapshots")
        self.owners = Owners(self.home / "owners")
        self._reserve = Reserve(self.home / "reserve")
        try:
            for folder in (self.snapshots.folder, self.owners.folder):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise home_error(self.home, error) from error
        look_in(self.home)
        place = sa.URL.create("sqlite", database=str(self.home / "runs.sqlite"))  # a folder may be called what?x=1
        self._engine = sa.create_engine(place, connect_args={"timeout": 20})
        sa.event.listen(self._engine, "connect", pragmas)
        with self._opening():  # one at a time: SQLite collides where several switch a new file to write-ahead logging
            try:
                self._prepare()
            except DiskFull:
                self._reserve.give_up()
                self._prepare()
            self._reserve.keep()

    # -- runs ---------------------------------------------------------------------------------------------------------

    def create(self, spec: RunSpec, title: str = "", total_steps: int = 0, parameters: int = 0, owner: str = "") -> Run:
        """Add a run: queued, or running at once if an owner is given; without a title it gets a numbered one."""
        run_id = secrets.token_hex(4)
        now = time.time()
        row = {
            "id": run_id,
            "title": title[:TITLE_LENGTH],
            "spec": spec.model_dump_json(),
            "owner": owner,
            "created": now,
            "status": Status.RUNNING if owner else Status.QUEUED,
            "started": now if owner else None,
            "total_steps": total_steps,
            "parameters": parameters,
        }
        with self._writing() as connection:
            number = connection.execute(runs_table.insert().values(row)).inserted_primary_key[0]
            if not title:
                mine = runs_table.update().where(runs_table.c.number == number)
                connection.execute(mine.values(title=f"{spec.called(_called(spec.dataset))} #{number}"))
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """One run.

        Raises:
            RunGone: It is not in the store.
        """
        run = self.find(run_id)
        if run is None:
            raise RunGone("This run is not in the store; it may have been deleted. Choose another one.")
        return run

    def find(self, run_id: str) -> Run | None:
        """One run, or None if it is not in the store."""
        if not is_run(run_id):
            return None
        with self._reading() as connection:
            row = connection.execute(runs_table.select().where(runs_table.c.id == run_id)).mappings().first()
        return None if row is None else from_row(row)

    def list(self, limit: int | None = None) -> list[Run]:
        """All runs, or the latest few, newest first."""
        with self._reading() as connection:
            rows = (
                connection.execute(runs_table.select().order_by(runs_table.c.number.desc()).limit(limit))
                .mappings()
                .all()
            )
        return [from_row(row) for row in rows]

    def ahead(self, run_id: str) -> int:
        """How many queued runs come before this one."""
        mine = sa.select(runs_table.c.number).where(runs_table.c.id == run_id).scalar_subquery()
        query = sa.select(sa.func.count()).where(runs_table.c.status == Status.QUEUED, runs_table.c.number < mine)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def rename(self, run_id: str, title: str) -> None:
        """Give a run another title.

        Raises:
            RunGone: It is not in the store.
            SpecError: The title is empty.
        """
        title = " ".join(title.split())[:TITLE_LENGTH]
        if not title:
            raise SpecError("The name is empty. Give the run a name of at least one letter.")
        self._change(run_id, title=title)

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; a queued one stops at once, one that is over is left as it is."""
        stopped = {"status": Status.STOPPED, "ended": time.time(), "reason": "Stopped before it began."}
        with self._writing() as connection:
            mine = runs_table.update().where(runs_table.c.id == run_id)
            connection.execute(mine.where(runs_table.c.status == Status.QUEUED).values(stopped))
            connection.execute(mine.where(runs_table.c.status == Status.RUNNING).values(command="stop"))

    def delete(self, run_id: str) -> bool:
        """Delete a run with its metrics and snapshots; its worker, if any, notices and ends.

        Returns:
            Whether it was still there: of two who delete at once, one gets False.
        """
        try:
            gone = self._forget(run_id)
        except DiskFull:  # deleting writes, too, before it frees anything
            self.snapshots.delete(run_id)
            self._reserve.give_up()
            gone = self._forget(run_id)
        self.snapshots.delete(run_id)
        self._reserve.keep()
        return gone

    # -- metrics ------------------------------------------------------------------------------------------------------

    def metrics(self, run_id: str, after: int = 0) -> pd.DataFrame:
        """Metrics of a run, oldest first.

        Args:
            run_id: The run.
            after: Only rows whose ``id`` is above this, to read on from where one was.

        Returns:
            Columns ``id``, ``split`` (batch, train, validation), ``name`` (loss in nats, accuracy 0 to 1), ``step``,
            ``epoch``, ``seconds`` since the start, ``value``.
        """
        import pandas as pd

        columns = [metrics_table.c[name] for name in METRIC_COLUMNS]
        query = (
            sa.select(*columns)
            .where(metrics_table.c.run == run_id, metrics_table.c.id > after)
            .order_by(metrics_table.c.id)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return pd.DataFrame(rows, columns=METRIC_COLUMNS)

    # -- for those who train ------------------------------------------------------------------------------------------

    def claim(self, owner: str) -> Run | None:
        """Take the oldest queued run, marking it running, or None; no two callers get the same one."""
        first = (
            sa.select(sa.func.min(runs_table.c.number)).where(runs_table.c.status == Status.QUEUED).scalar_subquery()
        )
        with self._reading() as connection:  # without a write lock: this is asked many times a second
            if connection.execute(sa.select(first)).scalar() is None:
                return None
        take = (
            runs_table.update()
            .where(runs_table.c.number == first)
            .returning(*runs_table.c)  # the whole row: reading it later could fail, and leave the run with nobody
        )
        with self._writing() as connection:
            values = {"status": Status.RUNNING, "owner": owner, "started": time.time()}
            row = connection.execute(take.values(values)).mappings().first()
        return from_row(row) if row else None

    def report(self, run_id: str, owner: str, rows: Iterable[dict[str, Any]] = (), **changes: Any) -> str:
        """Write metrics and progress of a running run in one transaction.

        Args:
            run_id: The run.
            owner: Who trains it.
            rows: Metrics, with the columns of `metrics` except ``id``.
            **changes: New values of columns, such as ``step``.

        Returns:
            The command that waits for the run ("stop" or "").

        Raises:
            RunGone: The run was deleted, or is no longer this owner's: stop working on it.
        """
        mine = sa.and_(runs_table.c.id == run_id, runs_table.c.owner == owner, runs_table.c.status == Status.RUNNING)
        with self._writing() as connection:
            change = runs_table.update().where(mine).values(owner=owner, **changes).returning(runs_table.c.command)
            command = connection.execute(change).scalar()
            if command is None:
                raise RunGone("This run was deleted or taken over while it trained.")
            if rows := [{"run": run_id, **row} for row in rows]:
                connection.execute(metrics_table.insert(), rows)
        return command

    def end(self, run_id: str, status: Status, reason: str = "", test: dict[str, float] | None = None) -> bool:
        """Mark a running run as over. Returns whether it was running; a second ending changes nothing."""
        values: dict[str, Any] = {"status": status, "reason": reason, "ended": time.time(), "command": ""}
        if test is not None:
            values["test"] = json.dumps(test)
        with self._writing() as connection:
            mine = runs_table.update().where(runs_table.c.id == run_id, runs_table.c.status == Status.RUNNING)
            return bool(connection.execute(mine.values(values)).rowcount)

    def recover(self) -> int:
        """Mark running runs whose owner has died as interrupted; everything they wrote stays. Returns how many."""
        query = sa.select(runs_table.c.number, runs_table.c.owner).where(runs_table.c.status == Status.RUNNING)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        alive = {owner: self.owners.alive(owner) for owner in {owner for _, owner in rows}}
        # Their numbers, not their owners: a damaged owner is read as something else than what is written there.
        dead = [number for number, owner in rows if not alive[owner]]
        if not dead:
            return 0
        trained = sa.select(sa.func.coalesce(sa.func.max(metrics_table.c.seconds), 0.0))
        values = {
            "status": Status.INTERRUPTED,
            # Not now: the program may have been away for days.
            "ended": runs_table.c.started + trained.where(metrics_table.c.run == runs_table.c.id).scalar_subquery(),
            "command": "",
            "reason": "The program that trained it ended. What it wrote is kept. Run it again to train anew.",
        }
        lost = runs_table.update().where(runs_table.c.status == Status.RUNNING, runs_table.c.number.in_(dead))
        with self._writing() as connection:
            return connection.execute(lost.values(values)).rowcount

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            with FileLock(self.home / "opening.lock", timeout=20):
                yield
        except (OSError, Timeout) as error:
            raise home_error(self.home, error) from error

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        with self._writing() as connection:
            make_tables(connection)

    def _forget(self, run_id: str) -> bool:
        with self._writing() as connection:
            gone = connection.execute(runs_table.delete().where(runs_table.c.id == run_id)).rowcount
            connection.execute(metrics_table.delete().where(metrics_table.c.run == run_id))
        return bool(gone)

    def _change(self, run_id: str, **values: Any) -> None:
        with self._writing() as connection:
            if not connection.execute(runs_table.update().where(runs_table.c.id == run_id).values(values)).rowcount:
                raise RunGone("This run is not in the store; it may have been deleted. Choose another one.")

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise home_error(self.home, error) from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise home_error(self.home, error) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def disk_free(self) -> int:
        """Bytes free where the store lies."""
        return shutil.disk_usage(self.home).free


def _called(dataset: str) -> str:
    if not is_own(dataset):
        return dataset
    from explorer.data.own import called

    return called(dataset)
