"""Work that takes seconds: one piece at a time, shared, stopped, and given up when nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from typing import Any

from explorer.errors import NotApplicable
from explorer.views.jobs import GONE, Jobs, Waiting


class Steered:
    """Work that goes on when it is told to."""

    def __init__(self, result: Any = "result", error: Exception | None = None) -> None:
        self.go, self.began, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.result, self.error = result, error

    def work(self) -> Generator[float, None, Any]:
        self.began.set()
        try:
            while not self.go.wait(0.005):
                yield 0.5
            if self.error:
                raise self.error
            return self.result
        finally:
            self.closed.set()


def eventually(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_one_piece_is_worked_on_at_a_time_and_the_others_are_told() -> None:
    jobs, first, second, third = Jobs(), Steered(1), Steered(2), Steered(3)
    for who, one in (("anna", first), ("ben", second), ("eve", third)):
        jobs.ask(who, who, one.work())
    assert first.began.wait(10)
    eventually(lambda: jobs.look("anna", "anna") == Waiting(0, 0.5))

    assert jobs.look("ben", "ben") == Waiting(1, 0.0)
    assert jobs.look("eve", "eve") == Waiting(2, 0.0)
    assert not second.began.is_set()
    first.go.set()
    assert second.began.wait(10)
    assert jobs.result("anna") == 1
    assert jobs.look("eve", "eve") == Waiting(1, 0.0)
    second.go.set(), third.go.set()
    eventually(lambda: jobs.result("eve") == 3)


def test_what_several_want_is_done_once_and_goes_on_until_the_last_has_left() -> None:
    jobs, one, other = Jobs(), Steered(), Steered()
    for who in ("anna", "ben"):
        jobs.ask(who, "map", (one if who == "anna" else other).work())
    assert one.began.wait(10)

    jobs.leave("anna")
    assert jobs.look("anna", "map") is None
    time.sleep(0.05)
    assert not one.closed.is_set()
    jobs.leave("ben")
    assert one.closed.wait(10)
    assert jobs.result("map") is None
    assert not other.began.is_set()


def test_what_was_stopped_can_be_asked_for_again_at_once() -> None:
    jobs, one, again = Jobs(), Steered(), Steered("again")
    jobs.ask("anna", "map", one.work())
    assert one.began.wait(10)

    jobs.leave("anna")
    again.go.set()
    eventually(lambda: one.closed.is_set())
    jobs.ask("anna", "map", again.work())

    eventually(lambda: jobs.result("map") == "again")


def test_who_wants_another_thing_does_not_want_the_first_any_more() -> None:
    jobs, one, other = Jobs(), Steered(), Steered("other")
    jobs.ask("anna", "map of relu1", one.work())
    assert one.began.wait(10)
    other.go.set()

    jobs.ask("anna", "map of relu2", other.work())

    assert one.closed.wait(10)
    eventually(lambda: jobs.result("map of relu2") == "other")


def test_what_nobody_looks_at_any_more_is_given_up() -> None:
    now = [0.0]
    jobs, one = Jobs(clock=lambda: now[0]), Steered()
    jobs.ask("anna", "map", one.work())
    assert one.began.wait(10)
    now[0] = GONE - 1
    assert jobs.look("anna", "map")
    now[0] += GONE - 1
    time.sleep(0.05)
    assert not one.closed.is_set()

    now[0] += 2

    assert one.closed.wait(10)
    assert jobs.look("anna", "map") is None


def test_an_error_is_told_to_those_who_wait_and_the_next_piece_goes_on() -> None:
    jobs, one, broken, last = Jobs(), Steered(error=NotApplicable("Too few.")), Steered(error=KeyError("x")), Steered()
    for who, work in (("anna", one), ("ben", broken), ("eve", last)):
        work.go.set()
        jobs.ask(who, who, work.work())

    eventually(lambda: jobs.result("eve") == "result")
    assert jobs.failure("anna", "anna") == "Too few."
    assert jobs.failure("ben", "ben").startswith("Something unexpected")
    assert jobs.failure("anna", "another map") == jobs.failure("eve", "eve") == ""


def test_who_is_patient_may_look_away_for_longer_and_others_can_tell_that_it_goes_on() -> None:
    now = [0.0]
    jobs, one = Jobs(clock=lambda: now[0]), Steered()
    jobs.ask("anna", "table", one.work(), patience=10 * GONE)
    assert one.began.wait(10)
    now[0] = 9 * GONE
    time.sleep(0.05)
    assert not one.closed.is_set()
    assert jobs.goes_on("table")
    assert not jobs.goes_on("another")

    now[0] += 2 * GONE

    assert one.closed.wait(10)
    eventually(lambda: not jobs.goes_on("table"))
