"""The store: runs and their metrics, for many readers and writers at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import explorer as ex
from explorer.errors import RunGone, SpecError, StoreError
from explorer.runs import Status
from explorer.runs.controls import Control, Verb
from tests.processes import forked
from tests.runs.conftest import SPEC

LOSS = {"split": "batch", "name": "loss", "epoch": 1}


def losses(*values: float, first_step: int = 1) -> list[dict[str, Any]]:
    return [
        {**LOSS, "step": step, "seconds": step / 10, "value": value} for step, value in enumerate(values, first_step)
    ]


def at_once(count: int, what: Callable[[int], Any]) -> list[Any]:
    """Call `what` in several threads that all start at the same instant."""
    gate = threading.Barrier(count)

    def one(number: int) -> Any:
        gate.wait()
        return what(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_new_run_is_queued_with_all_it_was_made_from(store: ex.RunStore) -> None:
    before = time.time()

    run = store.create(SPEC, "first", total_steps=40, parameters=650)

    assert store.get(run.id) == run
    assert (run.title, run.spec, run.status, run.reason) == ("first", SPEC, Status.QUEUED, "")
    assert (run.step, run.total_steps, run.epoch, run.parameters, run.test) == (0, 40, 0, 650, {})
    assert before <= run.created <= time.time()
    assert (run.started, run.ended, run.trained, run.progress) == (None, None, 0, 0)
    assert len(run.id) == 8
    assert int(run.id, 16) >= 0


def test_a_run_with_an_owner_is_running_at_once(store: ex.RunStore) -> None:
    run = store.create(SPEC, "mine", owner="me")

    assert run.status is Status.RUNNING
    assert run.started == run.created
    assert store.claim("other") is None


def test_a_run_without_a_title_gets_a_numbered_one(store: ex.RunStore) -> None:
    first, second = store.create(SPEC), store.create(SPEC)

    assert first.title.startswith("MLP on digits")
    assert second.title.startswith("MLP on digits")
    assert first.title != second.title


def test_runs_are_listed_newest_first(store: ex.RunStore) -> None:
    ids = [store.create(SPEC, str(number)).id for number in range(3)]

    assert [run.id for run in store.list()] == ids[::-1]
    assert [run.id for run in store.list(2)] == [ids[2], ids[1]]


def test_runs_are_found_by_page_name_and_status(store: ex.RunStore) -> None:
    with store.owners.hold() as owner:
        runs = [store.create(SPEC, title, owner=owner) for title in ("Forest 1", "forest 100%", "sea", "100 seas")]
        store.end(runs[2].id, Status.FINISHED)
        assert store.anyone_goes()
        assert [run.title for run in store.list(2, 1)] == ["sea", "forest 100%"]
        assert [run.title for run in store.list(search="FOREST")] == ["forest 100%", "Forest 1"]
        assert [run.title for run in store.list(search="0%")] == ["forest 100%"]
        assert store.list(statuses=[Status.FINISHED], search="sea") == [store.get(runs[2].id)]
        assert (store.count(), store.count("100"), store.count("", [Status.QUEUED])) == (4, 2, 0)
        assert list(store.titles(2).items()) == [(runs[3].id, "100 seas"), (runs[2].id, "sea")]
        for run in runs:
            store.end(run.id, Status.STOPPED)
    assert not store.anyone_goes()


def test_who_reads_on_does_not_miss_what_is_written_again_after_going_back(store: ex.RunStore) -> None:
    row = {"split": "batch", "name": "loss", "epoch": 1, "seconds": 1.0, "value": 1.0}
    with store.owners.hold() as owner:
        run = store.create(SPEC, owner=owner)
        store.report(run.id, owner, [row | {"step": step} for step in range(1, 6)])
        newest = int(store.metrics(run.id)["id"].max())
        store.rewind(run.id, 2)
        store.report(run.id, owner, [row | {"step": 3}])
        assert store.metrics(run.id, after=newest)["step"].tolist() == [3]


def test_everything_is_still_there_when_the_store_is_opened_again(store: ex.RunStore) -> None:
    run = store.create(SPEC, "kept", owner="me")
    store.report(run.id, "me", losses(2.0, 1.0), step=2)
    store.snapshots.save(run.id, 2, {"w": torch.ones(2)})
    store.close()

    again = ex.RunStore(store.home)

    assert again.list() == [store.get(run.id)]
    assert again.metrics(run.id)["value"].tolist() == [2.0, 1.0]
    assert again.snapshots.load(run.id, 2)["w"].tolist() == [1, 1]


def test_a_run_that_is_not_there_is_gone_for_everyone(store: ex.RunStore) -> None:
    for use in (
        lambda: store.get("00000000"),
        lambda: store.rename("00000000", "title"),
        lambda: store.report("00000000", "me"),
    ):
        with pytest.raises(RunGone):
            use()
    assert store.find("00000000") is None
    assert store.find("../../etc") is None
    assert store.delete("00000000") is False
    assert store.end("00000000", Status.FAILED) is False
    assert store.metrics("00000000").empty


def test_renaming_tidies_shortens_and_refuses_nothing_but_emptiness(store: ex.RunStore) -> None:
    run = store.create(SPEC, "old")

    store.rename(run.id, "  two \n words ")
    assert store.get(run.id).title == "two words"
    store.rename(run.id, "x" * 200)
    assert store.get(run.id).title == "x" * 80
    for empty in ("", "  \t\n"):
        with pytest.raises(SpecError, match="The name is empty"):
            store.rename(run.id, empty)
    store.rename(run.id, "<b>'; DROP TABLE runs; --")
    assert store.get(run.id).title == "<b>'; DROP TABLE runs; --"


def test_metrics_are_read_on_from_where_one_was(store: ex.RunStore) -> None:
    run = store.create(SPEC, "a", owner="me")
    other = store.create(SPEC, "b", owner="me")
    store.report(run.id, "me", losses(2.3, 2.0))
    store.report(other.id, "me", losses(9.0))

    seen = store.metrics(run.id)
    store.report(run.id, "me", losses(1.5, first_step=3))
    new = store.metrics(run.id, after=int(seen["id"].max()))

    assert list(seen.columns) == ["id", "split", "name", "step", "epoch", "seconds", "value"]
    assert seen["value"].tolist() == [2.3, 2.0]
    assert new["value"].tolist() == [1.5]
    assert new.iloc[0].drop("id").to_dict() == {**LOSS, "step": 3, "seconds": 0.3, "value": 1.5}
    assert store.metrics(run.id, after=int(new["id"].max())).empty


def test_a_report_updates_the_run_and_hands_back_what_was_asked_until_it_is_done(store: ex.RunStore) -> None:
    run = store.create(SPEC, "a", total_steps=10, owner="me")

    assert store.report(run.id, "me", step=4, epoch=1, rate=123.0, device="cpu") == []
    store.ask(run.id, Verb.SPEED, 2.5)
    store.stop(run.id)
    assert store.asked(run.id) == [Verb.SPEED, Verb.STOP]
    for _ in range(2):
        speed, stop = store.report(run.id, "me", step=5)
        assert (speed, stop) == (Control(Verb.SPEED, 2.5), Control(Verb.STOP))
    assert store.report(run.id, "me", done=speed.id) == [stop]
    assert store.report(run.id, "me", done=stop.id) == store.asked(run.id) == []
    store.ask(run.id, Verb.PLAY)
    assert store.report(run.id, "me", done=stop.id) == [Control(Verb.PLAY)], "asked after what is done"

    now = store.get(run.id)
    assert (now.step, now.epoch, now.rate, now.device, now.progress) == (5, 1, 123.0, "cpu", 0.5)


def test_a_report_of_someone_elses_run_is_refused_and_writes_nothing(store: ex.RunStore) -> None:
    run = store.create(SPEC, "a", owner="me")

    with pytest.raises(RunGone):
        store.report(run.id, "thief", losses(1.0), step=9)
    store.end(run.id, Status.FINISHED)
    with pytest.raises(RunGone):
        store.report(run.id, "me", losses(1.0), step=9)

    assert store.metrics(run.id).empty
    assert store.get(run.id).step == 0


def test_stopping_a_queued_run_ends_it_and_stopping_one_that_is_over_changes_nothing(store: ex.RunStore) -> None:
    queued, over = store.create(SPEC, "a"), store.create(SPEC, "b", owner="me")
    store.end(over.id, Status.FINISHED)
    finished = store.get(over.id)

    store.stop(queued.id)
    store.stop(over.id)
    store.stop("00000000")

    assert store.get(queued.id).status is Status.STOPPED
    assert store.get(queued.id).reason == "Stopped before it began."
    assert store.get(over.id) == finished
    assert store.claim("me") is None


def test_the_first_ending_counts(store: ex.RunStore) -> None:
    run = store.create(SPEC, "a", owner="me")

    assert store.end(run.id, Status.FINISHED, test={"accuracy": 0.5}) is True
    assert store.end(run.id, Status.FAILED, "too late") is False

    over = store.get(run.id)
    assert (over.status, over.reason, over.test) == (Status.FINISHED, "", {"accuracy": 0.5})
    assert over.ended >= over.started
    assert over.status.over


def test_deleting_takes_metrics_and_snapshots_along(store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    run, kept = (store.create(SPEC, name, owner="me") for name in ("a", "b"))
    for each in (run, kept):
        store.report(each.id, "me", losses(1.0))
        store.snapshots.save(each.id, 0, {"w": torch.zeros(1)})

    assert store.delete(run.id) is True

    assert [each.id for each in store.list()] == [kept.id]
    assert sql("SELECT DISTINCT run FROM metrics") == [(kept.id,)]
    assert [path.name for path in (store.home / "snapshots").iterdir()] == [kept.id]


def test_of_many_who_delete_at_once_exactly_one_did_it(store: ex.RunStore) -> None:
    for _ in range(5):
        run = store.create(SPEC, "a")
        assert sorted(at_once(4, lambda _, run=run: store.delete(run.id))) == [False, False, False, True]


def test_of_many_who_claim_at_once_each_run_goes_to_one_and_in_order(store: ex.RunStore) -> None:
    ids = [store.create(SPEC, str(number)).id for number in range(12)]

    def take_all(number: int) -> list[str]:
        taken = []
        while run := store.claim(f"owner {number}"):
            taken.append(run.id)
        return taken

    taken = at_once(4, take_all)

    assert sorted(run for each in taken for run in each) == sorted(ids)
    for each in taken:  # what one of them got, it got in the order of the queue
        assert each == [run for run in ids if run in each]


def test_processes_that_claim_at_once_share_the_queue_without_overlap(store: ex.RunStore) -> None:
    ids = [store.create(SPEC, str(number)).id for number in range(30)]
    start = time.time() + 0.5

    def take_all(number: int) -> None:
        mine = ex.RunStore(store.home)
        time.sleep(max(0, start - time.time()))
        while run := mine.claim(f"process {number}"):
            print(run.id)

    done = at_once(2, lambda number: forked(lambda: take_all(number)))

    assert [each.stderr for each in done] == ["", ""]
    assert sorted(" ".join(each.stdout for each in done).split()) == sorted(ids)


def test_a_place_in_the_queue_is_the_number_of_runs_before(store: ex.RunStore) -> None:
    first, second, third = (store.create(SPEC, name) for name in "abc")

    assert [store.ahead(run.id) for run in (first, second, third)] == [0, 1, 2]
    store.claim("me")
    assert [store.ahead(run.id) for run in (second, third)] == [0, 1]


def test_programs_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    for attempt in range(5):
        stores = at_once(6, lambda _, attempt=attempt: ex.RunStore(tmp_path / str(attempt)))
        stores[0].create(SPEC, "a")
        assert [len(store.list()) for store in stores] == [1] * 6


def test_readers_and_writers_do_not_get_in_each_others_way(store: ex.RunStore) -> None:
    runs = [store.create(SPEC, str(number), owner="me") for number in range(3)]

    def work(number: int) -> int:
        for step in range(1, 21):
            store.report(runs[number].id, "me", losses(1.0, first_step=step), step=step)
            store.list()
        return len(store.metrics(runs[number].id))

    assert at_once(3, work) == [20, 20, 20]
    assert [run.step for run in store.list()] == [20, 20, 20]


def test_runs_of_the_dead_are_interrupted_and_those_of_the_living_left_alone(store: ex.RunStore) -> None:
    with store.owners.hold() as alive:
        mine, lost = store.create(SPEC, "mine", owner=alive), store.create(SPEC, "lost", owner="0" * 16)
        store.report(lost.id, "0" * 16, losses(1.0))
        waiting = store.create(SPEC, "waiting")

        assert store.recover() == 1
        assert store.recover() == 0

        assert store.get(mine.id).status is Status.RUNNING
        assert store.get(waiting.id).status is Status.QUEUED
    run = store.get(lost.id)
    assert run.status is Status.INTERRUPTED
    assert run.reason.startswith("The program that trained it ended.")
    assert len(store.metrics(lost.id)) == 1
    assert store.recover() == 1, "the owner let go of its name"


def test_a_killed_process_is_no_longer_an_owner(store: ex.RunStore) -> None:
    def die() -> None:
        with ex.RunStore(store.home).owners.hold() as name:
            print(name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

    done = forked(die)
    name = done.stdout.strip()
    assert done.returncode == -9
    assert (store.home / "owners" / f"{name}.lock").exists()

    assert not store.owners.alive(name)
    assert not (store.home / "owners" / f"{name}.lock").exists()
    assert not store.owners.alive("")


def test_only_runs_that_were_going_on_are_interrupted_and_their_time_is_what_they_trained(store: ex.RunStore) -> None:
    gone = "0" * 16
    done, lost = store.create(SPEC, "done", owner=gone), store.create(SPEC, "lost", owner=gone)
    store.report(
        lost.id,
        gone,
        [{"split": "batch", "name": "loss", "step": 1, "epoch": 1, "seconds": 2.5, "value": 1.0}],
        trained=2.5,
    )
    store.end(done.id, Status.FINISHED)
    time.sleep(0.05)

    assert store.recover() == 1
    assert store.get(done.id).status is Status.FINISHED
    assert store.get(lost.id).status is Status.INTERRUPTED
    assert store.get(lost.id).trained == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("name", ["what?x=1", "a%41b", "a b#c"])
def test_a_home_of_any_name_holds_its_own_database(tmp_path: Path, name: str) -> None:
    ex.RunStore(tmp_path / name).create(SPEC, "a")

    assert (tmp_path / name / "runs.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_people_take_turns_however_many_runs_each_has(store: ex.RunStore) -> None:
    many = [store.create(SPEC, f"many {number}", session="many") for number in range(4)]
    one = store.create(SPEC, "one", session="one")

    assert [store.ahead(run.id) for run in (*many, one)] == [0, 2, 3, 4, 1]
    taken = []
    for _ in range(5):
        taken.append(store.claim("me").title)
        store.end(store.list()[0].id, Status.FINISHED)
    assert taken == ["many 0", "one", "many 1", "many 2", "many 3"]


def test_people_take_turns_though_the_clock_is_set_back(store: ex.RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create(SPEC, "first", session="one")
    assert store.claim("me").title == "first"
    store.end(store.list()[0].id, Status.FINISHED)
    an_hour_ago = time.time() - 3600
    monkeypatch.setattr("explorer.runs.store.time", SimpleNamespace(time=lambda: an_hour_ago))
    for number in range(3):
        store.create(SPEC, f"many {number}", session="many")
    one = store.create(SPEC, "one", session="one")

    assert store.ahead(one.id) == 1
    taken = []
    for _ in range(4):
        taken.append(store.claim("me"))
        store.end(taken[-1].id, Status.FINISHED)
    assert [run.title for run in taken] == ["many 0", "one", "many 1", "many 2"]


def test_a_store_of_another_version_is_left_alone_in_words(store: ex.RunStore, sql: Callable[..., list[Any]]) -> None:
    store.create(SPEC, "kept")
    sql("PRAGMA user_version = 1")

    with pytest.raises(StoreError, match=r"another version of this program.*Choose another folder with --home"):
        ex.RunStore(store.home)

    assert sql("SELECT title FROM runs") == [("kept",)]
