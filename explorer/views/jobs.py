"""Work that takes seconds: one piece at a time on a server, with its progress, and a stop that leaves nothing behind.

A button cannot interrupt a script of Streamlit, so the work is done in a thread beside it, and a fragment looks how far
it is. Work nobody waits for any more is given up: a closed tab stops asking.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from explorer.errors import ExplorerError
from explorer.views import page, state

log = logging.getLogger("explorer.jobs")

Work = Generator[float, None, Any]
"""Yields how far it is, 0 to 1, several times a second, and returns its result; it may be closed at any time. It runs
beside the script, so it must not ask Streamlit for anything."""

KEPT = 32
"""Results kept for all sessions together; those nobody asked for the longest go first."""
GONE = 15.0
"""Seconds after which somebody who did not look any more is taken to have left."""
EVERY = 0.4
"""Seconds between two looks."""


@dataclass
class _Job:
    work: Work
    waiting: dict[str, float]  # who wants it, and when they looked last
    patience: float = GONE
    done: float = 0.0
    running: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class Waiting:
    """How far something is.

    Attributes:
        ahead: How many others are worked on before it; 0 if it is worked on now.
        done: How much of it is done, 0 to 1.
    """

    ahead: int
    done: float


@dataclass
class Jobs:
    """All work of a server, one piece after the other; safe to use from many threads.

    Attributes:
        clock: Seconds that pass; tests bring their own.
    """

    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _jobs: OrderedDict[Hashable, _Job] = field(default_factory=OrderedDict)
    _results: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _failed: dict[str, tuple[Hashable, str]] = field(default_factory=dict)
    _thread: threading.Thread | None = None

    def result(self, key: Hashable) -> Any | None:
        """The result of work that is done, or None."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
            return self._results.get(key)

    def ask(self, who: str, key: Hashable, work: Work, patience: float = GONE) -> None:
        """Want something done; of one person only one thing is. What others want already is not done twice.

        Args:
            who, key: Who wants what.
            work: What does it.
            patience: Seconds for which it goes on for somebody who does not look: who keeps what is done in the store
                may go to another page meanwhile.
        """
        with self._lock:
            self._leave(who)
            self._failed.pop(who, None)
            if key in self._results:
                return
            job = self._jobs.get(key)
            if job is None or job.stopped:
                job = self._jobs[key] = _Job(work, {}, patience)
            job.waiting[who] = self.clock()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
                self._thread.start()

    def look(self, who: str, key: Hashable) -> Waiting | None:
        """How far something is that somebody waits for; None if they do not, or it is over."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or who not in job.waiting:
                return None
            job.waiting[who] = self.clock()
            return Waiting(list(self._jobs).index(key), job.done)

    def goes_on(self, key: Hashable) -> bool:
        """Whether anybody wants something that is not done yet."""
        with self._lock:
            job = self._jobs.get(key)
            return job is not None and not job.stopped and bool(job.waiting)

    def leave(self, who: str) -> None:
        """Want nothing any more."""
        with self._lock:
            self._leave(who)

    def failure(self, who: str, key: Hashable) -> str:
        """Why what somebody wanted could not be done; empty if it could."""
        with self._lock:
            failed, why = self._failed.get(who, (None, ""))
            return why if failed == key else ""

    def _leave(self, who: str) -> None:
        for key, job in list(self._jobs.items()):
            job.waiting.pop(who, None)
            if not job.waiting and not job.running:
                del self._jobs[key]

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                key, job = next(iter(self._jobs.items()))
                job.running = True
            result, why = self._carry_out(job)
            with self._lock:
                if self._jobs.get(key) is job:  # else it was stopped, and is wanted again
                    del self._jobs[key]
                if result is not None:
                    self._results[key] = result
                    while len(self._results) > KEPT:
                        self._results.popitem(last=False)
                for who in job.waiting if why else ():
                    self._failed[who] = (key, why)
                while len(self._failed) > 1000:
                    del self._failed[next(iter(self._failed))]

    def _carry_out(self, job: _Job) -> tuple[Any | None, str]:
        """The result, or None and why there is none; both are empty if nobody wants it any more."""
        try:
            while self._wanted(job):
                job.done = next(job.work)
        except StopIteration as end:
            return end.value, ""
        except ExplorerError as error:
            return None, str(error)
        except Exception:
            log.exception("work failed")
            return None, "Something unexpected went wrong with this. Try again."
        finally:
            job.work.close()
        return None, ""

    def _wanted(self, job: _Job) -> bool:
        with self._lock:
            now = self.clock()
            for who in [who for who, looked in job.waiting.items() if looked < now - job.patience]:
                del job.waiting[who]
            job.stopped = not job.waiting
            return not job.stopped


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Those of this server."""
    return Jobs()


def outcome(key: Hashable, name: str, work: Callable[[], Work], label: str, about: str) -> Any | None:
    """The result of some work; as long as there is none, draw the button that starts it, or its progress and a stop.

    Args:
        key: What the result depends on.
        name: Tells work of one page apart.
        work: Called when the button is pressed; makes what does it.
        label: What the button says.
        about: What it does and how long that takes, in a line.
    """
    everybody, who = jobs(), f"{state.session()}-{name}"
    if (found := everybody.result(key)) is not None:
        return found
    if everybody.look(who, key):
        with st.container(key=f"job-{name}"):
            st.fragment(page.calm(_progress), run_every=EVERY)(who, key, name)
        return None
    with st.container(horizontal=True, vertical_alignment="center", key=f"job-{name}"):
        st.button(label, key=f"start-{name}", icon=":material/play_arrow:", on_click=_start, args=(who, key, work))
        st.caption(about, width="stretch")
    if why := everybody.failure(who, key):
        st.error(page.plain(why), icon=":material/error:")
    return None


def _start(who: str, key: Hashable, work: Callable[[], Work]) -> None:
    jobs().ask(who, key, work())


def _progress(who: str, key: Hashable, name: str) -> None:
    found = jobs().look(who, key)
    if found is None:
        st.rerun()  # the whole page: it is done, or was stopped
    with st.container(horizontal=True, vertical_alignment="center", key=f"progress-{name}"):
        others = "another piece" if found.ahead == 1 else f"{found.ahead} other pieces"
        said = f"Waiting: this server works on {others} of this kind first" if found.ahead else "Working it out"
        st.progress(found.done, f"{said}: {found.done:.0%}" if not found.ahead else said)
        st.button("Stop", key=f"stop-{name}", icon=":material/stop:", on_click=jobs().leave, args=(who,))
