"""What all who watch a run share: read on from where the last reader was, and made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.figures.lines import lines
from explorer.runs.store import Run, RunStore
from explorer.specs import ModelSpec, RunSpec
from explorer.views import following
from explorer.views.following import Curves, Newest

SPEC = RunSpec(dataset="digits", model=ModelSpec())
Write = Callable[..., None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path)
    yield store
    store.close()


@pytest.fixture
def going(store: RunStore) -> Iterator[tuple[Run, Write]]:
    """A run that goes on, and how to write steps of it."""
    with store.owners.hold() as owner:
        run = store.create(SPEC, owner=owner)

        def write(first: int, last: int) -> None:
            rows: list[dict[str, Any]] = []
            for step in range(first, last + 1):
                place = {"step": step, "epoch": 1 + step // 5, "seconds": step / 10}
                rows += [{"split": "batch", "name": name, "value": 1 / step, **place} for name in ("loss", "accuracy")]
                if step % 5 == 0:
                    rows.append({"split": "validation", "name": "loss", "value": 2 / step, **place})
            store.report(run.id, owner, rows)

        yield run, write


def test_curves_read_on_from_where_they_were_and_forget_the_oldest(store: RunStore) -> None:
    curves = Curves(store, runs=2)
    ids = []
    with store.owners.hold() as owner:
        for _ in range(3):
            run = store.create(SPEC, owner=owner)
            ids.append(run.id)
            for step in range(1, 4):
                row = {"split": "batch", "name": "loss", "step": step, "epoch": 1, "seconds": 0.1, "value": 1.0}
                store.report(run.id, owner, [row])
                assert curves.read(run.id)["step"].tolist() == list(range(1, step + 1))
    assert list(curves._known) == ids[1:]


def test_what_was_read_bit_by_bit_is_what_the_store_holds(store: RunStore, going: tuple[Run, Write]) -> None:
    run, write = going
    curves = Curves(store)
    assert curves.read(run.id).columns.tolist() == store.metrics(run.id).columns.tolist()
    for first, last in ((1, 3), (4, 4), (5, 700)):  # more than the columns have room for at first
        write(first, last)
        curves.follow(run.id)
    pd.testing.assert_frame_equal(curves.read(run.id), store.metrics(run.id), check_dtype=False)
    found, expected = curves.follow(run.id)[0], lines(store.metrics(run.id))
    assert found.keys() == expected.keys()
    for key, line in expected.items():
        np.testing.assert_array_equal(found[key].step, line.step)
        np.testing.assert_array_equal(found[key].value, line.value)


def test_a_run_that_goes_on_from_an_earlier_step_is_drawn_without_what_came_after(
    store: RunStore, going: tuple[Run, Write]
) -> None:
    run, write = going
    curves = Curves(store)
    write(1, 22)
    before, version = curves.follow(run.id)
    loss = before["batch", "loss"]
    store.rewind(run.id, 12)
    write(13, 14)
    after, later = curves.follow(run.id)
    assert after["batch", "loss"].step.tolist() == list(range(1, 15))
    assert after["validation", "loss"].step.tolist() == [5, 10]
    assert version != later
    assert loss.step.tolist() == list(range(1, 23))  # what somebody is drawing now does not change below them
    assert curves.read(run.id)["step"].max() == 14


def test_lines_cannot_be_changed_by_one_of_those_who_share_them(store: RunStore, going: tuple[Run, Write]) -> None:
    run, write = going
    write(1, 3)
    with pytest.raises(ValueError, match="read-only"):
        Curves(store).follow(run.id)[0]["batch", "loss"].value[0] = 0


def test_long_runs_do_not_fill_the_memory(
    store: RunStore, going: tuple[Run, Write], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, write = going
    write(1, 100)
    monkeypatch.setattr(following, "MOST_POINTS", 50)
    curves = Curves(store)
    curves.follow(run.id)
    curves.follow("0000000a")
    assert list(curves._known) == ["0000000a"]


def test_thirty_who_watch_one_run_cost_one_figure() -> None:
    made: list[int] = []
    newest = Newest(2)
    for version in (1, 2):
        for _ in range(30):
            assert newest.get("run", version, lambda: made.append(1) or len(made)) == version
    assert len(made) == 2
    for other in ("a", "b"):
        newest.get(other, 0, lambda: 0)
    assert "run" not in newest._made


def test_all_may_read_at_once(store: RunStore, going: tuple[Run, Write]) -> None:
    run, write = going
    curves = Curves(store)
    lengths: list[int] = []

    def read() -> None:
        for _ in range(30):
            found = curves.follow(run.id)[0]
            lengths.append(len(found.get(("batch", "loss"), ())))
            assert (np.diff(found["batch", "loss"].step) == 1).all()

    write(1, 1)
    threads = [Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for step in range(2, 40):
        write(step, step)
    for thread in threads:
        thread.join(20)
    assert len(lengths) == 120
    assert len(curves.follow(run.id)[0]["batch", "loss"]) == 39
