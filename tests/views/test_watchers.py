"""How often those who watch are shown something new; and that nobody asks once there is nothing more to see."""

from __future__ import annotations

import threading

import pytest
import streamlit as st

from explorer.views import watchers
from explorer.views.watchers import FASTEST, PAGE_SECONDS, SHARE, SLOWEST, WHOLE, Watchers


class Clock:
    """Time that passes when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watch(everybody: Watchers, clock: Clock, people: int, cost: float, seconds: float = 10) -> float:
    """Everybody asks as often as they are told for a while; the share of a core that it took at the end."""
    end = clock.now + seconds
    while clock.now < end:
        every = everybody.interval()
        for number in range(people):
            everybody.seen(f"person {number}", every, cost)
        clock.now += every
    return people * cost / every


def test_a_few_are_shown_all_there_is(clock: Clock) -> None:
    everybody = Watchers(clock)
    watch(everybody, clock, people=5, cost=0.006)
    assert (everybody.count(), everybody.interval()) == (5, FASTEST)


@pytest.mark.parametrize("cost", [0.004, 0.006, 0.012])
def test_the_more_watch_the_less_often_each_is_shown_something(clock: Clock, cost: float) -> None:
    everybody = Watchers(clock)
    shares, intervals = [], []
    for people in (1, 10, 20, 30):
        shares.append(watch(everybody, clock, people, cost))
        intervals.append(everybody.interval())
    assert intervals == sorted(intervals)
    assert FASTEST < intervals[-1] <= SLOWEST
    assert max(shares) <= SHARE


def test_a_crowd_is_never_shown_less_than_it_should(clock: Clock) -> None:
    everybody = Watchers(clock)
    watch(everybody, clock, people=200, cost=0.02)
    assert everybody.interval() == SLOWEST


def test_who_closes_or_hides_the_page_does_not_count_any_more(clock: Clock) -> None:
    everybody = Watchers(clock)
    watch(everybody, clock, people=40, cost=0.006)
    assert everybody.interval() > FASTEST
    for number in range(20):
        everybody.left(f"person {number}")
    assert everybody.count() == 20
    clock.now += 3 * SLOWEST + 2  # the others did not say that they leave
    assert (everybody.count(), everybody.interval()) == (0, FASTEST)


def test_one_slow_redraw_does_not_slow_everybody_down(clock: Clock) -> None:
    everybody = Watchers(clock)
    everybody.seen("the first of a server, who also waits for its imports", FASTEST, 3.0)
    assert everybody.interval() == FASTEST


def test_the_interval_does_not_go_back_and_forth(clock: Clock) -> None:
    everybody = Watchers(clock)
    found = []
    for people in [15, 16, 15, 16, 14, 16] * 3:  # around where it would change
        watch(everybody, clock, people, cost=SHARE * FASTEST / 15, seconds=2)
        clock.now += 2
        found.append(everybody.interval())
    assert len(set(found[2:])) == 1


def test_what_is_followed_at_a_pace_of_its_own_counts_by_that_pace(clock: Clock) -> None:
    for people, interval in ((14, FASTEST), (16, 4 * FASTEST), (40, SLOWEST)):
        everybody = Watchers(clock)
        for _ in range(5):
            for number in range(people):
                everybody.seen(f"person {number}", 1.0, 0.02, least=1.0)
        assert people * 0.02 / max(1.0, interval) <= SHARE or interval == SLOWEST
        assert everybody.interval() == interval
        assert everybody.count() == 0, "nothing of it changes all the time"


def test_all_that_is_followed_takes_its_turn_and_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody, seen, drawn = Watchers(), [], []
    everybody.turn = threading.BoundedSemaphore(1)
    monkeypatch.setattr(everybody, "seen", lambda who, every, cost, least=0.0: seen.append((who, every, least)))
    monkeypatch.setattr(watchers, "watchers", lambda: everybody)
    monkeypatch.setattr(watchers, "_looked_at", lambda: True)
    monkeypatch.setattr(st, "fragment", lambda panel, run_every=None: panel)

    def plain(_again: bool) -> None:
        drawn.append(everybody.turn.acquire(blocking=False))

    def of_parts(_again: bool) -> None:
        watchers.often(plain, True)

    watchers.follow(plain, True, every=1.0)
    watchers.follow(of_parts, True)
    watchers.follow(plain, False)
    assert drawn == [False, False, True], "nobody else had a turn meanwhile; what is not drawn again needs none"
    assert [(who.rsplit(".", 1)[1], *rest) for who, *rest in seen] == [("plain", 1.0, 1.0), ("plain", FASTEST, 0.0)]


def test_when_a_run_ends_the_pages_of_a_room_are_not_all_drawn_in_one_instant(clock: Clock) -> None:
    everybody = Watchers(clock)
    at_once = sum(everybody.page_may_be_drawn() for _ in range(30))
    clock.now += PAGE_SECONDS
    assert (at_once, everybody.page_may_be_drawn()) == (1, True)


@pytest.mark.parametrize(("going", "seen", "every"), [(True, True, WHOLE), (True, False, None), (False, True, None)])
def test_nothing_is_asked_for_once_it_is_over_or_its_tab_lies_behind_others(
    monkeypatch: pytest.MonkeyPatch, going: bool, seen: bool, every: float | None
) -> None:
    asked: list[float | None] = []
    drawn: list[bool] = []
    monkeypatch.setattr(st, "fragment", lambda panel, run_every=None: asked.append(run_every) or panel)
    monkeypatch.setattr(watchers, "_looked_at", lambda: seen)
    watchers.follow(drawn.append, going)
    assert (asked, drawn) == ([every], [every is not None])


def test_many_threads_may_ask_at_once() -> None:
    everybody = Watchers()

    def ask(number: int) -> None:
        for _ in range(200):
            with everybody.turn:
                everybody.seen(f"person {number}", everybody.interval(), 0.001)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert everybody.count() == 8
