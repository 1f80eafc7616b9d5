"""The run store: the only channel between those who train and those who look."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from explorer.errors import DiskFull, RunGone, SpecError
from explorer.places import is_own, look_in
from explorer.runs import controls, marks
from explorer.runs.controls import PASSING, Control, Verb
from explorer.runs.marks import Asked, Kept
from explorer.runs.owners import Owners
from explorer.runs.patience import patient
from explorer.runs.problems import home_error
from explorer.runs.reserve import Reserve
from explorer.runs.run import GOING, Run, Status, from_row
from explorer.runs.snapshots import Snapshots, is_run
from explorer.runs.tables import (
    INSERT_FLOW,
    INSERT_METRICS,
    METRIC_COLUMNS,
    PARTS,
    flow_table,
    make_tables,
    marks_table,
    metrics_table,
    pragmas,
    runs_table,
)
from explorer.specs import RunSpec

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
TITLE_LENGTH = 80
BUSY_SECONDS = 20.0
"""How long whoever writes waits for others who write, before it counts as an error."""


class RunStore:
    """Runs, their metrics and their snapshots in one folder; safe to use from many threads and processes.

    Args:
        home: The folder; made if it is not there. It holds ``runs.sqlite``, ``snapshots/``, ``owners/``, and a
            ``reserve`` of room, given up so that runs can be read, ended and deleted on a full disk.

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
        self._engine = sa.create_engine(place, connect_args={"timeout": BUSY_SECONDS})
        sa.event.listen(self._engine, "connect", pragmas)
        with self._opening():  # one at a time: SQLite collides where several switch a new file to write-ahead logging
            self._with_reserve(self._prepare)
            self._reserve.keep()

    # -- runs ---------------------------------------------------------------------------------------------------------

    def create(
        self,
        spec: RunSpec,
        title: str = "",
        total_steps: int = 0,
        parameters: int = 0,
        owner: str = "",
        session: str = "",
        run_id: str = "",
        macs: int = 0,
        sweep: str = "",
    ) -> Run:
        """Add a run: queued, or running at once if an owner is given; without a title it gets a numbered one.

        Args:
            session: Who wants it; people take turns.
            run_id: Its id, where weights it starts from are there already.
            macs: Multiply-adds for one example.
            sweep: What runs that are made together have in common.
        """
        run_id = run_id or new_id()
        now = time.time()
        row = {
            "id": run_id,
            "title": title[:TITLE_LENGTH],
            "spec": spec.model_dump_json(),
            "owner": owner,
            "created": now,
            "status": Status.RUNNING if owner else Status.QUEUED,
            "started": now if owner else None,
            "turn": controls.next_turn() if owner else 0,
            "total_steps": total_steps,
            "parameters": parameters,
            "session": session,
            "macs": macs,
            "sweep": sweep,
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

    def list(
        self, limit: int | None = None, offset: int = 0, search: str = "", statuses: Iterable[Status] = ()
    ) -> list[Run]:
        """All runs, or some of them, newest first.

        Args:
            limit: How many at most.
            offset: How many of the newest are left out.
            search: Only those that have this in their title, in large or small letters.
            statuses: Only those that stand there; none for all.
        """
        found = runs_table.select().where(*_found(search, statuses))
        query = found.order_by(runs_table.c.number.desc()).limit(limit).offset(offset)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [from_row(row) for row in rows]

    def of_spec(self, spec: RunSpec) -> list[Run]:
        """The runs that were made from exactly this, newest first."""
        same = runs_table.c.spec == spec.model_dump_json()
        with self._reading() as connection:
            rows = connection.execute(runs_table.select().where(same).order_by(runs_table.c.number.desc()))
            return [from_row(row) for row in rows.mappings().all()]

    def of_sweep(self, sweep: str) -> list[Run]:
        """The runs that were made together, oldest first."""
        if not sweep:
            return []
        query = runs_table.select().where(runs_table.c.sweep == sweep).order_by(runs_table.c.number)
        with self._reading() as connection:
            return [from_row(row) for row in connection.execute(query).mappings().all()]

    def sweeps(self, limit: int) -> dict[str, int]:
        """The latest sweeps, newest first, and how many runs of each there are."""
        table = runs_table.c
        query = (
            sa.select(table.sweep, sa.func.count())
            .where(table.sweep != "")
            .group_by(table.sweep)
            .order_by(sa.func.max(table.number).desc())
            .limit(limit)
        )
        with self._reading() as connection:
            return dict(connection.execute(query).all())

    def count(self, search: str = "", statuses: Iterable[Status] = ()) -> int:
        """How many runs there are; the arguments are those of `list`."""
        query = sa.select(sa.func.count()).select_from(runs_table).where(*_found(search, statuses))
        with self._reading() as connection:
            return connection.execute(query).scalar_one()

    def titles(self, limit: int) -> dict[str, str]:
        """Ids and titles of the latest runs, newest first."""
        query = sa.select(runs_table.c.id, runs_table.c.title).order_by(runs_table.c.number.desc()).limit(limit)
        with self._reading() as connection:
            return {str(run_id): str(title) for run_id, title in connection.execute(query)}

    def anyone_goes(self) -> bool:
        """Whether any run is not over."""
        going = runs_table.c.status.in_([status for status in Status if not status.over])
        with self._reading() as connection:
            return connection.execute(sa.select(sa.exists().where(going))).scalar_one()

    def ahead(self, run_id: str) -> int:
        """How many queued runs come before this one."""
        with self._reading() as connection:
            order = [queued for _, queued in controls.queue(connection)]
        return order.index(run_id) if run_id in order else 0

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

    def ask(self, run_id: str, verb: Verb, value: Any = None) -> None:
        """Ask something of a run; one that is over, or not there any more, is left as it is.

        A paused run that no worker holds is queued again, or stops at once; so does one that has not begun.
        """
        mine = runs_table.update().where(runs_table.c.id == run_id)
        idle = sa.or_(
            runs_table.c.status == Status.QUEUED,
            sa.and_(runs_table.c.status == Status.PAUSED, runs_table.c.owner == ""),
        )
        with self._writing() as connection:
            if verb is Verb.STOP:
                begun = sa.case((runs_table.c.started.is_(None), "Stopped before it began."), else_="")
                stopped = {"status": Status.STOPPED, "ended": time.time(), "reason": begun}
                if connection.execute(mine.where(idle).values(stopped)).rowcount:
                    controls.forget(connection, run_id)
                    return
            going = runs_table.c.status.in_((Status.QUEUED, *GOING))
            if connection.execute(mine.where(going).values(id=run_id)).rowcount:
                controls.put(connection, run_id, Control(verb, value))
                if verb in (Verb.PLAY, Verb.STEP, Verb.EPOCH):
                    connection.execute(mine.where(idle).values(status=Status.QUEUED))

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; a queued one stops at once, one that is over is left as it is."""
        self.ask(run_id, Verb.STOP)

    def asked(self, run_id: str) -> list[Verb]:
        """What was asked of a run and not taken yet."""
        with self._reading() as connection:
            return [control.verb for control in controls.pending(connection, run_id)]

    def resume(self, run_id: str, change: dict[str, Any] | None = None) -> None:
        """Let a run that is over, and whose last state was kept, go on from there: with more epochs, say.

        Raises:
            RunGone: It is not in the store.
            SnapshotError: Nothing was kept to go on from.
        """
        self.snapshots.check_state(run_id)
        over = runs_table.c.status.in_([status for status in Status if status.over])
        fresh = {"status": Status.QUEUED, "owner": "", "ended": None, "reason": "", "test": "{}"}
        with self._writing() as connection:
            mine = runs_table.update().where(runs_table.c.id == run_id, over)
            if connection.execute(mine.values(fresh)).rowcount:
                controls.forget(connection, run_id, *PASSING)
                if change:
                    controls.put(connection, run_id, Control(Verb.CHANGE, change))
                return
        self.get(run_id)  # says so where it is gone; else it goes on already

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

        return pd.DataFrame(self.news(run_id, after), columns=METRIC_COLUMNS)

    def news(self, run_id: str, after: int = 0) -> list[sa.Row]:
        """The rows of `metrics` as they are: a few are read many times a second."""
        columns = [metrics_table.c[name] for name in METRIC_COLUMNS]
        query = (
            sa.select(*columns)
            .where(metrics_table.c.run == run_id, metrics_table.c.id > after)
            .order_by(metrics_table.c.id)
        )
        with self._reading() as connection:
            return list(connection.execute(query))

    def epochs(self, run_ids: Iterable[str]) -> pd.DataFrame:
        """Metrics that several runs had after each epoch, oldest first.

        Returns:
            Columns ``run`` and those of `metrics` but ``id``; of the splits train and validation only.
        """
        import pandas as pd

        columns = [metrics_table.c[name] for name in ("run", *METRIC_COLUMNS[1:])]
        query = (
            sa.select(*columns)
            .where(metrics_table.c.run.in_(list(run_ids)), sa.text("split != 'batch'"))  # as the index has it
            .order_by(metrics_table.c.id)
        )
        with self._reading() as connection:
            return pd.DataFrame(connection.execute(query).all(), columns=[column.name for column in columns])

    def flow(self, run_id: str) -> pd.DataFrame:
        """Gradient flow of a run, oldest first.

        Returns:
            Columns ``step``, ``layer``, ``gradient`` and ``weight`` (norms), ``update`` (norm of the change as a share
            of the weights').
        """
        import pandas as pd

        table = flow_table.c
        columns = [table.step, table.layer, table.gradient, table.weight, table.update_share.label("update")]
        query = sa.select(*columns).where(table.run == run_id).order_by(table.step)
        with self._reading() as connection:
            return pd.DataFrame(connection.execute(query).all(), columns=[column.name for column in columns])

    # -- trust checks -------------------------------------------------------------------------------------------------

    def keep_mark(self, asked: Asked, kept: Kept) -> None:
        """Keep what one check said of one method; what was kept of the same is replaced.

        Raises:
            RunGone: The run was deleted.
        """
        with self._writing() as connection:
            marks.put(connection, asked, kept)

    def marks(self, asked: Asked) -> list[Kept]:
        """What was kept of some examples of a run at a step."""
        with self._reading() as connection:
            return marks.of(connection, asked)

    def checked(self, run: str, step: int, split: str, version: int) -> list[Asked]:
        """Of which examples of a split anything was kept for a run at a step; the most of them first."""
        with self._reading() as connection:
            return marks.tables(connection, run, step, split, version)

    # -- for those who train ------------------------------------------------------------------------------------------

    def claim(self, owner: str) -> Run | None:
        """Take the queued run whose turn it is, marking it running, or None; no two callers get the same one."""
        while True:
            with self._reading() as connection:  # without a write lock: this is asked many times a second
                if not (order := controls.queue(connection)):
                    return None
            take = (
                runs_table.update()
                .where(runs_table.c.number == order[0][0], runs_table.c.status == Status.QUEUED)
                .returning(*runs_table.c)  # the whole row: reading it later could fail, and leave the run with nobody
            )
            began = sa.func.coalesce(runs_table.c.started, time.time())
            with self._writing() as connection:
                values = {"status": Status.RUNNING, "owner": owner, "started": began, "turn": controls.next_turn()}
                if row := connection.execute(take.values(values)).mappings().first():
                    return from_row(row)

    @patient
    def report(
        self,
        run_id: str,
        owner: str,
        rows: Sequence[dict[str, Any]] = (),
        flow: Sequence[dict[str, Any]] = (),
        done: int = 0,
        **changes: Any,
    ) -> list[Control]:
        """Write metrics and progress of a run that goes on in one transaction.

        Args:
            run_id: The run.
            owner: Who trains it.
            rows: Metrics, with the columns of `metrics` except ``id``.
            flow: Gradient flow, with the columns of the table.
            done: The last of what was asked that is written with this; it is not asked any more.
            **changes: New values of columns, such as ``step``.

        Returns:
            What was asked of the run and is not done.

        Raises:
            RunGone: The run was deleted, or is no longer this owner's: stop working on it.
        """
        with self._writing() as connection:
            if not connection.execute(_held(run_id, owner).values(owner=owner, **changes)).rowcount:
                raise RunGone("This run was deleted or taken over while it trained.")
            for (statement, columns), added in ((INSERT_METRICS, rows), (INSERT_FLOW, flow)):
                if values := [(run_id, *(row[name] for name in columns)) for row in added]:
                    connection.exec_driver_sql(statement, values)  # thousands a second
            return controls.take(connection, run_id, done)

    @patient
    def heard(self, run_id: str, owner: str) -> list[Control]:
        """What was asked of a paused run and is not written as done.

        Raises:
            RunGone: The run was deleted, or is no longer this owner's.
        """
        held = sa.select(runs_table.c.id).where(runs_table.c.id == run_id, runs_table.c.owner == owner)
        with self._reading() as connection:
            if connection.execute(held).first() is None:
                raise RunGone("This run was deleted or taken over while it was paused.")
            return controls.pending(connection, run_id)

    @patient
    def release(self, run_id: str, owner: str) -> bool:
        """Let go of a paused run, for another worker to take up; False if something was asked of it just now."""
        quiet = sa.not_(controls.waiting(run_id))
        with self._writing() as connection:
            return bool(connection.execute(_held(run_id, owner).where(quiet).values(owner="")).rowcount)

    def anyone_waits(self) -> bool:
        """Whether runs are queued."""
        with self._reading() as connection:
            return connection.execute(sa.select(sa.exists().where(runs_table.c.status == Status.QUEUED))).scalar()

    @patient
    def rewind(self, run_id: str, step: int) -> None:
        """Forget what was written of a run after a step: it goes on from there and writes it again."""
        with self._writing() as connection:
            for table in (metrics_table, flow_table, marks_table):
                connection.execute(table.delete().where(table.c.run == run_id, table.c.step > step))
            best_gone = runs_table.update().where(runs_table.c.id == run_id, runs_table.c.best_step > step)
            connection.execute(best_gone.values(best_step=None))
        for kept in self.snapshots.steps(run_id):
            if kept > step:
                self.snapshots.drop(run_id, kept)

    @patient
    def end(self, run_id: str, status: Status, reason: str = "", test: dict[str, float] | None = None) -> bool:
        """Mark a running run as over. Returns whether it was running; a second ending changes nothing."""
        values: dict[str, Any] = {"status": status, "reason": reason, "ended": time.time()}
        if test is not None:
            values["test"] = json.dumps(test)
        mine = runs_table.update().where(runs_table.c.id == run_id, runs_table.c.status.in_(GOING))

        def write() -> bool:
            with self._writing() as connection:
                ended = bool(connection.execute(mine.values(values)).rowcount)
                if ended:  # one that failed may go on, with the changes that it did not come to
                    controls.forget(connection, run_id, *(PASSING if status is Status.FAILED else ()))
            return ended

        return self._with_reserve(write)

    def recover(self) -> int:
        """Mark running runs whose owner has died as interrupted; everything they wrote stays. Returns how many.

        Paused ones stay paused: they were waiting anyway, and go on when asked.
        """
        held = sa.and_(runs_table.c.status.in_(GOING), runs_table.c.owner != "")
        query = sa.select(runs_table.c.number, runs_table.c.owner).where(held)
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
            "reason": "The program that trained it ended. What it wrote is kept: continue it, or run it again.",
        }
        lost = runs_table.update().where(runs_table.c.number.in_(dead))

        def write() -> int:
            with self._writing() as connection:
                connection.execute(lost.where(runs_table.c.status == Status.PAUSED).values(owner=""))
                return connection.execute(lost.where(runs_table.c.status == Status.RUNNING).values(values)).rowcount

        return self._with_reserve(write)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            with FileLock(self.home / "opening.lock", timeout=BUSY_SECONDS):
                yield
        except (OSError, Timeout) as error:
            raise home_error(self.home, error) from error

    # -- plumbing -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        with self._writing() as connection:
            make_tables(connection)

    def _with_reserve(self, write: Callable[[], T]) -> T:
        """What must be written on a full disk, too: the room kept back is for that."""
        try:
            return write()
        except DiskFull:
            self._reserve.give_up()
            return write()

    def _forget(self, run_id: str) -> bool:
        with self._writing() as connection:
            gone = connection.execute(runs_table.delete().where(runs_table.c.id == run_id)).rowcount
            for table in PARTS:
                connection.execute(table.delete().where(table.c.run == run_id))
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


def new_id() -> str:
    """An id for a run."""
    return secrets.token_hex(4)


def _found(search: str, statuses: Iterable[Status]) -> list[sa.ColumnElement[bool]]:
    by_title = [runs_table.c.title.icontains(search, autoescape=True)] if search else []
    return by_title + ([runs_table.c.status.in_(among)] if (among := list(statuses)) else [])


def _held(run_id: str, owner: str) -> sa.Update:
    mine = (runs_table.c.id == run_id, runs_table.c.owner == owner, runs_table.c.status.in_(GOING))
    return runs_table.update().where(*mine)


def _called(dataset: str) -> str:
    if not is_own(dataset):
        return dataset
    from explorer.data.own import called

    return called(dataset)
