"""The engine: a process of its own that claims queued runs and trains each in a worker process.

It is started by `Compute` as ``python -m explorer.runs.engine``, so that workers fork from a clean, light process
instead of from the web server, and it ends when the pipe to its parent does.
"""

from __future__ import annotations

import logging
import multiprocessing as mp
import os
import sys
import time
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from explorer.errors import DiskFull, ExplorerError, RunGone
from explorer.runs.memory import taken
from explorer.runs.patience import patient
from explorer.runs.settings import Settings
from explorer.runs.store import Run, RunStore, Status

POLL_SECONDS = 0.05
RECOVER_SECONDS = 2.0
RETRY_SECONDS = 1.0
NICE = 5
"""Training lets those who look go first: pages stay quick while every core trains."""

log = logging.getLogger("explorer.engine")


def main() -> int:
    """Serve the queue until standard input ends."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.nice(NICE)
    settings = Settings.read()
    store = RunStore(settings.home)
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["explorer.runs.preload"])
    os.set_blocking(sys.stdin.fileno(), False)
    with store.owners.hold() as owner:
        engine = _Engine(store, settings, context, owner)
        try:
            engine.serve()
        finally:
            engine.end()
    return 0


class _Engine:
    def __init__(self, store: RunStore, settings: Settings, context: mp.context.BaseContext, owner: str) -> None:
        self.store, self.settings, self.context, self.owner = store, settings, context, owner
        self.workers: dict[BaseProcess, Run] = {}
        self.reasons: dict[BaseProcess, str] = {}  # of those that were ended
        self.recovered_at = float("-inf")

    def serve(self) -> None:
        self._start(_warm)  # starts the fork server before the first click
        while not self._parent_gone():
            try:
                self._round()
            except ExplorerError as error:  # the disk is full, say: keep trying, the user may mend it
                log.error("%s", error)
                time.sleep(RETRY_SECONDS)
            except Exception:  # a bug, or damage nobody thought of: the workers that train must not end with it
                log.exception("a round of the engine failed; it goes on")
                time.sleep(RETRY_SECONDS)

    def _round(self) -> None:
        self._bound_memory()
        self._end_dead()
        if time.monotonic() - self.recovered_at > RECOVER_SECONDS:
            self.recovered_at = time.monotonic()
            self.store.recover()
        while len(self.workers) < self.settings.workers and (run := self.store.claim(self.owner)):
            try:
                worker = self._start(_work, str(self.settings.home), run.id, self.owner, self.settings.device)
            except Exception:  # its owner lives, so that nobody else would ever end this run
                self.store.end(run.id, Status.FAILED, "No worker could be started; the server's log has the details.")
                raise
            self.workers[worker] = run
        wait([worker.sentinel for worker in self.workers], timeout=POLL_SECONDS) if self.workers else time.sleep(
            POLL_SECONDS
        )

    def _end_dead(self) -> None:
        """Say of the runs whose worker has died that it has."""
        for worker in [worker for worker in self.workers if not worker.is_alive()]:
            run = self.workers[worker]
            died = f"The worker died ({_how(worker.exitcode)}). What it wrote is kept: continue it, or run it again."
            # One that ended well has said all about its run, which may have been taken up again since.
            if worker.exitcode and self.store.end(run.id, Status.FAILED, self.reasons.get(worker, died)):
                log.error("run %s: worker died: %s", run.id, _how(worker.exitcode))
            self.reasons.pop(worker, None)
            del self.workers[worker]  # only now: if the store could not be written, the next round tries again

    def _bound_memory(self) -> None:
        """End workers that take more memory than they may, before the kernel ends whatever it likes."""
        for worker, run in self.workers.items():
            if (bytes_taken := taken(worker.pid)) > self.settings.memory * 2**30:
                reason = (
                    f"Its worker took {bytes_taken / 2**30:.1f} GiB of memory; it may take "
                    f"{self.settings.memory:.1f} (set by --memory). Use a smaller model or batch."
                )
                log.error("run %s: %s", run.id, reason)
                worker.kill()
                worker.join(5)
                self.reasons[worker] = reason

    def _start(self, target: object, *args: str) -> BaseProcess:
        worker = self.context.Process(target=target, args=args, daemon=True)
        worker.start()
        return worker

    def _parent_gone(self) -> bool:
        try:
            return os.read(sys.stdin.fileno(), 1) == b""
        except BlockingIOError:
            return False

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
        for worker in self.workers:
            worker.join(5)


def _how(exitcode: int | None) -> str:
    return f"signal {-exitcode}" if exitcode and exitcode < 0 else f"exit status {exitcode}"


def _warm() -> None:
    """Nothing: forking it makes the fork server preload."""


def _work(home: str, run_id: str, owner: str, device: str) -> None:
    """Entry of a worker process: train one run."""
    from explorer.runs.execute import execute

    store = patient(RunStore)(home)
    parent = mp.parent_process()

    def watch(_event: object) -> None:
        if not parent.is_alive():
            os._exit(1)  # the engine is gone: whoever comes next marks the run as interrupted

    def fail(reason: str) -> None:
        while True:
            with suppress(DiskFull):  # not even the room kept back is left: it is said when there is some
                store.end(run_id, Status.FAILED, reason)
                return
            watch(None)
            time.sleep(RETRY_SECONDS)

    try:
        execute(store, store.get(run_id), owner, device, watch)
    except RunGone:
        log.info("run %s was deleted while it trained", run_id)
    except ExplorerError as error:
        log.error("run %s: %s", run_id, error)
        fail(str(error))
    except Exception:
        logging.exception("run %s failed", run_id)
        fail("Something unexpected went wrong; the details are in the server's log.")


if __name__ == "__main__":
    sys.exit(main())
